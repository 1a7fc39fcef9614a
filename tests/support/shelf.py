"""A server with one file on it, as a web server hands files out: with ETag, Last-Modified and 304."""

import hashlib
import ssl
from collections.abc import Callable

from tests.support.servers import Asked, HttpServer, Reply

MODIFIED = "Mon, 02 Nov 2026 03:04:05 GMT"
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Google Accounts</body></html>"


class Shelf:
    """Has `content`; answers as `instead` does where that is set."""

    def __init__(self, content: bytes = b"", tls: ssl.SSLContext | None = None) -> None:
        self.content = content
        self.names_versions = True
        self.instead: Callable[[Asked], Reply] | None = None
        self.server = HttpServer(self._reply, tls)

    @property
    def url(self) -> str:
        return f"{self.server.url}/customers.csv"

    @property
    def asked(self) -> list[Asked]:
        return self.server.requests

    def _reply(self, asked: Asked) -> Reply:
        if self.instead:
            return self.instead(asked)
        if not self.names_versions:
            return Reply(self.content)
        etag = f'"{hashlib.sha256(self.content).hexdigest()[:12]}"'
        versions = (("ETag", etag), ("Last-Modified", MODIFIED))
        if asked.headers.get("If-None-Match") == etag:
            return Reply(b"", 304, versions)
        return Reply(self.content, 200, (("Content-Type", "text/csv"), *versions))


def sends_to(address: str) -> Callable[[Asked], Reply]:
    """Redirect whoever asks."""
    return lambda _asked: Reply(b"", 307, [("Location", address)])
