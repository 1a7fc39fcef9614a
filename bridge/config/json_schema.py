"""JSON Schema of the configuration, for editors: the core's models and those of every installed connector type."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from bridge.config.plugins import CONNECTORS, EXTENSIONS, base_type, connector_class, extension_class, installed_types
from bridge.config.sections import Settings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def configuration_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema draft 2020-12); a connector's settings depend on its `type`."""
    schema = Settings.model_json_schema()
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    names = sorted(filter(_usable, installed_types(CONNECTORS)), key=lambda name: base_type(name) != name)
    schema["properties"]["connectors"]["additionalProperties"] = {
        "type": "object",
        "required": ["type"],
        "properties": {"type": _type_of_connector(names)},
        "allOf": [_settings_if(name, definitions) for name in names],
    }
    definitions["Extensions"]["additionalProperties"] = False
    definitions["Extensions"]["properties"] |= dict(_sources_of_extensions(definitions))
    _loosen(schema)
    return {"$schema": _DIALECT, "title": "omi-bridge configuration", **schema}


def _type_of_connector(names: list[str]) -> dict[str, Any]:
    """Return the rule for `type`: what is installed, which an editor offers, or somebody's own class."""
    own = {"type": "string", "pattern": ":"}
    return {"anyOf": [{"enum": sorted(names)}, own], "description": "Connector type, or package.module:Class."}


def _loosen(schema: object) -> None:
    """Let a number stand wherever a text may (it counts as the text that was written), and alternatives overlap."""
    if isinstance(schema, dict):
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
        if schema.get("type") == "string" and not {"const", "enum", "pattern"} & set(schema):
            schema["type"] = ["string", "number"]
        for inner in schema.values():
            _loosen(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _loosen(inner)


def _settings_if(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the rule "if the type is `name`, then these settings".

    Shared definitions are kept apart by type; a type that builds on another shares its definitions and its keys.
    """
    base = base_type(name)
    settings = connector_class(name).Config.model_json_schema(ref_template=f"#/$defs/{base}.{{model}}")
    for model, definition in settings.pop("$defs", {}).items():
        definitions[f"{base}.{model}"] = definition
    for key, written in settings["properties"].items():
        shared = definitions.setdefault(f"{base}.{key}", written) if base == name else definitions.get(f"{base}.{key}")
        if written == shared:
            settings["properties"][key] = {"$ref": f"#/$defs/{base}.{key}"}
    settings["properties"] = {"type": {"const": name}, **settings["properties"]}
    return {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": settings}


def _sources_of_extensions(definitions: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every installed kind of a source of extensions, and the settings that may stand under its name."""
    for name in installed_types(EXTENSIONS):
        with suppress(ValueError):
            kind = f"extensions.{name}"
            settings = extension_class(name).Config.model_json_schema(ref_template=f"#/$defs/{kind}.{{model}}")
            for model, definition in settings.pop("$defs", {}).items():
                definitions[f"{kind}.{model}"] = definition
            yield name, settings


def _usable(name: str) -> bool:
    try:
        connector_class(name)
    except ValueError:
        return False  # `omi-bridge connectors` says why
    return True
