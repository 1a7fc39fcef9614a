"""A way to a server on which things go wrong: answers drip, come late or are others, connections break.

It stands in front of any server of this machine, whatever that speaks, so it shows what becomes of a connector when
the network or the server fails: before the first byte, in the middle of an answer, or long after a good start.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bridge.testing.scripted_server import PATIENCE, THREADS

_RESET = b"\x01\x00\x00\x00\x00\x00\x00\x00"
"""SO_LINGER: on, for no time."""
_MOST = 65536
"""Bytes that are passed on at a time."""


@dataclass(eq=False)
class _Manner:
    """How bytes are passed on from now on: `over` once another manner has come."""

    frozen: bool = False
    pause: float = 0.0
    after_a_pause: int = 1
    instead: bytes | None = None
    ends_after: int | None = None
    by_reset: bool = False
    over: threading.Event = field(default_factory=threading.Event)


@dataclass(eq=False)
class _Link:
    """A connection to the proxy, and the one that the proxy has made to the server for it."""

    client: socket.socket
    server: socket.socket

    ended: bool = False

    def end(self, *, by_reset: bool = False) -> None:
        """End both for whoever waits on them; who closes the client's then resets it, if that is wanted."""
        if self.ended:
            return
        self.ended = True
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            if by_reset:
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.client.shutdown(socket.SHUT_RD if by_reset else socket.SHUT_RDWR)


class TcpProxy:
    """Passes on what comes to its `port` to a server's port, and back, until it is told otherwise. Used with `with`.

    What it is told acts at once, on connections that are open too, and for as long as nothing else is said. `answered`
    counts the bytes of the server that were passed on.
    """

    def __init__(self, port: int) -> None:
        self.answered = 0
        self._server = ("127.0.0.1", port)
        self._manner = _Manner()
        self._links: list[_Link] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def pass_on(self) -> None:
        """Pass on everything again, also what was kept back."""
        self._change(_Manner())

    def drip(self, pause: float = 0.1) -> None:
        """Pass on the server's answers a byte at a time, with so many seconds before each."""
        self._change(_Manner(pause=pause))

    def delay(self, seconds: float) -> None:
        """Pass on what the server says so much later."""
        self._change(_Manner(pause=seconds, after_a_pause=_MOST))

    def say(self, answer: bytes) -> None:
        """Put this in the place of everything that the server says."""
        self._change(_Manner(instead=answer))

    def freeze(self) -> None:
        """Take connections and whatever comes over them, and pass on nothing."""
        self._change(_Manner(frozen=True))

    def cut(self, after: int = 0) -> None:
        """End each connection in the middle of an answer, when so many bytes of answers have passed over it."""
        self._change(_Manner(ends_after=after))

    def reset(self, after: int = 0) -> None:
        """Do the same as `cut` by a reset, as a host does that was started anew."""
        self._change(_Manner(ends_after=after, by_reset=True))

    def refuse(self) -> None:
        """End all connections and take no more of them, for good."""
        self._change(_Manner())
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in list(self._links):
            link.end()

    @contextlib.contextmanager
    def dripping(self, pause: float = 0.1) -> Iterator[None]:
        """Drip for as long as a block lasts."""
        self.drip(pause)
        try:
            yield
        finally:
            self.pass_on()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Be frozen for as long as a block lasts."""
        self.freeze()
        try:
            yield
        finally:
            self.pass_on()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.refuse()
        for thread in list(self._threads):
            thread.join(PATIENCE)

    def _change(self, manner: _Manner) -> None:
        before, self._manner = self._manner, manner
        before.over.set()

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=THREADS, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._server, PATIENCE)
                except OSError:
                    client.close()
                    continue
                for sock in (client, server):
                    sock.settimeout(None)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._links.append(link := _Link(client, server))
                self._start(self._serve, link)

    def _serve(self, link: _Link) -> None:
        """Pass on what the server says in this thread, and what the client says in another."""
        asking = threading.Thread(target=self._pass, args=(link, False), name=THREADS, daemon=True)
        asking.start()
        self._pass(link, True)
        asking.join(PATIENCE)
        link.client.close()
        link.server.close()
        self._links.remove(link)

    def _pass(self, link: _Link, answers: bool) -> None:
        here, there = (link.server, link.client) if answers else (link.client, link.server)
        passed: dict[_Manner, int] = {}
        with contextlib.suppress(OSError):
            while data := here.recv(_MOST):
                while data:
                    data = self._deliver(link, there, data, passed if answers else None)
        link.end()

    def _deliver(self, link: _Link, there: socket.socket, data: bytes, passed: dict[_Manner, int] | None) -> bytes:
        """Pass on what the manner of the moment allows, and return the rest. `passed` counts a server's answers."""
        manner = self._manner
        if manner.frozen:
            manner.over.wait()
            return data
        if passed is None:
            there.sendall(data)
            return b""
        if manner.instead is not None:
            there.sendall(manner.instead)
            return b""
        piece = data
        if manner.pause:
            manner.over.wait(manner.pause)
            piece = data[: manner.after_a_pause]
        elif manner.ends_after is not None:
            piece = data[: manner.ends_after - passed.get(manner, 0)]
        self.answered += len(piece)
        there.sendall(piece)
        passed[manner] = passed.get(manner, 0) + len(piece)
        if len(piece) < len(data) and manner.ends_after is not None:
            link.end(by_reset=manner.by_reset)
            return b""
        return data[len(piece) :]
