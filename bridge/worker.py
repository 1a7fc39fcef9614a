"""The process that answers: gunicorn's threaded worker, with what a caller's two seconds ask of it.

It knows when a request arrived, also one that waited for a thread or for the start; turns calls away while there are
more than can be answered; lets no half request hold a thread; and answers what is no proper request without a body.
"""

import contextlib
import gc
import logging
import signal
import socket
import threading
import time
from collections import deque
from types import FrameType
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.util import close_graceful
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from bridge.endpoint import ARRIVED

_log = logging.getLogger(__name__)

_LONGEST_QUEUE = 0.5
_MOST_UNREAD = 65536
_LINGER = 0.2
_HEAD_PATIENCE = 0.5
_MOMENT = 0.1


class _ClientSocket(socket.socket):
    """A client's connection, read no longer than `until`: half a request must not hold a thread for good.

    What does not come in time counts as the end of the connection. A request's head fits into one packet.
    """

    until = 0.0

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what has come, or nothing once the time is over."""
        if self.gettimeout() is None:  # with a time limit of its own, it would wait for that first
            with contextlib.suppress(BlockingIOError):
                return super().recv(size, flags | socket.MSG_DONTWAIT)  # what is there already, as it nearly always is
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            return b""
        self.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            return super().recv(size, flags)
        return b""


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gthread worker that knows when a request arrived, and whose own error answers have no body."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        super().__init__(*args)
        self._loaded = threading.Event()
        self._queue: deque[float] = deque()
        self._arrivals = 0
        self._born = time.monotonic()
        self._accepts_the_backlog_until = 0.0

    def accept(self, listener: socket.socket) -> None:
        """Accept all who are waiting, not one for each turn of the loop: who is not accepted is not seen waiting."""
        before = -1
        while before != self._arrivals and self.nr_conns < self.worker_connections:
            before = self._arrivals
            super().accept(listener)

    def enqueue_req(self, conn: TConn) -> None:
        """Note the time before the connection waits for a thread: the caller's two seconds run already.

        If those before it wait for long, there are more calls than this machine can answer: then this one is turned
        away at once, so that at least the others are answered in time.
        """
        conn.arrived = time.monotonic()
        self._arrivals += 1
        if not isinstance(conn.sock, _ClientSocket):
            conn.sock = _ClientSocket(fileno=conn.sock.detach())
            if conn.arrived < self._accepts_the_backlog_until:
                conn.arrived = self._born  # it may have waited for as long as this process took to start
        if self._queue and conn.arrived - self._queue[0] > _LONGEST_QUEUE:
            self._turn_away(conn)
            return
        self._queue.append(conn.arrived)
        super().enqueue_req(conn)

    def _turn_away(self, conn: TConn) -> None:
        conn.sock.setblocking(False)
        with contextlib.suppress(OSError):
            socket.socket.recv(conn.sock, _MOST_UNREAD)  # closing with unread bytes would take the answer away again
        with contextlib.suppress(OSError):
            conn.sock.send(_bare_answer("200 OK", "X-Bridge-Outcome: unavailable\r\n"))
            conn.sock.shutdown(socket.SHUT_WR)
        conn.close()
        self.nr_conns -= 1

    def handle(self, conn: TConn) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Serve a request; a client that has connected without sending anything yet costs no thread meanwhile."""
        self._queue.popleft()
        conn.data_ready = conn.data_ready or _has_spoken(conn.sock)
        if not conn.data_ready:
            return _DEFER
        ARRIVED.set(conn.arrived)
        conn.sock.until = time.monotonic() + _HEAD_PATIENCE
        goes_on = super().handle(conn)
        if not goes_on:
            # gunicorn would linger for the client to close its end in the thread that accepts everybody's calls.
            conn.sock.until = time.monotonic() + _LINGER
            close_graceful(conn.sock, timeout=_LINGER)
            conn.close = _closed_already
        return goes_on

    def handle_error(self, _req: object, client: socket.socket, _addr: object, exc: BaseException) -> None:
        """Answer what is no proper HTTP request with a status and nothing else."""
        if not isinstance(exc, ParseException):
            _log.error("a request failed", exc_info=exc)
        client.sendall(_bare_answer(_status_line(exc)))

    def init_signals(self) -> None:
        """Let SIGHUP put the changed configuration in force instead of ending the process."""
        super().init_signals()
        signal.signal(signal.SIGHUP, self._hang_up)

    def load_wsgi(self) -> None:
        """Make the application, then allow reloads."""
        super().load_wsgi()
        self._loaded.set()
        gc.collect()
        gc.freeze()  # what is there for good need not be looked through again while a call waits

    def _hang_up(self, _signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=self._reload, name="reload", daemon=True).start()

    def run(self) -> None:
        """Serve until told to stop, then let the connectors release what they hold."""
        self._accepts_the_backlog_until = time.monotonic() + _MOMENT
        super().run()
        self.app.callable.extensions["omi_bridge"].close()

    def _reload(self) -> None:
        self._loaded.wait()
        try:
            self.app.callable.extensions["omi_bridge"].reload()
        except Exception:  # noqa: BLE001 - a reload may fail, the service may not
            _log.exception("not reloaded, the old configuration stays in force: a bug of omi-bridge")


def _has_spoken(sock: socket.socket) -> bool:
    """Tell whether there is something to read, were it the end; unlike select, for any number of open files."""
    try:
        socket.socket.recv(sock, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _closed_already(*, graceful: bool = False) -> None:
    """Stand in for closing a connection once more."""


def _bare_answer(status_line: str, headers: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status_line}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n{headers}"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode("ascii")
    )


def _status_line(error: BaseException) -> str:
    """Return the status of RFC 9110 and RFC 6585 for a request that could not be read."""
    if isinstance(error, LimitRequestLine):
        return "414 URI Too Long"
    if isinstance(error, LimitRequestHeaders):
        return "431 Request Header Fields Too Large"
    return "400 Bad Request" if isinstance(error, ParseException) else "500 Internal Server Error"
