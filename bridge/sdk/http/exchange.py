"""One request and its answer on the wire, and the sockets that keep its limits.

A timeout of requests or urllib3 holds for one socket operation: it never fires against a server that drips one byte
at a time. Here every single wait (connect, handshake, send, receive) is cut down to what the deadline leaves, by
sockets that look at the exchange under way before they wait. Bytes are counted in the same place, so neither headers
nor chunks nor trailers can go on for ever; and before each wait, others have their turn at the processor.
"""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.http.certificates import Certificates
from bridge.sdk.resolver import Resolver
from bridge.sdk.threads.cancellation import cut_off_if_useless
from bridge.sdk.threads.lane import waiting_for_source
from bridge.sdk.threads.watchdog import hang_up

_FRAMING = 64 * 1024
_BODY_PER_FRAMING = 4


@dataclass(slots=True)
class Exchange:
    """What one request may still cost, and how far it has come.

    `fresh` asks for a new connection instead of one that was kept open. `opened` tells that a new connection was
    begun, `received` how many bytes have come from the server.
    """

    deadline: Deadline
    most_bytes: int
    resolver: Resolver
    fresh: bool = False
    opened: bool = False
    received: int = 0
    is_cut: bool = False
    sock: socket.socket | None = None
    """Where it waits, or has waited last."""
    line: int | None = None
    """Another descriptor of the same connection: the number of its own may be a caller's by the time it is cut off."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    excess: str = "more came than any answer needs"
    """What it is if more than `most_bytes` come."""
    head: int | None = None
    """How much had come when the body was expected first."""
    certificates: Certificates | None = None
    """Is told what servers show of themselves."""

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Make this the exchange whose limits the sockets of this thread keep; it is cut off if nobody needs it."""
        token = _under_way.set(self)
        try:
            with cut_off_if_useless(self._cut):
                yield
        finally:
            _under_way.reset(token)
            with self.lock:
                self._let_go()

    def seconds(self, sock: socket.socket | None = None) -> float:
        """Return how long the next wait, on `sock`, may be. Raises TimeoutError if nothing is left."""
        if sock is not None and sock is not self.sock:
            with self.lock:
                self._let_go()
                self.sock, self.line = sock, os.dup(sock.fileno())
        if self.is_cut:
            raise TimeoutError
        return self.deadline.seconds()

    def _cut(self) -> None:
        with self.lock:
            self.is_cut = True
            if self.line is not None:
                hang_up(self.line)

    def _let_go(self) -> None:
        if self.line is not None:
            os.close(self.line)
            self.line = None

    def expect(self, body: int) -> None:
        """Let so many bytes come of the body, a quarter more for what frames them, and what small answers may need.

        A byte in each chunk costs a hundred times what it costs in a larger one.
        """
        if self.head is None:
            self.head = self.received
        self.most_bytes = self.head + _FRAMING + body + body // _BODY_PER_FRAMING
        self.excess = "far more came around the body of the answer than in it, such as chunks of a few bytes each"

    def count(self, received: int) -> None:
        """Count what came. Raises UnexpectedAnswer if it is more than what is expected by now."""
        self.received += received
        if self.received > self.most_bytes:
            raise UnexpectedAnswer(self.excess)


_under_way: ContextVar[Exchange] = ContextVar("exchange")


def current() -> Exchange:
    """Return the exchange under way in this thread."""
    return _under_way.get()


class _Clipped(socket.socket):
    """A socket whose every wait ends with the deadline of the exchange under way."""

    def connect(self, address: Any) -> None:  # noqa: ANN401 - as in the standard library
        self.settimeout(min(current().seconds(self), self.gettimeout() or float("inf")))
        super().connect(address)

    def recv(self, *args: Any, **options: Any) -> bytes:  # noqa: ANN401 - as in the standard library
        with waiting_for_source():
            self.settimeout(current().seconds(self))
            data: bytes = super().recv(*args, **options)
        current().count(len(data))
        return data

    def recv_into(self, *args: Any, **options: Any) -> int:  # noqa: ANN401 - as in the standard library
        with waiting_for_source():
            self.settimeout(current().seconds(self))
            received: int = super().recv_into(*args, **options)
        current().count(received)
        return received

    def send(self, *args: Any, **options: Any) -> int:  # noqa: ANN401 - as in the standard library
        self.settimeout(current().seconds(self))
        return super().send(*args, **options)

    def sendall(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as in the standard library
        self.settimeout(current().seconds(self))
        super().sendall(*args, **options)


class PlainSocket(_Clipped):
    """A TCP connection within the limits."""


class TlsSocket(_Clipped, ssl.SSLSocket):
    """A TLS connection within the limits; made by an SSLContext as its `sslsocket_class`."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, in what is left of the deadline for the whole of it."""
        self.settimeout(current().seconds(self))
        super().do_handshake(block)
        if certificates := current().certificates:
            certificates.note(self.server_hostname or "", self.getpeercert())


def connect(host: str, port: int, options: list[tuple[int, int, int | bytes]]) -> PlainSocket:
    """Return a connection to the first address of the host that takes one.

    The addresses share what is left: none of them can use up the time of the others. Raises OSError.
    """
    exchange = current()
    addresses = exchange.resolver.addresses(host, port, exchange.deadline)
    failure: OSError = OSError("the host has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = PlainSocket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(exchange.seconds() / (len(addresses) - tried))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure
