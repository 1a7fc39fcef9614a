"""What may stand where in a model of settings: for complaints that tell an admin which keys are known, and where.

A place is given as pydantic gives it in a complaint: keys, indexes of lists, and the tags of unions in between.
"""

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bridge.config.yaml_document import KeyPath

_DEEPEST = 2


def models_at(kinds: Iterable[Any], location: KeyPath) -> list[type[BaseModel]]:
    """Return the models that may stand at `location` below any of `kinds`."""
    kinds = list(kinds)
    for part in location:
        kinds = [inner for kind in kinds for inner in _step(kind, part)]
    return [kind for kind in kinds if _is_model(kind)]


def fields_of(kinds: Iterable[type[BaseModel]]) -> dict[str, FieldInfo]:
    """Return the fields of all `kinds` by the keys that an admin writes: its own first, and of them the needed ones."""
    found: dict[str, tuple[bool, bool, FieldInfo]] = {}
    for kind in kinds:
        inherited = {name for parent in kind.__mro__[1:] if _is_model(parent) for name in parent.model_fields}
        for name, field in kind.model_fields.items():
            found.setdefault(field.alias or name, (name in inherited, not field.is_required(), field))
    ordered = sorted(found, key=lambda key: (*found[key][:2], key))
    return {key: found[key][2] for key in ordered}


def field_at(model: type[BaseModel], location: KeyPath) -> FieldInfo | None:
    """Return the field whose value stands at `location`, None if there is none."""
    return fields_of(models_at([model], location[:-1])).get(str(location[-1])) if location else None


def places_below(kinds: Iterable[type[BaseModel]], key: str) -> list[str]:
    """Return under which of the keys of `kinds` a key is known, such as `steps` or `auth.request`: the nearest ones."""
    level = [("", kind) for kind in kinds]
    for _ in range(_DEEPEST):
        level = [
            (f"{place}.{name}" if place else name, inner)
            for place, kind in level
            for name, field in fields_of([kind]).items()
            for inner in _models_in(field.annotation)
        ]
        found = [place for place, kind in level if key in fields_of([kind])]
        if found:
            return list(dict.fromkeys(found))
    return []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - annotations are of any kind
    """Find the models of which an annotation consists, also those in its lists."""
    for member in _members(annotation):
        if _is_model(member):
            yield member
        elif get_origin(member) in (list, tuple):
            yield from _models_in(get_args(member)[0])


def _is_model(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _step(kind: Any, part: str | int) -> Iterator[Any]:  # noqa: ANN401 - annotations are of any kind
    if _is_model(kind):
        fields = fields_of([kind])
        if part in fields:
            yield from _members(fields[str(part)].annotation)
        elif _has_tag(kind, part) or (isinstance(part, str) and not _has_tags(kind)):
            yield kind
    elif get_origin(kind) in (list, tuple) and isinstance(part, int):
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) in (list, tuple):  # the tag of a union, of which this is a member
        yield kind
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


def _has_tags(kind: type[BaseModel]) -> bool:
    return any(get_origin(field.annotation) is Literal for field in kind.model_fields.values())


def _has_tag(kind: type[BaseModel], part: str | int) -> bool:
    return any(
        get_origin(field.annotation) is Literal and part in get_args(field.annotation)
        for field in kind.model_fields.values()
    )
