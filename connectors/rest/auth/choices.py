"""How the rest connector proves who it is: the choices under `auth:`, and the simple ones among them."""

import base64
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.sdk import REPEATED, Clock, Credential, Deadline, HeaderCredential, Password, Prefix, Text, located, repeats
from bridge.sdk.http import Request
from connectors.rest.auth.authentication import Authentication, Sender, with_header, with_query
from connectors.rest.auth.login import Login
from connectors.rest.auth.login_session import LoginAuthentication
from connectors.rest.auth.oauth import ClientCredentials, OAuthAuthentication, RefreshToken
from connectors.rest.templates.request import HeaderName

__all__ = ["Auth", "Authentication", "NoAuth", "authentication"]

_NO_NAMES: Mapping[str, object] = MappingProxyType({})


class _Fixed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)


class NoAuth(_Fixed):
    """The source asks for no credentials."""

    type: Literal["none"] = Field(default="none", description="The CRM asks for no credentials.")


class BasicAuth(_Fixed):
    """Name and password (RFC 7617)."""

    type: Literal["basic"] = Field(description="Name and password.")
    username: Text = Field(description="Name of the user; some CRMs want the API key here.")
    password: Password = Field(description="The user's password; may be ''.")


class BearerAuth(_Fixed):
    """A token that does not change, in the Authorization header (RFC 6750)."""

    type: Literal["bearer"] = Field(description="A token that does not change.")
    token: HeaderCredential = Field(description="The token.")
    prefix: Prefix = Field(default="Bearer", description="Word before the token, such as 'Token'; may be ''.")

    @model_validator(mode="after")
    def _has_its_prefix_once(self) -> Self:
        if repeats(self.prefix, self.token):
            raise located(("token",), REPEATED)
        return self


class HeaderAuth(_Fixed):
    """A key in a header."""

    type: Literal["header"] = Field(description="A key in a header.")
    name: HeaderName = Field(description="The header's name, such as X-Api-Key.")
    value: HeaderCredential = Field(description="The key.")
    prefix: Prefix = Field(default="", description="Word before the key.")

    @model_validator(mode="after")
    def _has_its_prefix_once(self) -> Self:
        if repeats(self.prefix, self.value):
            raise located(("value",), REPEATED)
        return self


class QueryAuth(_Fixed):
    """A key in the query. Keys in addresses end up in the logs of servers: prefer a header if there is a choice."""

    type: Literal["query"] = Field(description="A key in the query.")
    name: Text = Field(description="The parameter's name, such as apiKey.")
    value: Credential = Field(description="The key.")


Auth = Annotated[
    NoAuth | BasicAuth | BearerAuth | HeaderAuth | QueryAuth | ClientCredentials | RefreshToken | Login,
    Field(discriminator="type"),
]
"""The setting `auth:`; its `type` says which of them it is."""


class _Unchanging(Authentication):
    """Credentials that stand in the configuration and never change."""

    def __init__(self, sign: Callable[[Request], Request]) -> None:
        self._sign = sign

    def apply(self, request: Request, deadline: Deadline) -> Request:  # noqa: ARG002 - nothing to wait for
        return self._sign(request)

    def secrets(self) -> Iterable[str]:
        """Return the forms in which the credentials are sent, such as name and password in base64."""
        signed = self._sign(Request("GET", ""))
        return [*signed.headers.values(), *(value for _, value in signed.query)]


def authentication(
    settings: Auth,
    client: Sender,
    base_url: str,
    clock: Clock = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
    *,
    names: Mapping[str, object] = _NO_NAMES,
) -> Authentication:
    """Return the authentication that is configured; no network yet.

    `names` are those of a login's templates: `settings` and `secrets`. `clock` decides about expiry, `wall_clock`
    only about dates in answers (Retry-After).
    """
    if isinstance(settings, (ClientCredentials, RefreshToken)):
        return OAuthAuthentication(settings, client, clock, wall_clock)
    if isinstance(settings, Login):
        return LoginAuthentication(settings, client, base_url, names, clock, wall_clock)
    return _Unchanging(_signer(settings))


def _signer(settings: NoAuth | BasicAuth | BearerAuth | HeaderAuth | QueryAuth) -> Callable[[Request], Request]:
    match settings:
        case BasicAuth():
            pair = f"{settings.username}:{settings.password.get_secret_value()}"
            value = "Basic " + base64.b64encode(pair.encode()).decode()
            return lambda request: with_header(request, "Authorization", value)
        case BearerAuth():
            bearer = f"{settings.prefix} {settings.token.get_secret_value()}".strip()
            return lambda request: with_header(request, "Authorization", bearer)
        case HeaderAuth():
            key = f"{settings.prefix} {settings.value.get_secret_value()}".strip()
            return lambda request: with_header(request, settings.name, key)
        case QueryAuth():
            return lambda request: with_query(request, settings.name, [settings.value.get_secret_value()])
        case NoAuth():
            return lambda request: request
