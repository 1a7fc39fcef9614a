"""The CRM's users, as the configuration says how to list them; only whoever is in the list can own a customer.

Such a list makes a call one request: what the steps find is an id, and the list knows the e-mail behind it and whether
its bearer is still there.
"""

from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, model_validator

from bridge.sdk import Duration, did_you_mean, located
from connectors.rest.config.request_settings import OWNER_FIELDS, RequestSettings
from connectors.rest.templates.scope import known_names, names_of


class Users(RequestSettings):
    """A request for all users, made ahead of any call and again and again in the background."""

    refresh: Duration = Field(default=900.0, description="How often the list is read again.")
    timeout: Duration = Field(default=60.0, description="How long one reading of the whole list may take.")

    @model_validator(mode="wrap")
    @classmethod
    def _without_a_call(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        if isinstance(data, dict) and "match" in data:
            raise located(("match",), "the list is read without a caller, whose number it could hold: leave it out")
        with known_names(names_of("settings", "secrets", "login") | {"page"}):
            return handler(data)

    @model_validator(mode="after")
    def _names_owners(self) -> Self:
        if "owner_id" not in self.take:
            place = ("take",) if self.take else ()
            raise located(place, "needs owner_id: where a user's id is, as the steps' owner_id has it")
        for name in self.take:
            if name not in OWNER_FIELDS:
                guess = did_you_mean(name, OWNER_FIELDS) or f"; an owner has {', '.join(OWNER_FIELDS)}"
                raise located(("take", name), f"nothing uses {name!r}{guess}")
        return self
