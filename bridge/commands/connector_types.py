"""Every connector type and the settings that it takes, in words: `omi-bridge connectors`."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bridge.config.plugins import CONNECTORS, base_type, connector_class, installed_types
from bridge.sdk.connector import AnyConnector
from bridge.sdk.settings import written


def describe(type_name: str | None = None, directory: Path | None = None) -> Iterator[str]:
    """Give a paragraph for each installed connector type, or for one; raises ValueError if that one cannot be used.

    `directory` is that of the configuration, where modules may lie that are not installed.
    """
    if type_name is not None:
        yield "\n".join(_paragraph(type_name, connector_class(type_name, directory)))
        return
    for name in installed_types(CONNECTORS):
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
    own = found.Config.model_fields.items()
    fields = {key: field for key, field in own if key not in known or _is_needed_more(field, known[key])}
    for key, field in sorted(fields.items(), key=lambda item: not item[1].is_required()):
        need = "required" if field.is_required() else _default(field)
        yield f"  {field.alias or key} ({need}): {field.description or ''}".rstrip()
    if known:
        yield f"  and every key of {base}, which then counts instead of what {name} itself says"


def _is_needed_more(field: FieldInfo, than: FieldInfo) -> bool:
    return field.is_required() and not than.is_required()


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value is PydanticUndefined or value in ({}, [], (), ""):
        return "optional"
    return f"default {written(value, field.metadata)}" if isinstance(value, (str, int, float)) else "optional"
