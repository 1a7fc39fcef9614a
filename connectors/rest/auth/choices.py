"""How the rest connector proves who it is: the choices under `auth:`."""

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from bridge.sdk import Clock, Deadline
from bridge.sdk.http import Request
from bridge.sdk.http.credentials import BasicAuth, BearerAuth, FixedAuth, HeaderAuth, NoAuth, QueryAuth, signed
from connectors.rest.auth.authentication import Authentication, Sender
from connectors.rest.auth.login import Login
from connectors.rest.auth.login_session import LoginAuthentication
from connectors.rest.auth.oauth import ClientCredentials, OAuthAuthentication, RefreshToken

__all__ = ["Auth", "Authentication", "NoAuth", "authentication"]

_NO_NAMES: Mapping[str, object] = MappingProxyType({})


Auth = Annotated[
    NoAuth | BasicAuth | BearerAuth | HeaderAuth | QueryAuth | ClientCredentials | RefreshToken | Login,
    Field(discriminator="type"),
]
"""The setting `auth:`; its `type` says which of them it is."""


class _Unchanging(Authentication):
    """Credentials that stand in the configuration and never change."""

    def __init__(self, settings: FixedAuth) -> None:
        self._settings = settings

    def apply(self, request: Request, deadline: Deadline) -> Request:  # noqa: ARG002 - nothing to wait for
        return signed(request, self._settings)

    def secrets(self) -> Iterable[str]:
        """Return the forms in which the credentials are sent, such as name and password in base64."""
        sent = signed(Request("GET", ""), self._settings)
        return [*sent.headers.values(), *(value for _, value in sent.query)]


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
    return _Unchanging(settings)
