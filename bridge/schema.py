"""JSON Schema of the configuration, for editors: the core's models and those of every installed connector type."""

from typing import Any

from bridge.registry import connector_class, connector_types
from bridge.sections import Settings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def configuration_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema draft 2020-12); a connector's settings depend on its `type`."""
    schema = Settings.model_json_schema()
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    names = [name for name in connector_types() if _usable(name)]
    schema["properties"]["connectors"]["additionalProperties"] = {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"type": "string", "description": "Connector type, or package.module:Class."}},
        "allOf": [_settings_if(name, definitions) for name in names],
    }
    _loosen(schema)
    return {"$schema": _DIALECT, "title": "omi-bridge configuration", **schema}


def _loosen(schema: object) -> None:
    """Let a number stand wherever a text may (it counts as the text that was written), and alternatives overlap."""
    if isinstance(schema, dict):
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
        if schema.get("type") == "string" and not {"const", "enum"} & set(schema):
            schema["type"] = ["string", "number"]
        for inner in schema.values():
            _loosen(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _loosen(inner)


def _settings_if(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the rule "if the type is `name`, then these settings"; shared definitions are kept apart by type."""
    settings = connector_class(name).Config.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    for model, definition in settings.pop("$defs", {}).items():
        definitions[f"{name}.{model}"] = definition
    settings["properties"] = {"type": {"const": name}, **settings["properties"]}
    return {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": settings}


def _usable(name: str) -> bool:
    try:
        connector_class(name)
    except ValueError:
        return False  # `omi-bridge connectors` says why
    return True
