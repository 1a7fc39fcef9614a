"""Every connector type and the settings that it takes, in words: `omi-bridge connectors`."""

import inspect
from collections.abc import Iterator

from pydantic_core import PydanticUndefined

from bridge.connector import AnyConnector
from bridge.registry import base_type, connector_class, connector_types


def describe() -> Iterator[str]:
    """Give a paragraph for each installed connector type."""
    for name in connector_types():
        try:
            found = connector_class(name)
        except ValueError as error:
            yield f"{name}\n  {error}"
        else:
            yield "\n".join(_paragraph(name, found))


def _paragraph(name: str, found: type[AnyConnector]) -> Iterator[str]:
    """Tell what a type is and takes; of one that builds on another only what it has beyond that."""
    summary = (inspect.getdoc(found) or "").partition("\n")[0]
    yield f"{name}: {summary}"
    base = base_type(name)
    known = connector_class(base).Config.model_fields if base != name else {}
    fields = {key: field for key, field in found.Config.model_fields.items() if key not in known}
    for key, field in sorted(fields.items(), key=lambda item: not item[1].is_required()):
        need = "required" if field.is_required() else _default(field.default)
        yield f"  {field.alias or key} ({need}): {field.description or ''}".rstrip()
    if known:
        yield f"  and every key of {base}, which then counts instead of what {name} itself says"


def _default(value: object) -> str:
    if value is None or value is PydanticUndefined or value in ({}, [], (), ""):
        return "optional"
    return f"default {value}" if isinstance(value, (str, int, float)) else "optional"
