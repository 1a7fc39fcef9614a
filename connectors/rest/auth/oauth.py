"""Access tokens by OAuth 2.0: client credentials and refresh tokens (RFC 6749, sections 4.4 and 6).

Only the answers that RFC 6749, section 5.2, lists mean that somebody has to act. A token server that answers 500, 429
or an HTML page is out of order, and is asked again later.
"""

import base64
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote_plus, urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bridge.sdk import (
    AccessToken,
    Beginning,
    Clock,
    Credential,
    Deadline,
    Duration,
    LocalPath,
    Prefix,
    Redaction,
    Shared,
    SourceError,
    SourceRejected,
    SourceUnavailable,
    Text,
    TokenSupply,
    UnexpectedAnswer,
    Written,
)
from bridge.sdk.http import Request, Response, retry_after
from bridge.sdk.http.address import origin
from bridge.sdk.http.credentials import with_header
from connectors.rest.auth.authentication import Authentication, Sender
from connectors.rest.auth.token_file import BEGINS, RefreshTokenStore
from connectors.rest.mapping.error_words import refuse_busy, words
from connectors.rest.mapping.expression import JmesPath

_SIGN_IN_ANEW = "the refresh token is not valid any more: sign in to the CRM and put a new one under refresh_token"
_ADVICE = {
    "invalid_grant": _SIGN_IN_ANEW,
    "invalid_code": _SIGN_IN_ANEW,  # Zoho, with status 200
    "invalid_client": "client_id or client_secret is not right",
    "unauthorized_client": "this client may not ask for tokens in this way: allow it in the CRM's settings",
    "unsupported_grant_type": "the server does not issue tokens in this way: choose another auth.type",
    "invalid_scope": "the scope is not granted to this client",
    "invalid_request": "the request lacks something: compare params and client_auth, under auth, with the CRM's manual",
}
_CODE = re.compile(r"(?=.{1,40}$)[a-z]+(_[a-z]+)+")
"""What a code of RFC 6749 looks like, those that servers add to it too: nothing that could be a secret."""


def _complete(url: str) -> str:
    try:
        origin(url)
    except UnexpectedAnswer:
        raise ValueError("not an address: write https://HOST/PATH") from None
    return url


class OAuth(BaseModel):
    """What both ways of getting an access token need."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    token_url: Annotated[str, AfterValidator(_complete)] = Field(description="Where tokens are issued.")
    client_id: Text = Field(description="Name of the client, as registered in the CRM.")
    client_secret: Credential | None = Field(default=None, description="The client's secret.")
    client_auth: Literal["body", "basic"] = Field(
        default="body", description="Whether the client's name and secret go in the form or as basic authentication."
    )
    scope: Text | None = Field(default=None, description="What the token shall be good for.")
    params: dict[str, str] = Field(default={}, description="Further form fields that the CRM asks for.")
    prefix: Prefix = Field(
        default="Bearer", description="Word before the token in the Authorization header; may be ''."
    )
    lifetime: Duration = Field(default=3600.0, description="How long a token lasts if the answer does not say it.")
    busy_when: JmesPath | None = Field(
        default=None,
        description="Holds on an answer, whatever its status, if asking again later may work (JMESPath).",
    )
    error_message: JmesPath | None = Field(
        default="error_description",  # RFC 6749, section 5.2
        validate_default=True,
        description="Finds the token server's own words in an answer that is an error (JMESPath).",
    )
    timeout: Duration = Field(default=10.0, description="How long getting a token may take.")


class ClientCredentials(OAuth):
    """The bridge signs in under its own name."""

    type: Literal["oauth2_client_credentials"] = Field(description="OAuth 2.0 in the bridge's own name.")


class RefreshToken(OAuth):
    """The bridge acts for a user, who has once allowed it."""

    type: Literal["oauth2_refresh_token"] = Field(description="OAuth 2.0 in the name of a user.")
    refresh_token: Credential = Field(description="The first refresh token.")
    token_file: Annotated[
        LocalPath | None, Written(Beginning(BEGINS), beside=(".lock",), shared_by="refresh_token")
    ] = Field(default=None, description="Where to keep the newest refresh token if the CRM replaces it at each use.")


class OAuthAuthentication(Authentication):
    """Sends an access token in the Authorization header and keeps it fresh."""

    def __init__(
        self,
        settings: ClientCredentials | RefreshToken,
        client: Sender,
        clock: Clock = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._wall_clock = wall_clock
        self._refresh: RefreshTokenStore | None = None
        if isinstance(settings, RefreshToken):
            self._refresh = RefreshTokenStore(settings.refresh_token.get_secret_value(), settings.token_file)
        self._supply = TokenSupply(self._fetch, settings.timeout, clock, self._learn if self._refresh else None)

    def share(self, shared: Shared) -> None:
        """Use the tokens of other instances, too."""
        self._supply.share(shared)
        if self._refresh:
            self._refresh.share(shared)

    def apply(self, request: Request, deadline: Deadline) -> Request:
        """Add the access token."""
        token = self._supply.get(deadline)
        value = f"{self._settings.prefix} {token.values['access_token']}".strip()
        return with_header(request, "Authorization", value).signed(token)

    def expired(self, response: Response) -> bool:
        """Tell whether the access token was refused (RFC 6750, section 3.1)."""
        return response.status == 401  # noqa: PLR2004 - Unauthorized

    def renew(self, used: Request, deadline: Deadline) -> bool:  # noqa: ARG002 - part of the interface
        """Forget the access token that was refused."""
        return self._supply.refuse(used.signed_with)

    def secrets(self) -> Iterable[str]:
        """Return the live tokens."""
        token = self._supply.current
        return [
            *([str(token.values["access_token"])] if token else []),
            *([self._refresh.token] if self._refresh else []),
        ]

    @property
    def trouble(self) -> str:
        """Why the refresh token cannot be kept, or nothing."""
        return self._refresh.trouble if self._refresh else ""

    def close(self) -> None:
        """Begin no further renewals."""
        self._supply.close()
        if self._refresh:
            self._refresh.close()

    def _fetch(self, deadline: Deadline) -> AccessToken:
        if self._refresh is None:
            return self._ask({"grant_type": "client_credentials"}, deadline)[0]
        with self._refresh.renewing(deadline) as refresh_token:
            fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
            token, replaced_by = self._ask(fields, deadline)
            if replaced_by and replaced_by != refresh_token:
                self._refresh.replace(replaced_by)
            known = {"refresh_token": self._refresh.token, "serial": self._refresh.serial}
            return replace(token, values={**token.values, **known})

    def _learn(self, token: AccessToken) -> None:
        """Keep the refresh token that came with another instance's access token: the one we know may be spent."""
        refresh_token, serial = token.values.get("refresh_token"), token.values.get("serial")
        if self._refresh and isinstance(refresh_token, str) and isinstance(serial, int):
            self._refresh.take_over(refresh_token, serial)

    def _ask(self, fields: Mapping[str, str], deadline: Deadline) -> tuple[AccessToken, str | None]:
        asked_at = self._clock()
        answer = self._answer(self._client.send(self._request(fields), deadline), fields)
        access_token, refresh_token = answer.get("access_token"), answer.get("refresh_token")
        if not (
            isinstance(access_token, str) and access_token and access_token.isascii() and access_token.isprintable()
        ):
            raise UnexpectedAnswer("the token server's answer holds no access_token")
        lifetime = _seconds(answer.get("expires_in")) or self._settings.lifetime
        token = AccessToken({"access_token": access_token}, asked_at, lifetime)
        return token, refresh_token if isinstance(refresh_token, str) else None

    def _answer(self, response: Response, fields: Mapping[str, str]) -> dict[str, Any]:
        """Return what the token server said; an error is told in its own words, without what was sent."""
        settings, read = self._settings, partial(response.json, broken_values=True)
        try:
            refuse_busy(settings.busy_when, response, read)
            return _answer(response, self._wall_clock)
        except SourceError as error:
            secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
            hidden = Redaction([secret, *(fields[name] for name in fields if name != "grant_type")])
            error.args = (f"{error}{words(settings.error_message, read, hidden)}",)
            raise

    def _request(self, fields: Mapping[str, str]) -> Request:
        settings = self._settings
        form = {**fields, **({"scope": settings.scope} if settings.scope else {}), **settings.params}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
        if settings.client_auth == "basic":
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"  # RFC 6749, section 2.3.1
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": settings.client_id, **({"client_secret": secret} if secret else {})}
        return Request("POST", settings.token_url, headers=headers, body=urlencode(form).encode(), once=True)


def _answer(response: Response, wall_clock: Callable[[], float]) -> dict[str, Any]:
    """Return the fields of a token server's answer. Raises SourceRejected only if somebody has to act."""
    server, status = f"the token server {response.host}", response.status
    try:
        data, without = response.json(broken_values=True), "without a token"
    except UnexpectedAnswer:
        data, without = None, "without JSON: is its address right?"
    error = data.get("error") if isinstance(data, dict) else None
    code = error if isinstance(error, str) and _CODE.fullmatch(error) else ""
    told = f" ({code})" if code else ""
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - RFC 9110, section 15.6
        raise SourceUnavailable(
            f"{server} answered {status}{told}", retry_after=retry_after(response.headers, wall_clock)
        )
    if advice := _ADVICE.get("invalid_client" if code.startswith("invalid_client") else code):
        raise SourceRejected(f"{server} answered {code}: {advice}")
    if not isinstance(data, dict) or error or status not in range(200, 300):
        raise SourceUnavailable(f"{server} answered {status} {without}{told}")
    return data


def _seconds(value: object) -> float | None:
    """Return `expires_in`, which some servers send as a text; None if it is not usable."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < float("inf") else None
