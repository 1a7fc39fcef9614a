"""Signing in with a request of the configuration's own, which yields a session: values, cookies or both.

`login_session.py` does it; here is what can be written.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from bridge.sdk import Duration, Switch, located
from bridge.sdk.http.credentials import HeaderName
from connectors.rest.mapping.expression import JmesPath
from connectors.rest.templates.request import ParameterTemplate, RequestTemplate
from connectors.rest.templates.scope import group_of, keys_of, known_names, names_of, scope
from connectors.rest.templates.template import TextTemplate

_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"


class SignIn(RequestTemplate):
    """A request of the sign-in, and how its answer tells an error."""

    error_when: JmesPath | None = Field(
        default=None, description="Holds on the answer if it is an error in spite of its status (JMESPath)."
    )
    busy_when: JmesPath | None = Field(
        default=None,
        description="Holds on the answer, whatever its status, if asking again later may work (JMESPath).",
    )
    error_message: JmesPath | None = Field(
        default=None, description="Finds the CRM's own words in an answer that is an error (JMESPath)."
    )


class LoginRequest(SignIn):
    """The request that signs in; its templates know `settings`, `secrets` and `challenge`, for there is no call yet."""

    @model_validator(mode="wrap")
    @classmethod
    def _without_a_call(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        outer, known = scope(), names_of("settings", "secrets", "challenge")
        outer -= names_of("challenge")
        with known_names(known):
            return handler(data)


class Challenge(SignIn):
    """The request before the one that signs in; its templates know `settings` and `secrets`."""

    take: dict[Annotated[str, Field(pattern=_NAME)], JmesPath] = Field(
        default={},
        description="Names and where their values are in the answer (JMESPath); then {{ challenge.NAME }} in the "
        "request that signs in.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _without_a_call(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        outer, known = scope(), names_of("settings", "secrets")
        try:
            with known_names(known):
                return handler(data)
        finally:
            # known to the request that is validated next, and to nothing behind it
            outer |= group_of("challenge", keys_of(data.get("take")) if isinstance(data, Mapping) else set())

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if not self.take:
            raise ValueError("needs 'take': what the request that signs in uses of the answer")
        return self


class Login(BaseModel):
    """A request that signs in, what to take from its answer, and how to use that in every other request."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    type: Literal["login"] = Field(description="A request that signs in.")
    challenge: Challenge | None = Field(
        default=None, description="A request ahead of it, whose answer the request that signs in needs."
    )
    request: LoginRequest = Field(description="The request that signs in, written like a step's.")
    take: dict[Annotated[str, Field(pattern=_NAME)], JmesPath] = Field(
        default={}, description="Names and where their values are in the answer (JMESPath); then {{ login.NAME }}."
    )
    cookies: Switch = Field(default=False, description="Whether to send the cookies that the login sets.")
    headers: dict[HeaderName, TextTemplate] = Field(
        default={}, description="Headers of every other request, templates, with {{ login.NAME }}."
    )
    query: dict[str, ParameterTemplate] = Field(
        default={}, description="Parameters of every other request, templates, with {{ login.NAME }}."
    )
    lifetime: Duration | None = Field(
        default=None, description="How long a session lasts: it is renewed ahead. Without it, when it is refused."
    )
    expired_status: list[int] = Field(default=[401], description="Statuses that mean: sign in again.")
    expired_when: JmesPath | None = Field(
        default=None, description="Holds on an answer that means: sign in again (JMESPath)."
    )
    timeout: Duration = Field(default=10.0, description="How long signing in may take.")

    @model_validator(mode="wrap")
    @classmethod
    def _without_a_call(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        with known_names(names_of("settings", "secrets", "login")):
            return handler(data)

    @model_validator(mode="after")
    def _answers_the_challenge(self) -> Self:
        for name in self.challenge.take if self.challenge else ():
            if f"challenge.{name}" not in self.request.names:
                raise located(("challenge", "take", name), f"the request does not use {{{{ challenge.{name} }}}}")
        return self

    @model_validator(mode="after")
    def _yields_something(self) -> Self:
        if not self.take and not self.cookies:
            raise ValueError("a login yields something: write 'take', or 'cookies: true'")
        return self
