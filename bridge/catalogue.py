"""Every connector type and the settings that it takes, in words: `omi-bridge connectors`."""

import inspect
from collections.abc import Iterator

from pydantic_core import PydanticUndefined

from bridge.connector import AnyConnector
from bridge.registry import connector_class, connector_types


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
    summary = (inspect.getdoc(found) or "").partition("\n")[0]
    yield f"{name}: {summary}"
    fields = found.Config.model_fields
    for key, field in sorted(fields.items(), key=lambda item: not item[1].is_required()):
        need = "required" if field.is_required() else _default(field.default)
        yield f"  {field.alias or key} ({need}): {field.description or ''}".rstrip()


def _default(value: object) -> str:
    if value is None or value is PydanticUndefined or value in ({}, [], (), ""):
        return "optional"
    return f"default {value}" if isinstance(value, (str, int, float)) else "optional"
