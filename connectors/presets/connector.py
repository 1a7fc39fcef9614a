"""From a preset to a connector type: the rest connector, with the needs of the preset among its settings.

What an admin wrote is completed before anything is checked. So there is one model, and unknown keys, missing ones,
the schema for editors, the list of connectors and the masking of secrets work for presets as for everything else.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, PydanticUndefined
from pydantic_core.core_schema import ErrorType

from connectors.presets.preset import Need, Preset, Proven
from connectors.rest.config.config import RestConfig
from connectors.rest.connector import RestConnector

_PROVEN: dict[Proven, str] = {
    "real server": "tried on a real server",
    "API description": "checked against the vendor's API description, not tried on a real account",
    "documents": "written after the vendor's documents, not tried on a real account",
    "unverified": "not verified by anything",
}


def preset_connector(type_name: str, preset: Preset) -> type[RestConnector]:
    """Return the connector of a preset. Raises ValueError if a need is called like a key of the rest connector."""
    if taken := set(preset.needs) & set(RestConfig.model_fields):
        raise ValueError(f"a need may not be called like a key of rest: {', '.join(taken)}")
    fields: dict[str, Any] = {name: _needed(need, preset.added_to(name)) for name, need in preset.needs.items()}
    config = create_model(f"{type_name}Config", __base__=PresetConfig, __doc__=f"How to ask {preset.name}.", **fields)
    config.preset = preset
    config.address_key = next((name for name in preset.needs if f"${{{name}}}" in preset.base_url), "base_url")
    doc = f"Finds owners in {preset.name}; {_PROVEN[preset.proven]}."
    return type(type_name, (RestConnector,), {"Config": config, "__doc__": doc, "__module__": "connectors.presets"})


def _needed(need: Need, added: frozenset[str]) -> tuple[Any, Any]:
    told = f"{need.help} For example: {need.example}"
    kind = need.kind
    if need.address:
        kind = Annotated[kind, BeforeValidator(lambda address: need.without_page(address, added))]
    return kind, Field(default=PydanticUndefined if need.default is None else need.default, description=told)


class PresetConfig(RestConfig):
    """The settings of the rest connector, of which a preset gives what an admin does not write."""

    preset: ClassVar[Preset]

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Let what the preset gives be left out, and be written in part where it is a mapping."""
        found = handler.resolve_ref_schema(handler(schema))
        for key, value in cls.preset.connector.items():
            if key in found.get("required", ()):
                found["required"].remove(key)
            if isinstance(value, Mapping) and key in found["properties"]:
                found["properties"][key] = {"type": "object", "description": found["properties"][key]["description"]}
        return found

    @model_validator(mode="wrap")
    @classmethod
    def _completed(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        if not isinstance(data, Mapping):
            return handler(data)
        try:
            return handler(cls.preset.complete(data))
        except ValidationError as error:
            problems = [_problem(detail, cls.preset, data) for detail in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(error.title, problems, hide_input=True) from None


def _problem(detail: ErrorDetails, preset: Preset, written: Mapping[str, object]) -> InitErrorDetails:
    """Tell what is wrong with something that an admin never wrote as a problem of what he did write."""
    place = detail["loc"]
    if place and place[0] not in {*written, *preset.needs}:
        why = str(detail.get("ctx", {}).get("error", detail["msg"]))
        if need := preset.need_at(place):
            return InitErrorDetails(type=_custom("preset", why), loc=(need,), input=None)
        key = ".".join(map(str, place))
        message = f"what the type itself says under {key} does not go with what is written here: {why}"
        return InitErrorDetails(type=_custom("preset", message), loc=(), input=None)
    if detail["type"] not in get_args(ErrorType):
        return InitErrorDetails(type=_custom(detail["type"], detail["msg"]), loc=place, input=detail["input"])
    return InitErrorDetails(type=detail["type"], loc=place, input=detail["input"], ctx=detail.get("ctx", {}))


def _custom(kind: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{message}", {"message": message})
