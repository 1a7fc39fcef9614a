"""The models of the configuration, found by walking through them."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bridge.sdk import ConnectorConfig
from connectors.rest.config.steps import Step


def models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Return the model and every model that may stand inside it, at any depth."""
    yield model
    for field in model.model_fields.values():
        for inner in _within(field.annotation):
            yield from models_of(inner)


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return a model's keys as they are written; what every connector, and every step, has is told once."""
    told = [base for base in (ConnectorConfig, Step) if model is not base and issubclass(model, base)]
    common = {name for base in told for name in base.model_fields}
    return {
        field.alias or name: field
        for name, field in model.model_fields.items()
        if name not in common and not (name == "type" and len(get_args(field.annotation)) == 1)
    }


def _within(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _within(argument)
