"""Credentials that stand in the configuration and never change, and how they are put into a request."""

import base64
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bridge.sdk.http.messages import Request
from bridge.sdk.secrets import REPEATED, Credential, HeaderCredential, Password, Prefix, repeats
from bridge.sdk.settings import Text, located

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = {"host", "content-length", "transfer-encoding", "connection"}


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError("not a header's name, which has letters without accents, digits and -, such as X-Api-Key")
    if name.lower() in _OURS:
        raise ValueError("this header is set by the bridge itself")
    return name


HeaderName = Annotated[str, AfterValidator(_header_name)]
"""The name of a header that may be set."""


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


FixedAuth = Annotated[NoAuth | BasicAuth | BearerAuth | HeaderAuth | QueryAuth, Field(discriminator="type")]
"""The setting `auth:` where nobody signs in; its `type` says which of them it is."""


def signed(request: Request, settings: FixedAuth) -> Request:
    """Return the request with these credentials."""
    match settings:
        case BasicAuth():
            pair = f"{settings.username}:{settings.password.get_secret_value()}"
            value = "Basic " + base64.b64encode(pair.encode()).decode()
            return with_header(request, "Authorization", value)
        case BearerAuth():
            bearer = f"{settings.prefix} {settings.token.get_secret_value()}".strip()
            return with_header(request, "Authorization", bearer)
        case HeaderAuth():
            key = f"{settings.prefix} {settings.value.get_secret_value()}".strip()
            return with_header(request, settings.name, key)
        case QueryAuth():
            return with_query(request, settings.name, [settings.value.get_secret_value()])
        case NoAuth():
            return request


def with_header(request: Request, name: str, value: str) -> Request:
    """Return the request with this header in place of any of that name."""
    others = {key: text for key, text in request.headers.items() if key.lower() != name.lower()}
    return replace(request, headers={**others, name: value})


def with_query(request: Request, name: str, values: Iterable[str]) -> Request:
    """Return the request with this parameter in place of any of that name."""
    others = tuple(pair for pair in request.query if pair[0] != name)
    return replace(request, query=(*others, *((name, value) for value in values)))
