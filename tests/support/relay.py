"""A way to a server on which things go wrong: delay, silence, rubbish in place of answers, a byte at a time."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

_POLL = 0.05


class Relay:
    """Passes on what comes to a port of its own, used with `with`. What is set acts on connections that are open, too.

    `delay` is in seconds, for each answer; `say` is what every answer is replaced by. Requests that hold `late` arrive
    40 ms late.
    """

    def __init__(self, port: int) -> None:
        self.delay = 0.0
        self.late = b""
        self.say: bytes | None = None
        self.drip = False
        self._port = port
        self._passing = threading.Event()
        self._passing.set()
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._threads: list[threading.Thread] = []
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def hold(self) -> None:
        """Take everything and pass on nothing."""
        self._passing.clear()

    def pass_on(self) -> None:
        """Pass on again."""
        self._passing.set()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._passing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                inner, _ = self._listener.accept()
                try:
                    outer = socket.create_connection(("127.0.0.1", self._port), timeout=5)
                except OSError:
                    inner.close()
                    continue
                for sock in (inner, outer):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    sock.settimeout(_POLL)
                self._start(self._pass, inner, outer, False)
                self._start(self._pass, outer, inner, True)

    def _pass(self, here: socket.socket, there: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while not self._stopping.is_set():
                try:
                    data = here.recv(65536)
                except TimeoutError:
                    continue
                if not data:
                    break
                self._passing.wait()
                if answers:
                    self._answer(there, data)
                else:
                    if self.late and self.late in data:
                        self._stopping.wait(0.04)
                    there.sendall(data)
        with contextlib.suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)
        here.close()

    def _answer(self, there: socket.socket, data: bytes) -> None:
        if self.delay:
            self._stopping.wait(self.delay)
        if self.say is not None:
            data = self.say
        if not self.drip:
            there.sendall(data)
            return
        for index in range(len(data)):
            there.sendall(data[index : index + 1])
            self._stopping.wait(0.02)
