"""From a model's complaints to problems that an admin can mend: where, what, and what to write instead.

A rejected value is never repeated: it may be a secret in the wrong place.
"""

import re
from dataclasses import replace
from typing import get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bridge.config.model_fields import field_at, fields_of, models_at, places_below
from bridge.config.yaml_document import Document, KeyPath, dotted
from bridge.sdk.errors import Problem
from bridge.sdk.settings import is_duration, written
from bridge.sdk.suggestion import did_you_mean

_KEY = re.compile(r"[a-z][a-z0-9_@. -]{0,40}", re.ASCII | re.IGNORECASE)
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,40}", re.ASCII | re.IGNORECASE)
_GLUED = re.compile(r"[^\s:]:(?!//)[^\s:]")  # `KEY:VALUE`, which YAML takes for one text
_SECOND_HALF = re.compile(r"[0-9]+[a-z/]*", re.IGNORECASE)  # of `{deadline: 1,8s}`
_EQUATED = re.compile(r"[\w.-]+\s*=")

_MAPPING = {"dict_type", "model_attributes_type", "model_type"}
_MESSAGES = {
    "bool_parsing": "has to be true or false",
    "bool_type": "has to be true or false",
    "float_parsing": "has to be a number",
    "float_type": "has to be a number",
    "int_from_float": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_type": "has to be a whole number",
    "list_type": "has to be a list: [one, two]",
    "path_type": "has to be the name of a file",
    "string_too_short": "may not be empty",
    "string_type": "has to be a text: put it in quotes",
    "too_short": "may not be empty",
    "tuple_type": "has to be a list: [one, two]",
    "union_tag_not_found": "needs a key 'type'",
}

_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}

_SECRETS = {"access_token", "api_key", "api_token", "apikey", "key", "password", "secret", "token"}
"""What an admin may write for the one secret that a type needs."""

_KNOWN = "unknown key; known here:"
_HIGHER = "it belongs higher, beside"


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
    message = _message(detail, model)
    field = field_at(model, location)
    if (
        kind.startswith("less_than")
        and field
        and is_duration(field.metadata)
        and isinstance(document.value(path), (int, float))
    ):
        message += ": a number without a unit is seconds, and milliseconds are written 1800ms"
    if kind in _MAPPING and field is None and (above := _entry_above(document, path)):
        message += f"; if it is a key of '{above}', indent it as the others there"
    absent = kind == "missing" or (path[-1:] != location[-1:] and field is not None)
    if absent:
        if elsewhere := _stands_elsewhere(location, model, document, path):
            return document.problem(elsewhere, f"{_HIGHER} '{elsewhere[-2]}'", at_key=True)
        path = (*path, location[-1])
    problem = document.problem(path, message, at_key=absent or kind == "extra_forbidden")
    if kind == "extra_forbidden" and not _may_be_shown(str(location[-1]), detail.get("input"), message):
        # A value that slipped into the place of a key, such as `token:SECRET` without its blank.
        if detail.get("input") is None:
            message = _key_without_value(str(location[-1]))
        return replace(problem, key=dotted((*path[:-1], "…")), message=message)
    return problem


def _key_without_value(key: str) -> str:
    """Say what an unknown key that has no value may have been."""
    if _SECOND_HALF.fullmatch(key):
        return "a fraction has a point, not a comma, as in 1.8s"
    if ":" in key:
        return "unknown key: is a blank missing after a colon?"
    return "unknown key: several values stand in [ ], as in [one, two]; or is a colon missing?"


def _entry_above(document: Document, path: KeyPath) -> str:
    """Return the last entry before this one, of equal depth, that has keys, to which this may belong; or nothing."""
    beside = document.value(path[:-1])
    if not isinstance(beside, dict) or path[-1] not in beside or isinstance(beside[path[-1]], list):
        return ""
    above = list(beside)[: list(beside).index(path[-1])]
    return next((str(name) for name in reversed(above) if isinstance(beside[name], dict)), "")


def _stands_elsewhere(location: KeyPath, model: type[BaseModel], document: Document, at: KeyPath) -> KeyPath | None:
    """Return where a missing key is written a level too deep, None if it is not."""
    beside = fields_of(models_at([model], location[:-1]))
    return next((place for key in beside if document.holds(place := (*at, key, location[-1]))), None)


def _may_be_shown(key: str, value: object, message: str) -> bool:
    """Tell whether what stands in a key's place is a key for certain."""
    if not message.startswith(_KNOWN) and _WORD.fullmatch(key):
        return True
    return value is not None and _KEY.fullmatch(key) is not None


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context, location = detail["type"], detail.get("ctx", {}), detail["loc"]
    field = field_at(model, location)
    match kind:
        case "extra_forbidden":
            message = _unknown_key(location, model)
        case "missing":
            message = f"is missing: {field.description}" if field and field.description else "is missing"
        case "literal_error" | "union_tag_invalid":
            message = f"has to be one of {context.get('expected') or context.get('expected_tags')}"
        case "value_error" | "assertion_error":
            message = str(context.get("error", detail["msg"]))
        case _ if bound := next((name for name in _BOUNDS if name in context), ""):
            message = f"has to be {_BOUNDS[bound]} {written(context[bound], field.metadata if field else ())}"
        case _:
            message = _wrong_kind(detail, model)
    return message


def _wrong_kind(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Say what kind of value is needed, and how to come from the given one to it."""
    kind, given, location = detail["type"], detail.get("input", ...), detail["loc"]
    if given is None and kind.endswith(("_type", "_parsing")):
        glued = any(_GLUED.search(part) for part in location if isinstance(part, str))
        return f"has no value{': is a blank missing after a colon?' if glued else ''}"
    if kind in _MAPPING:
        return _no_mapping(given, location, model)
    match kind, given:
        case "string_type", list():
            message = "has to be one text: write it without [ ] and without a dash"
        case "string_type", dict():
            message = "has to be one text, without keys"
        case "list_type", dict():
            message = "has to be a list: begin each entry with a dash (-)"
        case "list_type", str(text) if text.startswith("-"):
            message = "has to be a list: is a blank missing after the dash?"
        case _:
            message = _MESSAGES.get(kind) or detail["msg"].replace("Input should be", "has to be")
    return message


def _no_mapping(given: object, location: KeyPath, model: type[BaseModel]) -> str:
    fields = fields_of(models_at([model], location))
    message = "has to hold keys with values" + (f"; known here: {', '.join(fields)}" if fields else "")
    if isinstance(given, list):
        return f"{message}; write them without dashes and [ ]"
    if isinstance(given, str) and _GLUED.search(given):
        return f"{message}; is a blank missing after a colon?"
    if isinstance(given, str) and _EQUATED.match(given):
        return f"{message}; write KEY: VALUE, with a colon and a blank"
    if isinstance(given, str) and len(needed := [name for name, field in fields.items() if field.is_required()]) == 1:
        return f"{message}; did you mean {{{needed[0]}: …}}?"
    return message


def _unknown_key(location: KeyPath, model: type[BaseModel]) -> str:
    """Say where a key belongs, or what may have been meant, or else what is known."""
    key, here = str(location[-1]), models_at([model], location[:-1])
    known = fields_of(here)
    needed = [name for name, field in known.items() if _is_needed_secret(field)]
    if len(location) == 1 and key in _SECRETS and len(needed) == 1:
        return f"unknown key, did you mean '{needed[0]}'?"
    if below := places_below(here, key):
        return f"unknown key here: it belongs under {_or(below)}"
    for depth in range(len(location) - 2, -1, -1):
        above = fields_of(models_at([model], location[:depth]))
        if key in above and location[depth] in above:  # which the tag of a union is not
            return f"unknown key here: {_HIGHER} '{location[depth]}'"
    for name, field in known.items():
        if re.search(rf"://\S*\b{re.escape(key.upper())}\b", field.description or ""):
            return f"unknown key: it is a part of '{name}'"
    guess = did_you_mean(key, known)
    return f"unknown key{guess}" if guess else f"{_KNOWN} {', '.join(known)}"


def _is_needed_secret(field: FieldInfo) -> bool:
    return field.is_required() and any(kind is SecretStr for kind in (field.annotation, *get_args(field.annotation)))


def _or(names: list[str]) -> str:
    *first, last = (f"'{name}'" for name in names)
    return f"{', '.join(first)} or {last}" if first else last
