"""The process that answers: gunicorn's threaded worker, with what a caller's two seconds ask of it.

Its loop accepts everybody and gives a thread only to whole requests (`Reception`); it knows when each one arrived, also
one that waited for a thread or for the start; it turns calls away while there are more than can be answered; and it
answers what is no proper request without a body.
"""

import errno
import gc
import logging
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

from bridge.bare_answer import UNAVAILABLE, bare_answer, status_line
from bridge.client_socket import ClientSocket
from bridge.crowd import Crowd
from bridge.door import Door
from bridge.endpoint import ARRIVED
from bridge.logs import write_behind
from bridge.reception import Reception, Visitor

_log = logging.getLogger(__name__)

_LONGEST_QUEUE = 0.5
_ACCEPTED_AT_ONCE = 200
_MOMENT = 0.1
_NOBODY_THERE = {errno.EAGAIN, errno.ECONNABORTED}
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gthread worker that knows when a request arrived, and whose own error answers have no body."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        super().__init__(*args)
        self._loaded = threading.Event()
        self._queue: deque[float] = deque()
        self._born = time.monotonic()
        self._accepts_the_backlog_until = 0.0

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Make the threads that serve requests, all of them now: no call has to wait for one to be made."""
        pool: ThreadPoolExecutor = super().get_thread_pool()
        all_there = threading.Barrier(self.cfg.threads)
        try:
            for _ in range(self.cfg.threads):
                pool.submit(all_there.wait)  # a thread that waits here is not idle, so the next one is made
        except RuntimeError:  # as many as the system allows
            all_there.abort()
        return pool

    def receive(self, door: Door, turned_away: Callable[[], None]) -> None:
        """Make ready for connections; `turned_away` is told of each call that there is no time for."""
        self._turned_away = turned_away
        self._crowd = Crowd(door)
        self._reception = Reception(self.poller, door, self.enqueue_req, self._count_out)

    def accept(self, listener: socket.socket) -> None:
        """Accept all who are waiting, not one for each turn of the loop: who is not accepted is not seen waiting."""
        for _ in range(_ACCEPTED_AT_ONCE):
            if self.nr_conns >= self.worker_connections:
                return
            try:
                accepted, peer = listener.accept()
            except OSError as error:
                if error.errno in _NO_ROOM and self._reception.make_room():
                    continue
                if error.errno in _NO_ROOM | _NOBODY_THERE:
                    return
                raise
            if not self._crowd.let_in(peer[0]):
                accepted.close()
                continue
            self.nr_conns += 1
            if self.nr_conns >= self.worker_connections:
                self._reception.make_room()
            self._reception.welcome(Visitor(self.cfg, ClientSocket(accepted), peer, listener.getsockname()))

    def enqueue_req(self, conn: Visitor) -> None:
        """Let a whole request wait for a thread: the caller's two seconds run already.

        If those before it wait for long, there are more calls than this machine can answer: then this one is turned
        away at once, so that at least the others are answered in time.
        """
        now = time.monotonic()
        if conn.arrived < self._accepts_the_backlog_until and not conn.initialized:
            conn.arrived = self._born  # it may have waited for as long as this process took to start
        if self._queue and now - self._queue[0] > _LONGEST_QUEUE:
            self._reception.dismiss(conn, UNAVAILABLE)
            self._turned_away()
            return
        self._queue.append(now)
        super().enqueue_req(conn)

    def handle(self, conn: Visitor) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Serve a request, in a thread; all of its head is there."""
        self._queue.popleft()
        conn.data_ready = True
        ARRIVED.set(conn.arrived)
        return super().handle(conn)

    def finish_request(self, conn: Visitor, fs: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Wait for the connection's next request without a thread, or see it off."""
        goes_on = not fs.cancelled() and not fs.exception() and fs.result()
        # Where the body did not come whole, nobody knows where the next request begins.
        if goes_on and not conn.sock.cut_short:
            conn.sock.give_back(conn.parser.unreader.take_buffered())
            self._reception.welcome(conn)
        else:
            self._reception.dismiss(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Look after those who wait more often than gunicorn would."""
        super().wait_for_and_dispatch_events(min(timeout, _MOMENT) if len(self._reception) else timeout)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections that have waited for long enough; at the end of all, every one."""
        self._reception.close_who_waited_enough(stopping=not self.alive, everybody=force)

    def handle_error(self, _req: object, client: socket.socket, _addr: object, exc: BaseException) -> None:
        """Answer what is no proper HTTP request with a status and nothing else."""
        if not isinstance(exc, ParseException):
            _log.error("a request failed", exc_info=exc)
        client.sendall(bare_answer(status_line(exc)))

    def init_signals(self) -> None:
        """Let SIGHUP put the changed configuration in force instead of ending the process."""
        super().init_signals()
        signal.signal(signal.SIGHUP, self._hang_up)

    def load_wsgi(self) -> None:
        """Make the application, then allow reloads."""
        write_behind()
        super().load_wsgi()
        self._loaded.set()
        gc.collect()
        gc.freeze()  # what is there for good need not be looked through again while a call waits

    def run(self) -> None:
        """Serve until told to stop, then let the connectors release what they hold."""
        bridge = self.app.callable.extensions["omi_bridge"]
        self.receive(bridge.door, bridge.metrics.turned_away)
        self._accepts_the_backlog_until = time.monotonic() + _MOMENT
        super().run()
        bridge.close()

    def _count_out(self, conn: Visitor) -> None:
        self.nr_conns -= 1
        self._crowd.count_out(conn.client[0])

    def _hang_up(self, _signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=self._reload, name="reload", daemon=True).start()

    def _reload(self) -> None:
        self._loaded.wait()
        try:
            self.app.callable.extensions["omi_bridge"].reload()
        except Exception:  # noqa: BLE001 - a reload may fail, the service may not
            _log.exception("not reloaded, the old configuration stays in force: a bug of omi-bridge")
