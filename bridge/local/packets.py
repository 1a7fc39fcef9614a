"""How the processes of one service talk to each other: small messages, whole or not at all, by sockets of the kernel.

A message is a JSON object. What may be large or secret goes beside it, as a file in memory whose descriptor is handed
over: so no message fills a socket, and who sends one never waits for who reads it.
"""

import json
import os
import socket
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_LARGEST = 128 * 1024
_MOST_BESIDE = 16 * 1024 * 1024
_AT_ONCE = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


@dataclass(frozen=True, slots=True)
class Packet:
    """What was said, and what was handed over beside it, empty if nothing was."""

    said: Mapping[str, Any]
    beside: bytes


class Line:
    """One end of a connection between two processes; any thread may send, one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        """Make the two ends of a line between this process and one that is about to be forked."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours), cls(theirs)

    def fileno(self) -> int:
        """Return the descriptor, by which can be waited for a message."""
        return self._end.fileno()

    def send(self, said: Mapping[str, object], beside: bytes = b"") -> bool:
        """Send without waiting; tell whether it could be sent."""
        try:
            files = [_in_memory(beside)] if beside else []
            try:
                handed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", files))] if files else []
                self._end.sendmsg([json.dumps(said).encode("ascii")], handed, _AT_ONCE)
            finally:
                for file in files:
                    os.close(file)
        except OSError:
            return False
        return True

    def receive(self, *, wait: bool = True) -> Packet | None:
        """Return the next message, None if the other end is closed. Raises OSError, and ValueError for no message."""
        flags = 0 if wait else socket.MSG_DONTWAIT
        text, handed, _, _ = self._end.recvmsg(_LARGEST, socket.CMSG_SPACE(array("i", [0]).itemsize), flags)
        files = array("i")
        for _level, _kind, numbers in handed:  # nothing else than descriptors comes this way
            files.frombytes(numbers[: len(numbers) - len(numbers) % files.itemsize])
        try:
            said = _read(text) if text else None
            beside = b"".join(os.pread(file, _MOST_BESIDE, 0) for file in files)
        finally:
            for file in files:
                os.close(file)
        if said is None:
            return None
        if not isinstance(said, dict):
            raise ValueError("a message is an object")  # noqa: TRY004 - like all else that is no message
        return Packet(said, beside)

    def close(self) -> None:
        """Hang up."""
        self._end.close()


def _read(text: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("a message is not nested without end") from None


def _in_memory(content: bytes) -> int:
    file = os.memfd_create("omi-bridge-message")
    with os.fdopen(os.dup(file), "wb") as stream:
        stream.write(content)
    return file
