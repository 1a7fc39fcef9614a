"""What goes over a connection, below HTTP's meaning: whether something came and when, and how an answer is sent.

Each call of the system that may wait hands the interpreter to another thread, and to get it back costs a busy process
more than the call: so there are as few of them as can be for a request.
"""

import socket
import struct
import time
from functools import lru_cache

from gunicorn import util
from gunicorn.http import wsgi

_LAST_DATA_RECEIVED = 52
"""Where in the kernel's `struct tcp_info` (linux/tcp.h) the milliseconds since the last data stand."""
_ROUND_TRIP = 68
"""Where there the microseconds stand that a round trip takes, smoothed (RFC 6298)."""


def empty_answer(status_line: str, *headers: str) -> bytes:
    """Write an answer without a body that ends its connection."""
    return "\r\n".join(
        (
            f"HTTP/1.1 {status_line}",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Length: 0",
            "Cache-Control: no-store",
            *headers,
            "Connection: close\r\n\r\n",
        )
    ).encode("ascii")


def waited(sock: socket.socket) -> float:
    """Return for how many seconds what came last has lain in the system's buffer: in no queue of ours it is seen."""
    return (_told(sock, _LAST_DATA_RECEIVED) or 0) / 1000


def round_trip(sock: socket.socket) -> float | None:
    """Return how many seconds a packet takes to the other end and back; None where the system does not say."""
    told = _told(sock, _ROUND_TRIP)
    return None if told is None else told / 1_000_000


def _told(sock: socket.socket, place: int) -> int | None:
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, place + 4)
        return int(struct.unpack_from("I", told, place)[0])
    except (AttributeError, OSError, struct.error):  # no TCP, or no Linux
        return None


def has_ended(sock: socket.socket) -> bool:
    """Tell whether the other side has closed a connection that can be read, and said nothing before."""
    try:
        return not sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def begins_with(sock: socket.socket, word: bytes) -> bool:
    """Tell whether what is there to read begins so; it stays there."""
    try:
        return sock.recv(len(word), socket.MSG_PEEK | socket.MSG_DONTWAIT) == word
    except OSError:
        return False


class OneSend(wsgi.Response):  # type: ignore[misc]  # gunicorn has no types
    """Sends an answer that is there as a whole with its headers at once: two packets cost and wake a client twice."""

    headers_sent: bool

    def write(self, arg: bytes) -> None:
        """Send a part of the body, and the headers if they were not yet."""
        if self.headers_sent or self._omits_body or self.response_length != len(arg):
            super().write(arg)
            return
        lines = (*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n")
        self.headers_sent, self.sent = True, len(arg)
        self.sock.sendall("".join(lines).encode("latin-1") + arg)


_date = lru_cache(maxsize=2)(util.http_date)


def date(timestamp: float | None = None) -> str:
    """Return a time, or now, as HTTP's headers have it; written once a second."""
    written: str = _date(int(time.time() if timestamp is None else timestamp))
    return written
