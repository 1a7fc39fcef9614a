"""Callers over kept-alive connections, as cheap as Python allows, so that the load does not slow down what it measures.

`answers_per_second` is a closed loop: so many callers, each calling again once answered. `call` is an open loop: each
call comes at its planned moment however many are waiting, and its time runs from that moment.
"""

import gc
import re
import select
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_IDLE = 4.0  # the servers close a connection that has been idle for 5 s
_PATIENCE = 10.0  # at the end of a plan, too


@dataclass(frozen=True, slots=True)
class Planned:
    """One call: when, in seconds from the start, what is sent, and how the right answer ends."""

    at: float
    request: bytes
    ends_with: bytes = b""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a call: the seconds from its planned moment to the last byte of the answer."""

    kind: str
    seconds: float
    right: bool


def question(target: str, key: str) -> bytes:
    """Return a request for `target` as it goes over the wire."""
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-KEY: {key}\r\n\r\n".encode("ascii")


def answers_per_second(
    port: int, requests: Sequence[bytes], ends_with: bytes, seconds: float, callers: int, *, anew: bool = False
) -> float:
    """Let `callers` ask without a pause; return how many right answers came in a second.

    Each asks over one connection or, `anew`, over another one each time.
    """
    following, answered = cycle(requests), 0
    open_ones = {line.sock.fileno(): line for line in (_Line(port) for _ in range(callers))}
    poll = select.epoll()
    for number, line in open_ones.items():
        poll.register(number, select.EPOLLIN)
        line.send(Planned(0, next(following), ends_with), 0)
    with _undisturbed():
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            for number, _ in poll.poll(_PATIENCE):
                line = open_ones[number]
                if line.receive():
                    answered += line.right
                    if anew:
                        poll.unregister(number)
                        open_ones.pop(number).sock.close()
                        line = _Line(port)
                        open_ones[line.sock.fileno()] = line
                        poll.register(line.sock, select.EPOLLIN)
                    line.send(Planned(0, next(following), ends_with), 0)
        took = time.perf_counter() - start
    poll.close()
    for line in open_ones.values():
        line.sock.close()
    return answered / took


def call(port: int, plan: Iterable[Planned]) -> list[Seen]:
    """Make the calls of a plan, in order of their moments; return what became of each, ten seconds later at most."""
    free: list[_Line] = []
    busy: dict[socket.socket, _Line] = {}
    seen: list[Seen] = []
    with _undisturbed():
        start = time.perf_counter()
        for planned in plan:
            while (left := start + planned.at - time.perf_counter()) > 0:
                _receive(busy, free, seen, left)
            line = _line(free, port)
            line.send(planned, start)
            busy[line.sock] = line
        end = time.perf_counter() + _PATIENCE
        while busy and (left := end - time.perf_counter()) > 0:
            _receive(busy, free, seen, left)
    seen += [Seen(line.planned.kind, _PATIENCE, right=False) for line in busy.values()]
    for line in (*free, *busy.values()):
        line.sock.close()
    return seen


class _Line:
    """A connection, and the call that it carries."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.used = 0.0
        self.right = False

    def send(self, planned: Planned, start: float) -> None:
        self.planned, self.due, self._received = planned, start + planned.at, b""
        self.sock.sendall(planned.request)

    def receive(self) -> bool:
        """Read what is there; tell whether the answer is complete. Raises ConnectionError if it will never be."""
        block = self.sock.recv(65536)
        if not block:
            raise ConnectionError("the server hung up")
        self._received += block
        head, gap, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        self.right = b" 200 " in head and body.endswith(self.planned.ends_with)
        return bool(gap and length and len(body) >= int(length[1]))


def _line(free: list[_Line], port: int) -> _Line:
    """Return the connection that was used last, or a new one."""
    while free:
        line = free.pop()
        if time.perf_counter() - line.used < _IDLE:
            return line
        line.sock.close()
    return _Line(port)


def _receive(busy: dict[socket.socket, _Line], free: list[_Line], seen: list[Seen], seconds: float) -> None:
    for sock in select.select(list(busy), [], [], seconds)[0]:  # unlike epoll, it waits by the microsecond
        line = busy[sock]
        try:
            is_whole = line.receive()
        except ConnectionError:  # no answer, and no connection any more
            seen.append(Seen(line.planned.kind, time.perf_counter() - line.due, right=False))
            busy.pop(sock).sock.close()
            continue
        if is_whole:
            line.used = time.perf_counter()
            seen.append(Seen(line.planned.kind, line.used - line.due, line.right))
            free.append(busy.pop(sock))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the garbage collector from pausing the load."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
