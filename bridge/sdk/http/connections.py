"""How urllib3 is made to keep our limits: its connections use our sockets, its TLS is set up once.

Nothing here knows what is asked. urllib3 offers these places for subclasses (`ConnectionCls`,
`pool_classes_by_scheme`, `sslsocket_class`); no library code is replaced. Its pools are used without requests around
them: what that does for a request takes as long as all of the rest.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.exceptions import InvalidProxyURL
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_auth_from_url
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, make_headers
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from bridge.sdk.http import exchange
from bridge.sdk.http.address import full_url
from bridge.sdk.http.messages import Request

_HOSTS = 4
"""Of how many hosts connections are kept."""


class _Limited(HTTPConnection):
    """A connection to one host that is opened within the limits of the exchange under way."""

    def _new_conn(self) -> exchange.PlainSocket:
        exchange.current().opened = True
        return exchange.connect(self._dns_host.strip("[]"), self.port or self.default_port, self.socket_options or [])

    @property
    def is_connected(self) -> bool:
        """Tell whether the pool may use this connection once more.

        Not if something lies there to be read before we have asked anything: the end of the connection, or the rest of
        an earlier answer, which must never become the next one. With TLS that rest may be decrypted already.
        """
        waiting = getattr(self.sock, "pending", None)
        return not exchange.current().fresh and super().is_connected and not (waiting and waiting())


class _LimitedTls(_Limited, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Limited


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _LimitedTls

    def _validate_conn(self, conn: Any) -> None:  # noqa: ANN401 - urllib3's own signature
        """Connect. Unlike urllib3, warn of an unverified certificate at the start and not at each request."""
        if conn.is_closed:
            conn.connect()


_POOLS = {"http": _Pool, "https": _TlsPool}


class Pools:
    """Connections that are kept open, so many at most to each host, directly or through a proxy.

    `context` says whom to trust over TLS; None if there is no TLS. Raises InvalidProxyURL for a proxy that is no
    address, or speaks no HTTP: SOCKS would bypass our sockets.
    """

    def __init__(self, context: ssl.SSLContext | None, connections: int, proxy: str = "") -> None:
        self._is_direct = not proxy
        self._manager = _manager(proxy, num_pools=_HOSTS, maxsize=connections, ssl_context=context)
        self._manager.pool_classes_by_scheme = _POOLS

    def send(self, request: Request, headers: Mapping[str, str], seconds: float) -> BaseHTTPResponse:
        """Send a request, and return its answer with the body yet to be read. Raises what urllib3 does."""
        url = parse_url(full_url(request))
        through = self._manager.connection_from_host(url.host, url.port, url.scheme)
        is_forwarded = not self._is_direct and url.scheme == "http"
        return through.urlopen(
            request.method.upper(),
            url.url if is_forwarded else url.request_uri,
            request.body,
            headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=seconds,
            preload_content=False,
            decode_content=False,
        )

    def close(self) -> None:
        """Close those that nobody uses; the others are closed when they are given back."""
        self._manager.clear()


def set_by(answer: BaseHTTPResponse, request: Request) -> Mapping[str, str]:
    """Return the cookies that an answer sets for where it was asked."""
    if "Set-Cookie" not in answer.headers:
        return {}
    jar = RequestsCookieJar()
    extract_cookies_to_jar(jar, requests.Request("GET", request.url).prepare(), answer)  # type: ignore[no-untyped-call]
    return {cookie.name: cookie.value or "" for cookie in jar}


def _manager(proxy: str, **options: Any) -> PoolManager:  # noqa: ANN401 - urllib3's own options
    if not proxy:
        return PoolManager(**options)
    address = proxy if "://" in proxy else f"http://{proxy}"
    if not address.lower().startswith(("http://", "https://")) or not _has_host(address):
        raise InvalidProxyURL
    name, password = get_auth_from_url(address)
    signs_in = {"Proxy-Authorization": make_headers(proxy_basic_auth=f"{name}:{password}")["proxy-authorization"]}
    headers = signs_in if name else {}
    return ProxyManager(address, proxy_headers=headers, proxy_ssl_context=options["ssl_context"], **options)


def _has_host(address: str) -> bool:
    try:
        return bool(parse_url(address).host)
    except LocationParseError:
        return False


def tls_context(ca_file: Path | None, verify: bool) -> ssl.SSLContext:
    """Return the TLS settings: whom to trust. Without a file, the system's authorities and those that requests brings.

    Raises OSError (`ssl.SSLError`) if the file cannot be used.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is None:
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = exchange.TlsSocket
    return context
