"""A client's connection that never keeps a thread waiting: neither for what it sends nor for its reading.

The head of a request is gathered without a thread, however slowly it comes; a thread gets it whole, finds nothing else
to wait for, and takes a body only as far as it is there already. An answer fits into the system's buffer unless the
client has not read many answers before.
"""

import contextlib
import errno
import socket
from enum import Enum, auto

LONGEST_HEAD = 16 * 1024
"""Bytes after which a head has to be at its end; OMICall's has some hundred."""

_READING_PATIENCE = 1.0
_MOST_DISCARDED = 256 * 1024
_END = b"\r\n\r\n"


class Head(Enum):
    """What has come of a request's head."""

    NOTHING = auto()
    A_PART = auto()
    ALL = auto()
    TOO_MUCH = auto()
    GONE = auto()


class ClientSocket(socket.socket):
    """What was gathered is what `recv` returns first. `cut_short` says whether more was asked for than had come.

    `gather`, `send_at_once` and `discard` are for a socket that does not block.
    """

    def __init__(self, accepted: socket.socket) -> None:
        self.cut_short = False
        self._gathered = bytearray()
        self._searched = 0
        self._discarded = 0
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())

    @property
    def head(self) -> bytes:
        """The head, if all of it has come, or what has come of it."""
        end = self._gathered.find(_END)
        return bytes(self._gathered if end < 0 else self._gathered[:end])

    def gather(self) -> Head:
        """Take what has come by now, and tell what there is of a head; what lies behind it stays for the next one."""
        if not self._is_whole():
            try:
                chunk = super().recv(LONGEST_HEAD)
            except BlockingIOError:
                return Head.A_PART if self._gathered else Head.NOTHING
            except OSError:
                return Head.GONE
            if not chunk:
                return Head.GONE
            self._gathered += chunk
        if self._is_whole():
            return Head.ALL
        return Head.A_PART if len(self._gathered) <= LONGEST_HEAD else Head.TOO_MUCH

    def give_back(self, read_too_much: bytes) -> None:
        """Put back what was read of the next request, and be ready for it."""
        self._gathered[:0] = read_too_much
        self._searched = 0

    def recv(self, size: int, _flags: int = 0) -> bytes:
        """Return what has come by now; nothing, as at the connection's end, if that is all."""
        if self._gathered:
            chunk = bytes(self._gathered[:size])
            del self._gathered[:size]
            return chunk
        chunk = b""
        patience = self.gettimeout()
        self.settimeout(0.0)
        with contextlib.suppress(BlockingIOError):
            chunk = super().recv(size)
        self.settimeout(patience)
        self.cut_short |= not chunk
        return chunk

    def setblocking(self, flag: bool) -> None:
        """Wait for the client's reading for a second at most, where one would wait for ever."""
        self.settimeout(_READING_PATIENCE if flag else 0.0)

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
        """Send an answer; who does not read is as good as gone."""
        try:
            super().sendall(data, flags)
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "the client does not read") from None

    def send_at_once(self, data: bytes) -> None:
        """Send what the system takes without waiting; the rest is lost."""
        with contextlib.suppress(OSError):
            super().send(data)

    def discard(self) -> bool:
        """Read and forget; tell whether there may be more. Closing with something unread takes the answer away."""
        try:
            while chunk := super().recv(65536):
                self._discarded += len(chunk)
                if self._discarded > _MOST_DISCARDED:
                    return False
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _is_whole(self) -> bool:
        found = self._gathered.find(_END, self._searched) >= 0
        if not found:
            self._searched = max(0, len(self._gathered) - len(_END) + 1)
        return found
