"""A CRM that does whatever a network and a broken server can do, in a process of its own, at several ports.

Each port is a CRM by itself: `GET /owner?phone=…` is answered well until it is told to show a fault, and again when it
is told to stop. The process is steered by lines of JSON and ends when its input does.
"""

import contextlib
import json
import re
import socket
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

from tests.support.faults import SCRIPTS, Asked, bomb
from tests.support.hostile_answers import HOSTILE
from tests.support.scripted import Connection

_PHONE = re.compile(rb"phone=([0-9]+)")
_PLAYED = SCRIPTS | HOSTILE
_UNREACHABLE = {"refused", "queue full", "no dns"}


class _Played(Connection):
    """A connection whose pauses end with the CRM, not with the fault: what hangs stays hung."""

    def pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def stopped(self) -> None:
        """Hang until the other side or the CRM has enough of it."""
        self.sock.settimeout(0.25)
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.sock.recv(65536):
                    return


class FaultyCrm:
    """One CRM at one port of 127.0.0.1."""

    def __init__(self) -> None:
        self.requests = 0
        self.fault = "well"
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._fillers: list[socket.socket] = []
        self._listener = _bound(0)
        self.port: int = self._listener.getsockname()[1]
        self._listen()

    def show(self, fault: str) -> None:
        """Show this fault from now on."""
        if self.fault in _UNREACHABLE:
            self._become_reachable()
        if fault == "gzip bomb":
            bomb()
        self.fault = fault
        if fault in _UNREACHABLE:
            self._become_unreachable(fault)

    def _become_unreachable(self, fault: str) -> None:
        if fault != "no dns":
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = _bound(self.port)
        if fault == "queue full":
            self._listener.listen(0)
            self._fill()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _become_reachable(self) -> None:
        if self.fault == "no dns":
            return
        if self.fault == "queue full":
            self._listener.close()
            self._listener = _bound(self.port)
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self._listen()

    def _listen(self) -> None:
        self._listener.listen(128)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _fill(self) -> None:
        """Connect until the queue takes no more: from then on the kernel drops who wants to connect."""
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        self._open.add(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Played(sock, self._stopping)
        with contextlib.suppress(OSError):
            while request := connection.read_request():
                with self._lock:
                    self.requests += 1
                found = _PHONE.search(request)
                if not _PLAYED.get(self.fault, SCRIPTS["well"])(connection, Asked(found[1].decode() if found else "")):
                    break
        self._open.discard(sock)
        sock.close()


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


class FaultyCrms:
    """Several of them in a process of their own, seen from the test."""

    def __init__(self, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.faulty_crm", str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports: list[int] = self._answer()

    def show(self, index: int, fault: str) -> None:
        """Let the CRM of that number show a fault from now on."""
        self._tell([index, fault])

    def requests(self) -> list[int]:
        """Return how many requests each of them has got so far."""
        return self._tell([])

    def _tell(self, command: list[object]) -> list[int]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> list[int]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the faulty CRM has died"
        numbers: list[int] = json.loads(line)
        return numbers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _say(numbers: list[int]) -> None:
    sys.stdout.write(json.dumps(numbers) + "\n")
    sys.stdout.flush()


def _main() -> None:
    crms = [FaultyCrm() for _ in range(int(sys.argv[1]))]
    _say([crm.port for crm in crms])
    for line in sys.stdin:
        command = json.loads(line)
        if command:
            crms[command[0]].show(command[1])
        _say([crm.requests for crm in crms])


if __name__ == "__main__":
    _main()
