"""What a CRM and the network between can do to a connector, each with the error that it has to become.

Whatever speaks of an error repeats the whole request, as some servers do: a connector that passes the source's words on
gives its token and its caller away.
"""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.sdk.errors import SourceError, SourceRejected, SourceUnavailable
from bridge.testing.fake_crm import ReceivedRequest, Reply, Script, send
from bridge.testing.scripted_server import Connection


@dataclass(frozen=True, slots=True)
class Fault:
    """What the CRM does, and which error tells it.

    `status` is that of its answer, `pause` the seconds for which it asks to be left alone.
    """

    script: Script
    raises: type[SourceError] = SourceError
    status: int = 200
    pause: float = 0


def _answers(status: int, *headers: str) -> Script:
    def script(connection: Connection, request: ReceivedRequest) -> None:
        send(connection, Reply(status, {"error": _words(request)}, None, ("Content-Type: application/json", *headers)))

    return script


def _page(status: int) -> Script:
    def script(connection: Connection, request: ReceivedRequest) -> None:
        page = f"<!DOCTYPE html><html><body><h1>Something</h1>{html.escape(_words(request))}</body></html>"
        send(connection, Reply(status, None, page.encode(), ("Content-Type: text/html",)))

    return script


def _body(body: bytes) -> Script:
    return lambda connection, _request: send(connection, Reply(body=body))


def _words(request: ReceivedRequest) -> str:
    return f"you asked {request.raw.decode('latin-1')}"


def _raw(data: bytes) -> Script:
    """Send bytes as they are, and hang up."""

    def script(connection: Connection, _request: ReceivedRequest) -> None:
        if data:
            connection.send(data)
        connection.sock.close()

    return script


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_LONG = b"Content-Length: 1000000\r\n\r\n"

FAILURES: Mapping[str, Fault] = {
    "500": Fault(_answers(500), SourceUnavailable, 500),
    "502 with a page of HTML": Fault(_page(502), SourceUnavailable, 502),
    "503": Fault(_answers(503), SourceUnavailable, 503),
    "429 with Retry-After": Fault(_answers(429, "Retry-After: 7"), SourceUnavailable, 429, 7),
    "401": Fault(_answers(401), SourceRejected, 401),
    "403": Fault(_answers(403), SourceRejected, 403),
    "404": Fault(_answers(404), status=404),
    "a redirect that never ends": Fault(_answers(302, "Location: ?again=1"), status=302),
    "the connection closed instead of an answer": Fault(_raw(b""), SourceUnavailable),
    "the connection reset instead of an answer": Fault(lambda connection, _: connection.reset(), SourceUnavailable),
    "the connection closed in mid-answer": Fault(_raw(_HEAD + _LONG + b" ")),
    "something that is not HTTP": Fault(_raw(b"220 mail.example ESMTP\r\n")),
}
"""What happens instead of an answer."""

RUBBISH: Mapping[str, Fault] = {
    "200 with a page of HTML": Fault(_page(200)),
    "an empty body": Fault(_body(b"")),
    "text that is not JSON": Fault(_body(b"OK")),
    "nothing but brackets, a hundred thousand deep": Fault(_body(b"[" * 100_000 + b"]" * 100_000)),
}
"""Answers that say nothing at all."""

TOO_LONG = "a good answer behind 20 MB of blanks"
BROKEN_TEXT = "a good answer with a byte in it that is not UTF-8"


def _broken_utf8(good: bytes) -> bytes | None:
    """Put a byte that is not UTF-8 into the last text of an answer; None for one that says it is written otherwise."""
    if good.startswith(b"<") and b"encoding=" in good[:100] and b"utf-8" not in good[:100].lower():
        return None
    mark = b"<" if good.startswith(b"<") else b'"'
    before, found, after = good.rpartition(mark)
    return before + b"\xff" + found + after if found else None


SPOILT: Mapping[str, Callable[[bytes], bytes | None]] = {
    "half of a good answer": lambda good: good[: len(good) // 2],
    BROKEN_TEXT: _broken_utf8,
    TOO_LONG: lambda good: b" " * 20_000_000 + good,
}
"""What becomes of a good answer; None for one that cannot be spoilt so."""


def _drip_head(connection: Connection, _request: ReceivedRequest) -> None:
    connection.send(_HEAD + b"X-Slow: ")
    connection.drip_for_ever(b"a", 0.01)


def _drip_body(connection: Connection, _request: ReceivedRequest) -> None:
    connection.send(_HEAD + _LONG)
    connection.drip_for_ever(b" ", 0.01)


def _endless_body(connection: Connection, _request: ReceivedRequest) -> None:
    connection.send(_HEAD + b"\r\n")
    connection.drip_for_ever(b" " * 65536, 0.01, 65536)


HANGS: Mapping[str, Script] = {
    "it accepts and never answers": lambda connection, _request: connection.stopped(),
    "the head of its answer drips": _drip_head,
    "its answer drips": _drip_body,
    "its answer never ends": _endless_body,
}
"""What a connector has to leave at its deadline."""
