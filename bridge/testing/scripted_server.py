"""A server that plays a script of bytes for each connection: for all that no decent HTTP server would send.

It runs on a real socket of 127.0.0.1, records what it receives, and leaves no thread and no socket behind.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

PATIENCE = 10.0
"""Seconds after which a test gives up waiting for something that should have happened at once."""

THREADS = "scripted server"
"""The name of all threads of such servers."""


class Connection:
    """One connection to a `ScriptedServer`, as its script sees it."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self.sock = sock
        self._stopping = stopping
        self._unread = b""
        self.requests: list[bytes] = []

    def read_request(self) -> bytes:
        """Return the next request, head and body; nothing if the other side closed."""
        while b"\r\n\r\n" not in self._unread:
            if not self._receive():
                return b""
        head, _, rest = self._unread.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(rest) < length:
            if not self._receive():
                return b""
            rest = self._unread.partition(b"\r\n\r\n")[2]
        self._unread = rest[length:]
        self.requests.append(head + b"\r\n\r\n" + rest[:length])
        return self.requests[-1]

    def _receive(self) -> bool:
        data = self.sock.recv(65536)
        self._unread += data
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send all of it at once."""
        self.sock.sendall(data)

    def drip(self, data: bytes, pause: float = 0.02, piece: int = 1) -> None:
        """Send it one byte (or `piece` bytes) at a time, until the other side has enough of it."""
        for start in range(0, len(data), piece):
            if self._stopping.wait(pause):
                return
            self.send(data[start : start + piece])

    def drip_for_ever(self, data: bytes, pause: float = 0.02, piece: int = 1) -> None:
        """Repeat the data one byte (or `piece` bytes) at a time until the other side has enough of it."""
        while not self._stopping.is_set():
            self.drip(data, pause, piece)

    def send_for_ever(self, data: bytes) -> None:
        """Repeat the data as fast as the other side takes it."""
        while not self._stopping.is_set():
            self.send(data)

    def stopped(self) -> None:
        """Do nothing, not even read, until the server stops."""
        self._stopping.wait(PATIENCE)

    def wait_for_close(self) -> None:
        """Wait until the other side closes the connection."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass

    def reset(self) -> None:
        """Close with a reset, as a crashed host does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.sock.close()


Script = Callable[[Connection], None]


class ScriptedServer:
    """Plays one script for each connection, in the order of the connections; the last one again for all further."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._scripts = scripts
        self._tls = tls
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._threads: list[threading.Thread] = []
        self.sockets: list[socket.socket] = []
        self.connections: list[Connection] = []
        self.closed_by_client = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.port: int = self._listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"

    @property
    def requests(self) -> list[bytes]:
        """All requests received, in the order of the connections."""
        return [request for connection in self.connections for request in connection.requests]

    def wait_for_end(self) -> None:
        """Wait until one more script has come to its end and its connection is closed."""
        if not self.ended.acquire(timeout=PATIENCE):
            raise AssertionError("no script has come to its end")

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self.sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(PATIENCE)
            if thread.is_alive():
                raise AssertionError("a script does not end")

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=THREADS, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stopping.is_set():
                sock, _ = self._listener.accept()
                self.sockets.append(sock)
                number = min(len(self.connections), len(self._scripts) - 1)
                connection = Connection(sock, self._stopping)
                self.connections.append(connection)
                self._start(self._serve, connection, self._scripts[number])

    def _serve(self, connection: Connection, script: Script) -> None:
        raw = connection.sock
        try:
            if self._tls:
                connection.sock = self._tls.wrap_socket(raw, server_side=True)
                self.sockets.append(connection.sock)
            script(connection)
        except OSError:
            self.closed_by_client.release()
        finally:
            connection.sock.close()
            raw.close()
            self.ended.release()


def answer(body: bytes = b"{}", status: str = "200 OK", headers: Sequence[str] = ()) -> bytes:
    """Return a complete HTTP/1.1 answer with its Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def always(*answers: bytes) -> Script:
    """Return a script that gives the answers in turn, the last one again and again, and keeps the connection open."""

    def script(connection: Connection) -> None:
        number = 0
        while connection.read_request():
            connection.send(answers[min(number, len(answers) - 1)])
            number += 1

    return script


def then_close(data: bytes) -> Script:
    """Return a script that reads one request, sends the data as it is, and closes."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(data)

    return script


@contextlib.contextmanager
def dead_port() -> Iterator[int]:
    """Give a port of 127.0.0.1 at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]
