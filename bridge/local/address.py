"""Where a running service is reached on its own machine, and whose process it is that has come.

An address is one of the kernel's (abstract, unix(7)), made from the path of the configuration: no file has to be found,
written or taken away, and it is there exactly as long as its process. Anybody could have such an address, so each side
looks whose process the other one is: only that of the same user, or root's, is spoken to.
"""

import errno
import hashlib
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from bridge.local.packets import Line, Packet

_CREDENTIALS = struct.Struct("3i")
_MOST_WAITING = 16


class ServiceUnreachable(Exception):
    """No service can be asked; the message says why."""


def address_of(config: Path, purpose: str = "") -> str:
    """Return the address of the service with this configuration: by its path, which its user may not even read.

    `purpose` tells the addresses of one service apart.
    """
    name = hashlib.sha256(os.fsencode(os.path.normpath(config.absolute()))).hexdigest()[:32]
    return f"\0omi-bridge-{purpose}{name}"


def listener_at(address: str) -> socket.socket:
    """Take an address and listen there, without waiting. Raises OSError if that is not possible; see `why_not`."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        listener.bind(address)
        listener.listen(_MOST_WAITING)
    except OSError:
        listener.close()
        raise
    return listener


def is_taken(error: OSError) -> bool:
    """Tell whether another process has the address."""
    return error.errno == errno.EADDRINUSE


def may_speak(connection: socket.socket) -> bool:
    """Tell whether the other end's process is one of this user, or of root."""
    return user_of(connection) in {0, os.geteuid()}


def user_of(connection: socket.socket) -> int:
    """Return the number of the user whose process is at the other end."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(told)[1])


def ask(
    config: Path, said: Mapping[str, object], patience: float, *, purpose: str = "", beside: bytes = b""
) -> Packet | None:
    """Say one thing to the service of this configuration, and return what it answers, None if it hangs up.

    Raises ServiceUnreachable, and TimeoutError if nothing has come within `patience` seconds.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", max(1, int(patience)), 0))
        try:
            connection.connect(address_of(config, purpose))  # which waits while many others stand in front
            connection.settimeout(patience)
        except BlockingIOError:
            raise TimeoutError from None
        except OSError:
            where = f"no service with the configuration {config.absolute()} runs on this machine"
            raise ServiceUnreachable(f"{where}: name the file with -c as the service names it") from None
        if not may_speak(connection):
            raise ServiceUnreachable(f"the service is user {user_of(connection)}'s: run this as that user")
        line = Line(connection)
        try:
            return line.receive() if line.send(said, beside) else None
        except TimeoutError:
            raise
        except OSError:
            return None
