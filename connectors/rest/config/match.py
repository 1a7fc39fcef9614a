"""Which fields of a record hold its own telephone numbers, as the configuration writes it under `match`.

Mostly the names of the fields are enough. Some CRMs know more: the country of a number, or the number in its
international form beside what somebody typed. What they know themselves counts before what was typed.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from bridge.sdk import OneOrMore
from connectors.rest.mapping.expression import JmesPath


class PhoneFields(BaseModel):
    """Phone fields of a record, and what stands beside them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    within: JmesPath | None = Field(
        default=None,
        description="Finds the object or list of objects in which the others are (JMESPath); without it the record.",
    )
    fields: Annotated[list[JmesPath], OneOrMore(), Field(min_length=1)] | None = Field(
        default=None, description="The fields with numbers as they were typed (JMESPath)."
    )
    international: JmesPath | None = Field(
        default=None,
        description="The number with its country's code, as the CRM itself has made it of one of them (JMESPath). "
        "Where it is filled, what was typed is this number, or another one of the same country.",
    )
    country: JmesPath | None = Field(
        default=None,
        description="The country of numbers that come without one (JMESPath): +66, 66, TH or Thailand. Where it is "
        "empty, 'region' counts.",
    )

    @model_validator(mode="after")
    def _knows_something(self) -> Self:
        if self.fields is None and self.international is None:
            raise ValueError("needs 'fields' or 'international': where the record's own numbers are")
        if self.fields is None and self.country is not None:
            raise ValueError("'country' is that of 'fields', which are missing")
        return self

    @property
    def source(self) -> str:
        """What messages call the fields."""
        expressions = [*([self.international] if self.international else []), *(self.fields or ())]
        named = ", ".join(expression.source for expression in expressions)
        return f"{self.within.source}: {named}" if self.within else named


def _no_field_but_exact(value: object) -> object:
    if isinstance(value, str) and value.strip().casefold() == "exact":
        raise ValueError("did you mean 'exact'?")
    return value


def _kind_of_match(value: object) -> str:
    return "exact" if value == "exact" else "fields"


def _kind_of_entry(value: object) -> str:
    return "described" if isinstance(value, (dict, PhoneFields)) else "named"


Entry = Annotated[
    Annotated[JmesPath, Tag("named")] | Annotated[PhoneFields, Tag("described")], Discriminator(_kind_of_entry)
]

Match = Annotated[
    Annotated[Literal["exact"], Tag("exact")]
    | Annotated[
        list[Entry],
        Field(min_length=1),
        OneOrMore(),
        BeforeValidator(_no_field_but_exact),
        Tag("fields"),
    ],
    Discriminator(_kind_of_match),
]
"""The setting `match` of a step."""
