"""gunicorn's threaded worker, of which no client holds a thread for long, however slowly it sends or reads.

gunicorn waits for a head or a body for as long as something comes now and then, and for a reader without end: a few
clients with bad manners would take all threads. Silence costs none, and who is late is cut off.
"""

import select
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.workers import gthread

from bridge.sdk.threads.background import NO_THREAD
from bridge.sdk.threads.timer import Planned, Timer

if TYPE_CHECKING:
    from concurrent.futures import Future

_SILENCE = 0.005
_LEAVING = 0.5
_LARGEST = 25_000_000
"""Bytes of a body beyond which nobody is given more time."""


class PatientWorker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """From when a request has a thread, it has `ARRIVAL` seconds to arrive, and `LONGEST` more to be answered.

    A body has as long besides as it takes at `SLOWEST` bytes a second; 0 leaves it to who reads it.
    """

    ARRIVAL, LONGEST = 5.0, 60.0
    SLOWEST = 128 * 1024

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        super().__init__(*args)
        self._timer = Timer("late-clients")

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Serve a request, in a thread; say whether the connection goes on."""
        if not conn.initialized and not conn.data_ready and not _has_data(conn.sock, _SILENCE):
            return gthread._DEFER  # noqa: SLF001 - gunicorn's own word for "wait for it without a thread"
        conn.data_ready = True
        conn.late = self._after(self.ARRIVAL, partial(self._give_up, conn))
        try:
            goes_on = self.serve(conn)
        finally:
            conn.late.cancel()
        if not goes_on:  # here, not in `finish_request`: there a client that does not close makes all others wait
            util.close_graceful(conn.sock, _LEAVING)
        return goes_on

    def serve(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Serve a request of which something has come; say whether the connection goes on."""
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Answer a request whose head is whole."""
        conn.late.cancel()
        if self.SLOWEST:
            conn.late = self._after(self.ARRIVAL + _size(req) / self.SLOWEST, partial(self._give_up, conn))
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:  # noqa: ANN401 - gunicorn has no types
        """Wait for the connection's next request without a thread, or forget it."""
        if fs.cancelled() or fs.exception() or not fs.result():
            self.nr_conns -= 1
            conn.sock.close()
        else:
            super().finish_request(conn, fs)

    def _give_up(self, conn: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Read no more of a request, and wait no more for who does not read its answer."""
        conn.late = self._after(self.LONGEST, partial(_cut, conn.sock, socket.SHUT_RDWR))
        _cut(conn.sock, socket.SHUT_RD)

    def _after(self, seconds: float, do: Any) -> Planned:  # noqa: ANN401 - a function
        """Do it after so many seconds, or never where the system has no thread for that: no call is lost by it."""
        try:
            return self._timer.after(seconds, do)
        except NO_THREAD:
            return Planned(do)


def _size(req: Any) -> int:  # noqa: ANN401 - gunicorn has no types
    """Return how many bytes of a body are told to come; none if they come in chunks."""
    told = next((value for name, value in req.headers if name == "CONTENT-LENGTH"), "0")
    return min(int(told), _LARGEST) if told.isdecimal() else 0


def _has_data(sock: socket.socket, seconds: float) -> bool:
    """Wait for something to read; tell whether there is, or an end."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _cut(connection: socket.socket, what: int) -> None:
    with suppress(OSError):
        connection.shutdown(what)
