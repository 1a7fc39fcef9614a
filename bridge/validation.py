"""From a model's complaints to problems that an admin can mend: where, what, and what to write instead.

A rejected value is never repeated: it may be a secret in the wrong place.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.document import Document, KeyPath, dotted
from bridge.errors import Problem
from bridge.suggestion import did_you_mean

_KEY = re.compile(r"[a-z][a-z0-9_@. -]{0,40}", re.ASCII | re.IGNORECASE)

_MESSAGES = {
    "bool_parsing": "has to be true or false",
    "bool_type": "has to be true or false",
    "dict_type": "has to hold keys with values",
    "float_parsing": "has to be a number",
    "float_type": "has to be a number",
    "int_from_float": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_type": "has to be a whole number",
    "list_type": "has to be a list: [one, two]",
    "model_attributes_type": "has to hold keys with values",
    "model_type": "has to hold keys with values",
    "path_type": "has to be the name of a file",
    "string_too_short": "may not be empty",
    "string_type": "has to be a text: put it in quotes",
    "too_short": "may not be empty",
    "tuple_type": "has to be a list: [one, two]",
    "union_tag_not_found": "needs a key 'type'",
}


def problems_of(error: ValidationError, model: type[BaseModel], document: Document, base: KeyPath) -> list[Problem]:
    """Translate everything that `model` found wrong with what stands at `base` in the document."""
    return [_problem(detail, model, document, base) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails, model: type[BaseModel], document: Document, base: KeyPath) -> Problem:
    """Translate one complaint.

    A complaint's location names union members as well as keys; what does not stand in the document is left out.
    """
    location = detail["loc"]
    path = base
    for part in location:
        if document.holds((*path, part)):
            path = (*path, part)
    kind = detail["type"]
    if kind == "missing":
        path = (*path, location[-1])
    message = _message(detail, model)
    problem = document.problem(path, message, at_key=kind in ("extra_forbidden", "missing"))
    if kind == "extra_forbidden" and not _may_be_shown(str(location[-1]), detail.get("input"), message):
        # A value that slipped into the place of a key, such as `token:SECRET` without its blank.
        return replace(problem, key=dotted((*path[:-1], "…")), message=f"{message}; is a blank missing after a colon?")
    return problem


def _may_be_shown(key: str, value: object, message: str) -> bool:
    return "did you mean" in message or (value is not None and _KEY.fullmatch(key) is not None)


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            message = _unknown_key(detail["loc"], model)
        case "missing":
            message = f"is missing{_meaning(detail['loc'], model)}"
        case "literal_error" | "union_tag_invalid":
            message = f"has to be one of {context.get('expected') or context.get('expected_tags')}"
        case "value_error" | "assertion_error":
            message = str(context.get("error", detail["msg"]))
        case "greater_than_equal":
            message = f"has to be at least {context['ge']:g}"
        case "less_than_equal":
            message = f"has to be at most {context['le']:g}"
        case _:
            message = _MESSAGES.get(kind) or detail["msg"].replace("Input should be", "has to be")
            if detail.get("input", ...) is None and kind.endswith(("_type", "_parsing")):
                message = "has no value"
    return message


def _unknown_key(location: KeyPath, model: type[BaseModel]) -> str:
    known = sorted(
        {
            field.alias or name
            for kind in _models_at([model], location[:-1])
            for name, field in kind.model_fields.items()
        }
    )
    guess = did_you_mean(str(location[-1]), known)
    return f"unknown key{guess}" if guess else f"unknown key; known here: {', '.join(known)}"


def _meaning(location: KeyPath, model: type[BaseModel]) -> str:
    """Return what the missing key is for."""
    for kind in _models_at([model], location[:-1]):
        field = kind.model_fields.get(str(location[-1]))
        if field is not None and field.description:
            return f": {field.description}"
    return ""


def _models_at(kinds: list[Any], location: KeyPath) -> list[type[BaseModel]]:
    """Return the models that may stand at `location` below any of `kinds`."""
    for part in location:
        kinds = [inner for kind in kinds for inner in _step(kind, part)]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _step(kind: Any, part: str | int) -> Iterator[Any]:  # noqa: ANN401 - annotations are of any kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        if part in fields:
            yield from _members(fields[str(part)].annotation)
        elif _has_tag(kind, part):
            yield kind
    elif get_origin(kind) in (list, tuple) and isinstance(part, int):
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) is dict:
        yield from _members(get_args(kind)[1])


def _members(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - annotations are of any kind
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    elif origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif hasattr(annotation, "__value__"):
        yield from _members(annotation.__value__)
    else:
        yield annotation


def _has_tag(kind: type[BaseModel], part: str | int) -> bool:
    return any(
        get_origin(field.annotation) is Literal and part in get_args(field.annotation)
        for field in kind.model_fields.values()
    )
