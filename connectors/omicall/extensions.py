"""Extensions from OMICall itself: its list of internal phones says whose extension is whose.

Signing in with the API key brings a token of 24 hours (https://api.omicall.com/omicall-api/authentication), the list
comes in pages. OMICall answers 200 to everything; what it means stands in `status_code`.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from bridge.sdk import (
    KEPT_LIST_BEGINS,
    AccessToken,
    Beginning,
    Clock,
    Credential,
    Deadline,
    ExtensionEntry,
    ExtensionSource,
    ExtensionSourceConfig,
    LocalPath,
    Redaction,
    SourceError,
    SourceRejected,
    TokenSupply,
    UnexpectedAnswer,
    Written,
    state_file,
)
from bridge.sdk.http import HttpClient, HttpSettings, Request, Response, Tls
from bridge.sdk.http.address import origin
from connectors.omicall.answers import InternalPhone, has_more, payload_of, phones_in, refused_list, refused_sign_in

_SIGN_IN = "/api/auth"
_LIST = "/api/call_center/internal_phone/list"
_PAGE_SIZE = 50
_MOST_PAGES = 300
_LIFE_OF_A_TOKEN = 24 * 3600.0
_SIGN_IN_TIMEOUT = 20.0


def _address(url: str) -> str:
    try:
        origin(url)
    except UnexpectedAnswer:
        raise ValueError("not an address: write https://HOST") from None
    if "?" in url:
        raise ValueError("an address without a query: write https://HOST")
    return url.rstrip("/")


class OmicallConfig(ExtensionSourceConfig):
    """The settings of the source of extensions `omicall`."""

    api_key: Credential = Field(description="Key of OMICall's public API.")
    url: Annotated[str, AfterValidator(_address)] = Field(
        default="https://public-v1-stg.omicall.com", description="Address of OMICall's public API."
    )
    keep: Annotated[LocalPath | None, Written(Beginning(KEPT_LIST_BEGINS))] = Field(
        default_factory=lambda: state_file("omicall-extensions.json"),
        validate_default=True,
        description="A file with the last good list, for a start while OMICall is away; null for none.",
    )
    tls: Tls = Field(default=Tls(), description="Whom to trust when OMICall is asked: ca_file, verify.")


class _OmicallHttp(HttpSettings):
    address_key: ClassVar[str] = "url"


class OmicallExtensions(ExtensionSource[OmicallConfig]):
    """Reads the internal phones of an account: e-mail, agent id and full name lead to the extension."""

    Config = OmicallConfig
    of_the_pbx = True

    def __init__(self, config: OmicallConfig, *, clock: Clock = time.monotonic) -> None:
        super().__init__(config)
        self._clock = clock
        self._client = HttpClient(_OmicallHttp(tls=config.tls))
        self._tokens = TokenSupply(self._fetch_token, _SIGN_IN_TIMEOUT, clock)

    def read(self, deadline: Deadline) -> Sequence[ExtensionEntry]:
        """Return whoever has an internal phone, from all pages."""
        return [_entry(phone) for phone in self._phones(deadline)]

    def close(self) -> None:
        """Sign in no more, and close the connections."""
        self._tokens.close()
        self._client.close()

    def _phones(self, deadline: Deadline) -> Iterator[InternalPhone]:
        for page in range(1, _MOST_PAGES + 1):
            phones, more = self._page(page, deadline)
            yield from phones
            if not more:
                return
        raise UnexpectedAnswer(f"OMICall's list of internal phones has more than {_MOST_PAGES} pages")

    def _page(self, page: int, deadline: Deadline) -> tuple[list[InternalPhone], bool]:
        """Read a page; if OMICall refuses, with a new token, for the one that was used may have been called back."""
        token = self._tokens.get(deadline)
        try:
            return self._ask_for(page, token, deadline)
        except SourceRejected:
            if not self._tokens.refuse(token):
                raise
        return self._ask_for(page, self._tokens.get(deadline), deadline)

    def _ask_for(self, page: int, token: AccessToken, deadline: Deadline) -> tuple[list[InternalPhone], bool]:
        access_token = str(token.values["access_token"])
        headers = {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"}
        response = self._get(_LIST, {"page": str(page), "size": str(_PAGE_SIZE)}, headers, deadline)
        payload = payload_of(response, refused_list)
        return phones_in(payload, response.host), has_more(payload, page, _PAGE_SIZE)

    def _fetch_token(self, deadline: Deadline) -> AccessToken:
        try:
            return self._sign_in(deadline)
        except SourceError as error:
            # The supply keeps the error, and with its traceback it would keep the answer, whatever that holds.
            raise error.with_traceback(None) from None

    def _sign_in(self, deadline: Deadline) -> AccessToken:
        asked_at = self._clock()
        response = self._get(_SIGN_IN, {"apiKey": self.config.api_key.get_secret_value()}, {}, deadline)
        mask = Redaction([self.config.api_key.get_secret_value()])
        token = payload_of(response, lambda data: refused_sign_in(data, mask)).get("access_token")
        if not (isinstance(token, str) and token.isascii() and token.isprintable() and token):
            raise UnexpectedAnswer(f"{response.host} answered the sign-in without a token")
        return AccessToken({"access_token": token}, asked_at, _LIFE_OF_A_TOKEN)

    def _get(self, path: str, query: dict[str, str], headers: dict[str, str], deadline: Deadline) -> Response:
        request = Request("GET", f"{self.config.url}{path}", query=tuple(query.items()), headers=headers)
        return self._client.send(request, deadline)


def _entry(phone: InternalPhone) -> ExtensionEntry:
    ids, emails, names = ((text,) if text else () for text in (phone.agent_id, phone.email, phone.name))
    return ExtensionEntry(ids=ids, emails=emails, names=names, extensions=(phone.extension,))
