"""The rest connector's only door to the network: requests with a total deadline and a total size.

`send` returns an answer, whatever its status, or raises a SourceError; no other exception leaves this room. A Session
of requests would read redirects' bodies without a limit, keep cookies between calls and take credentials from ~/.netrc.
"""

import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from requests.structures import CaseInsensitiveDict
from urllib3 import BaseHTTPResponse

from bridge.sdk.connector import ConnectorConfig
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http.address import Origin, origin, redirected
from bridge.sdk.http.body import ACCEPTED, uncompressed
from bridge.sdk.http.certificates import Certificates
from bridge.sdk.http.connections import Pools, set_by, tls_context
from bridge.sdk.http.environment import ProxyChoice, proxy_choice
from bridge.sdk.http.errors import LIBRARY_ERRORS, explain
from bridge.sdk.http.exchange import Exchange
from bridge.sdk.http.messages import Request, Response, refuse_failure, retry_after
from bridge.sdk.http.rate_limit import RateLimit, RateSetting
from bridge.sdk.resolver import Resolver
from bridge.sdk.settings import LocalPath, Size, Switch
from bridge.sdk.threads.lane import Lane

__all__ = ["HttpClient", "HttpSettings", "Request", "Response", "Tls", "refuse_failure", "retry_after"]

log = logging.getLogger(__name__)

_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_COOKIE = re.compile(r"[\x21-\x3a\x3c-\x7e]*")
_BAD_REQUEST = 400
_WANTS_TLS = re.compile(
    rb"plain HTTP (?:request was sent )?to (?:an? )?(?:HTTPS|SSL)|HTTP request to an HTTPS server", re.IGNORECASE
)
"""What servers answer to HTTP at a port with TLS: nginx, Apache, and those that are written in Go, such as Caddy."""

_FRAMING = {"content-length", "transfer-encoding", "connection"}
_HEAD_SIZE = 256 * 1024
_HEAD_TOO_LARGE = f"more than {_HEAD_SIZE // 1024} kB came ahead of the answer: headers without end, or 100 Continue"
_BLOCK = 16 * 1024


class Tls(BaseModel):
    """Whom to trust when a source is asked over https."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    ca_file: LocalPath | None = Field(
        default=None, description="Certificates (PEM) of the authorities to trust instead of the usual ones."
    )
    verify: Switch = Field(
        default=True, description="False accepts any certificate: whoever sits in between reads and forges answers."
    )


class HttpSettings(ConnectorConfig):
    """The settings of a connector that asks over HTTP; `address_key` is the one that holds the source's address."""

    address_key: ClassVar[str] = "base_url"

    tls: Tls = Field(default=Tls(), description="Whom to trust when the CRM is asked over https: ca_file, verify.")
    max_response_size: Size = Field(
        default=2_000_000, description="The largest answer that is read, before and after it is uncompressed."
    )
    max_rate: RateSetting | None = Field(
        default=None, description="The most requests that the source allows, such as 4/s or 100/m."
    )
    max_redirects: int = Field(
        default=3, ge=0, le=10, description="How many redirects are followed, within the same host only."
    )


class HttpClient:
    """Sends requests from many threads at once over connections that are kept open in between.

    Proxies are taken from the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). Nothing is kept from one request for
    the next but the connection.
    """

    def __init__(self, settings: HttpSettings, resolver: Resolver | None = None) -> None:
        self._settings = settings
        self._resolver = resolver or Resolver()
        self._lock = threading.Lock()
        self._pools: dict[tuple[bool, str], Pools] = {}
        self._proxies: dict[Origin, ProxyChoice] = {}
        self._closed = threading.Event()
        self._certificates = Certificates()
        self.lane = Lane()
        """Where what comes is worked on: what its users make of answers belongs there, too."""
        self._rate = RateLimit(settings.max_rate, sleep=self._closed.wait) if settings.max_rate else None
        # urllib3 logs whole paths, which may hold keys; what matters of them is in our own errors.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)

    def send(self, request: Request, deadline: Deadline, *, in_background: bool = False) -> Response:
        """Return the answer, whatever its status; redirects within the same host are followed.

        With `max_rate`, what is read in the background waits for its turn, and leaves half of them to calls.
        Raises SourceUnavailable (network, TLS, time-out) and UnexpectedAnswer (too large, not HTTP, a redirect to
        elsewhere, a request that cannot be written), SourceRejected only if `tls.ca_file` cannot be used.
        """
        cookies: dict[str, str] = {}
        redirects: list[str] = []
        for _ in range(self._settings.max_redirects + 1):
            if self._rate is not None:
                (self._rate.take_in_background if in_background else self._rate.take)(deadline)
            response = self._ask(request, deadline)
            cookies.update(response.cookies)
            following = redirected(request, response, self._settings.address_key)
            if following is None:
                return replace(response, cookies=cookies, redirects=tuple(redirects)) if redirects else response
            request = following
            redirects.append(request.url)
        raise UnexpectedAnswer(f"{response.host} redirects more than {self._settings.max_redirects} times")

    def prepare(self, url: str) -> None:
        """Do ahead of the first request what takes a while. Raises SourceRejected if `tls.ca_file` cannot be used."""
        if _scheme(url) == "https":
            self._pools_for(with_tls=True)

    def warn(self) -> None:
        """Say in the log what is dangerous about the settings."""
        if not self._settings.tls.verify:
            log.warning("tls.verify is false: certificates are not checked, anybody in between can read and forge")

    def close(self) -> None:
        """Close the connections that are kept open, and let nobody wait for a turn any longer."""
        self._closed.set()
        self._certificates.forget()
        with self._lock:
            for pools in self._pools.values():
                pools.close()

    def _ask(self, request: Request, deadline: Deadline) -> Response:
        """Ask, and once more over a new connection if a kept one turned out to be dead before any answer came."""
        begun = partial(
            Exchange,
            deadline,
            _HEAD_SIZE,
            self._resolver,
            excess=_HEAD_TOO_LARGE,
            certificates=self._certificates,
        )
        exchange = begun(fresh=request.once)
        try:
            return self._exchange(request, exchange)
        except SourceUnavailable:
            if exchange.opened or exchange.received or deadline.expired():
                raise
        return self._exchange(request, begun(fresh=True))

    def _exchange(self, request: Request, exchange: Exchange) -> Response:
        place = origin(request.url)
        proxy = self._proxy_to(place)
        try:
            pools = self._pools_for(with_tls="https" in {place.scheme, _scheme(proxy.address)}, proxy=proxy.address)
            with self.lane.turn(exchange.deadline), exchange.under_way():
                answer = pools.send(request, _headers(request), exchange.seconds())
                try:
                    return self._read(request, answer, exchange, f"{place.host}{proxy.through}")
                finally:
                    answer.close()
        except LIBRARY_ERRORS as error:
            problem = explain(error, place, proxy, silent=not exchange.received)
        raise problem  # outside of the handler, so that the library's words do not hang on to it

    def _proxy_to(self, place: Origin) -> ProxyChoice:
        """Return what the environment says about proxies for this place: looked up once, for it takes a while."""
        if place not in self._proxies:
            self._proxies[place] = proxy_choice(f"{place.scheme}://{place.host}/")
        return self._proxies[place]

    def _read(self, request: Request, answer: BaseHTTPResponse, exchange: Exchange, host: str) -> Response:
        limit = self._settings.max_response_size
        if answer.status < 200 or answer.status > 599:  # noqa: PLR2004 - RFC 9110, section 15
            raise UnexpectedAnswer(f"{host} answered with the status {answer.status}, which is none")
        body = bytearray()
        exchange.expect(_BLOCK)
        while block := answer.read(_BLOCK, decode_content=False):
            body += block
            if len(body) > limit:
                raise UnexpectedAnswer(f"{host} answered more than max_response_size ({limit} bytes)")
            exchange.expect(len(body) + _BLOCK)
        whole = uncompressed(bytes(body), answer.headers.get("Content-Encoding", ""), limit)
        if answer.status == _BAD_REQUEST and _scheme(request.url) == "http" and _WANTS_TLS.search(whole):
            raise UnexpectedAnswer(f"{host} speaks TLS at this port: write https:// instead of http://")
        return Response(answer.status, CaseInsensitiveDict(answer.headers), set_by(answer, request), whole, host)

    def _pools_for(self, *, with_tls: bool, proxy: str = "") -> Pools:
        """Return the pools of connections; those without TLS need no certificates, which take a while to read."""
        tls = self._settings.tls
        with self._lock:
            if (with_tls, proxy) not in self._pools:
                try:
                    context = tls_context(tls.ca_file, tls.verify) if with_tls else None
                except OSError as error:
                    why = error.strerror or "it holds no certificate in PEM form"
                    raise SourceRejected(f"tls.ca_file cannot be used: {why}") from None
                self._pools[with_tls, proxy] = Pools(context, self._settings.max_in_flight, proxy)
            return self._pools[with_tls, proxy]


def _scheme(url: str) -> str:
    return url.partition(":")[0].lower()


def _headers(request: Request) -> Mapping[str, str]:
    """Return all headers to send. Raises UnexpectedAnswer if one cannot be written without changing the request."""
    headers = CaseInsensitiveDict({"User-Agent": "omi-bridge", "Accept": "application/json"})
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise UnexpectedAnswer(f"a header named {name[:40]!r} cannot be sent")
        if not _HEADER_VALUE.fullmatch(value):
            raise UnexpectedAnswer(f"the value of the header {name} holds a character that no header can carry")
        headers[name] = value.strip(" \t")
    if request.cookies:
        if not all(_HEADER_NAME.fullmatch(n) and _COOKIE.fullmatch(v) for n, v in request.cookies.items()):
            raise UnexpectedAnswer("a cookie holds a character that no cookie can carry")
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in request.cookies.items())
    headers["Accept-Encoding"] = ACCEPTED
    headers["Connection"] = "close" if request.once else "keep-alive"
    return headers
