"""How requests is made to keep our limits: its connections use our sockets, its TLS is set up once.

Nothing here knows what is asked. urllib3 and requests offer these places for subclasses (`ConnectionCls`,
`pool_classes_by_scheme`, `init_poolmanager`, `sslsocket_class`); no library code is replaced.
"""

import ssl
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidProxyURL
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from bridge.sdk.http import exchange


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


class Adapter(HTTPAdapter):
    """Sends prepared requests over a pool of `connections` kept-alive connections to each host.

    `context` says whom to trust over TLS; None if there is no TLS.
    """

    def __init__(self, context: ssl.SSLContext | None, connections: int) -> None:
        self._context = context
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own signature
        """Make the pools, all with the one TLS context."""
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - requests' own signature
        """Return the pools behind the proxy. Raises InvalidProxyURL for SOCKS, which would bypass our sockets."""
        if not proxy.lower().startswith(("http://", "https://")):
            raise InvalidProxyURL
        pools = super().proxy_manager_for(proxy, ssl_context=self._context, proxy_ssl_context=self._context, **options)
        pools.pool_classes_by_scheme = _POOLS
        return pools

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:  # noqa: ANN401
        """Return which pool a request belongs to: the TLS context is the same for all and says the rest."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}

    def cert_verify(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own signature
        """Leave the certificates to the TLS context: requests would read all of them for each new connection."""


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
