"""Where a running service is reached by whoever may change it: `omi-bridge reload` asks here, and hears the verdict.

It is an address of the kernel's (abstract, unix(7)) made from the path of the configuration: no file has to be found,
written or taken away, and it is there exactly as long as the service. Anybody could have such an address, so each side
looks whose process the other one is: only that of the same user, or root's, is spoken to.
"""

import errno
import hashlib
import json
import logging
import os
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.web.packets import Line
from bridge.web.reloads import Answer, ReloadVerdict

_log = logging.getLogger(__name__)

_CREDENTIALS = struct.Struct("3i")
_MOST_WAITING = 16

Ask = Callable[[Answer, dict[str, str]], object]


class ServiceUnreachable(Exception):
    """No service can be asked; the message says why."""


class ControlSocket:
    """The service's end. `ask` is told of every wish to reload, and how to answer it."""

    def __init__(self, config: Path, ask: Ask) -> None:
        self._address = address_of(config)
        self._ask = ask
        self._listener: socket.socket | None = None
        self._clients: set[Line] = set()
        self._told = False

    def fileno(self) -> int | None:
        """Return the descriptor that is to be listened to, None if there is none."""
        return self._listener.fileno() if self._listener else None

    def listen(self) -> None:
        """Take the address, unless that was done, or another service of the same configuration has it still."""
        if self._listener is None:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
            try:
                listener.bind(self._address)
                listener.listen(_MOST_WAITING)
            except OSError as error:
                listener.close()
                if not self._told:
                    _log.warning("omi-bridge reload does not reach this service, SIGHUP does: %s", _why_not(error))
                self._told = True
            else:
                self._listener = listener

    def accept(self) -> None:
        """Hear who has come."""
        try:
            connection, _ = self._listener.accept() if self._listener else (None, None)
        except OSError:
            return
        if connection is None:
            return
        connection.setblocking(False)
        if _user_of(connection) not in {0, os.geteuid()} or len(self._clients) >= _MOST_WAITING:
            connection.close()
            return
        self._clients.add(Line(connection))

    def clients(self) -> list[Line]:
        """Return those who have come, and may say something or leave."""
        return list(self._clients)

    def hear(self, client: Line) -> None:
        """Take a client's wish, or its leave."""
        try:
            message = client.receive(wait=False)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            message = None
        if message and message.said.get("do") == "reload":
            given = json.loads(message.beside) if message.beside else {}
            self._ask(lambda verdict: self._answer(client, verdict), given)
        else:
            self._leave(client)

    def close(self) -> None:
        """Give up the address, and leave who waits."""
        for client in self.clients():
            self._leave(client)
        if self._listener:
            self._listener.close()

    def _answer(self, client: Line, verdict: ReloadVerdict) -> None:
        if client in self._clients:
            client.send({"accepted": verdict.accepted, "lines": verdict.lines})
            self._leave(client)

    def _leave(self, client: Line) -> None:
        self._clients.discard(client)
        client.close()


def ask_for_reload(config: Path, variables: Mapping[str, str], patience: float) -> ReloadVerdict:
    """Have the service of this configuration reload, with new values of variables; return its verdict.

    Raises ServiceUnreachable, also if there is no verdict within `patience` seconds.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(patience)
        try:
            connection.connect(address_of(config))
        except OSError:
            where = f"no service with the configuration {config.absolute()} runs on this machine"
            raise ServiceUnreachable(f"{where}: name the file with -c as the service names it") from None
        if (user := _user_of(connection)) not in {0, os.geteuid()}:
            raise ServiceUnreachable(f"the service is user {user}'s: run this as that user")
        line = Line(connection)
        beside = json.dumps(dict(variables)).encode()
        try:
            answer = line.receive() if line.send({"do": "reload"}, beside) else None
        except TimeoutError:
            raise ServiceUnreachable(f"no verdict within {patience:.0f} s: the log will tell it") from None
        except OSError:
            answer = None
    if answer is None:
        raise ServiceUnreachable("the service has ended, or takes no wishes from this user")
    return ReloadVerdict(bool(answer.said["accepted"]), tuple(answer.said["lines"]))


def address_of(config: Path) -> str:
    """Return the address of the service with this configuration: by its path, which its user may not even read."""
    name = hashlib.sha256(os.fsencode(os.path.normpath(config.absolute()))).hexdigest()[:32]
    return f"\0omi-bridge-{name}"


def _why_not(error: OSError) -> str:
    taken = error.errno == errno.EADDRINUSE
    return "another one with the same configuration is running still" if taken else error.strerror or str(error)


def _user_of(connection: socket.socket) -> int:
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(told)[1])
