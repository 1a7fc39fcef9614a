"""Where a running service is reached by whoever may change it: `omi-bridge reload` asks here, and hears the verdict."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.local.address import ServiceUnreachable, address_of, ask, is_taken, listener_at, may_speak
from bridge.local.packets import Line
from bridge.web.reloads import Answer, ReloadVerdict

if TYPE_CHECKING:
    import socket

_log = logging.getLogger(__name__)

_MOST_WAITING = 16

Ask = Callable[[Answer, dict[str, str]], object]


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
            try:
                self._listener = listener_at(self._address)
            except OSError as error:
                if not self._told:
                    _log.warning("omi-bridge reload does not reach this service, SIGHUP does: %s", _why_not(error))
                self._told = True

    def accept(self) -> None:
        """Hear who has come."""
        try:
            connection, _ = self._listener.accept() if self._listener else (None, None)
        except OSError:
            return
        if connection is None:
            return
        connection.setblocking(False)
        if not may_speak(connection) or len(self._clients) >= _MOST_WAITING:
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
    try:
        answer = ask(config, {"do": "reload"}, patience, beside=json.dumps(dict(variables)).encode())
    except TimeoutError:
        raise ServiceUnreachable(f"no verdict within {patience:.0f} s: the log will tell it") from None
    if answer is None:
        raise ServiceUnreachable("the service has ended, or takes no wishes from this user")
    return ReloadVerdict(bool(answer.said["accepted"]), tuple(answer.said["lines"]))


def _why_not(error: OSError) -> str:
    return (
        "another one with the same configuration is running still" if is_taken(error) else error.strerror or str(error)
    )
