"""Signing in with a request of the configuration's own, which yields a session: values, cookies or both."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from bridge.deadline import Clock, Deadline
from bridge.errors import SourceRejected, UnexpectedAnswer
from bridge.settings import Duration, Switch
from bridge.shared import Shared
from connectors.authentication import Authentication, with_header, with_query
from connectors.http import HttpClient, Request, Response, refuse_failure
from connectors.mapping import JmesPath, is_nothing
from connectors.request_template import HeaderName, ParameterTemplate, RequestTemplate, header_text
from connectors.template import TextTemplate, known_names, scope
from connectors.tokens import Token, TokenSupply

_REFUSED = range(300, 500)
_MEANS_MORE = {401, 403, 407, 408, 425, 429}
_SENT_ELSEWHERE = {302, 303}


class LoginRequest(RequestTemplate):
    """The request that signs in; its templates know `settings` and `secrets`, for there is no call yet."""

    @model_validator(mode="wrap")
    @classmethod
    def _without_a_call(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        with known_names(_of("settings", "secrets")):
            return handler(data)


class Login(BaseModel):
    """A request that signs in, what to take from its answer, and how to use that in every other request."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    type: Literal["login"] = Field(description="A request that signs in.")
    request: LoginRequest = Field(description="The request that signs in, written like a step's.")
    take: dict[Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")], JmesPath] = Field(
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
        with known_names(_of("settings", "secrets", "login")):
            return handler(data)

    @model_validator(mode="after")
    def _yields_something(self) -> Self:
        if not self.take and not self.cookies:
            raise ValueError("a login yields something: write 'take', or 'cookies: true'")
        return self


def _of(*groups: str) -> set[str]:
    return {name for name in scope() if name.split(".")[0] in groups}


class LoginAuthentication(Authentication):
    """Signs in when needed and puts the session into every request."""

    def __init__(
        self,
        settings: Login,
        client: HttpClient,
        base_url: str,
        names: Mapping[str, object],
        clock: Clock = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._client = client
        self._base_url = base_url
        self._names = names
        self._clock = clock
        self._wall_clock = wall_clock
        self._supply = TokenSupply(self._fetch, settings.timeout, clock)

    def share(self, shared: Shared) -> None:
        """Use the sessions of other instances, too."""
        self._supply.share(shared)

    def apply(self, request: Request, deadline: Deadline) -> Request:
        """Add the session's headers, parameters and cookies."""
        token = self._supply.get(deadline)
        names = {**self._names, "login": token.values}
        for name, template in self._settings.headers.items():
            request = with_header(request, name, header_text(name, template.render(names)))
        for name, parameter in self._settings.query.items():
            request = with_query(request, name, parameter.texts(names))
        return replace(request, cookies={**request.cookies, **token.cookies}).signed(token)

    def names(self, deadline: Deadline) -> Mapping[str, object]:
        """Return what the login yielded."""
        return self._supply.get(deadline).values

    def expired(self, response: Response) -> bool:
        """Tell whether the answer has a status, or holds what means that the session has ended."""
        if response.status in self._settings.expired_status:
            return True
        if self._settings.expired_when is None:
            return False
        try:
            return self._settings.expired_when.holds(response.json())
        except UnexpectedAnswer:
            return False

    def renew(self, used: Request, deadline: Deadline) -> bool:  # noqa: ARG002 - part of the interface
        """Forget the session that has ended."""
        return self._supply.refuse(used.signed_with)

    def secrets(self) -> Iterable[str]:
        """Return the texts of the live session."""
        token = self._supply.current
        return (
            [text for text in (*token.values.values(), *token.cookies.values()) if isinstance(text, str)]
            if token
            else []
        )

    def close(self) -> None:
        """Begin no further logins."""
        self._supply.close()

    def _fetch(self, deadline: Deadline) -> Token:
        asked_at = self._clock()
        request = replace(self._settings.request.build(self._base_url, self._names), once=True)
        response = self._client.send(request, deadline)
        # a form for people answers a good login by sending the browser on
        allowed = _SENT_ELSEWHERE if self._settings.cookies else set[int]()
        if response.status in _REFUSED and response.status not in _MEANS_MORE | allowed:
            raise SourceRejected(f"the login at {response.host} answered {response.status}")
        refuse_failure(response, allowed, self._wall_clock)
        cookies = response.cookies if self._settings.cookies else {}
        if self._settings.cookies and not cookies:
            raise SourceRejected(f"the login at {response.host} set no cookie: are name and password right?")
        return Token(self._taken(response), asked_at, self._settings.lifetime, cookies)

    def _taken(self, response: Response) -> dict[str, object]:
        data = response.json() if self._settings.take else None
        values = {name: expression.search(data) for name, expression in self._settings.take.items()}
        for name, value in values.items():
            if is_nothing(value):
                raise SourceRejected(f"the login at {response.host} yielded no {name}: are name and password right?")
        return values
