"""The process that answers: gunicorn's threaded worker, with what a caller's two seconds ask of it.

It knows when each request arrived, also one that waited for a thread or for the start; it turns calls away while there
are more than can be answered; it answers what is no proper request without a body. Slow, half and countless connections
are the affair of the proxy in front, see docs/decisions/proxy-in-front.md; here a client costs a thread a second at
most, whatever it does.
"""

import gc
import logging
import os
import signal
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers import base
from gunicorn.workers.workertmp import WorkerTmp

from bridge.local.packets import Line
from bridge.observability.metrics_folder import remove_figures
from bridge.resilience.patient_worker import PatientWorker
from bridge.sdk.threads.background import NO_THREAD, BackgroundLoop, start_what_waits
from bridge.web.app import Bridge
from bridge.web.connections import OneSend, begins_with, date, empty_answer, has_ended, waited
from bridge.web.endpoint import ARRIVED
from bridge.web.follower import Follower

_log = logging.getLogger(__name__)

_LONGEST_QUEUE = 0.75
_SILENCE = 0.005
_PATIENCE = struct.pack("ll", 1, 0)
"""A second, as SO_RCVTIMEO and SO_SNDTIMEO take it (socket(7))."""
_FEWEST_THREADS = 2
_OTHER_THREADS = 32
"""How many there have to be for what is not serving requests: the log, the files, the sources' lookups."""
_REMEDY = " (`ulimit -u`, `ulimit -v`, `TasksMax=` of systemd, `pids_limit` of a container)"
_PULSE = 1.0
_ORPHANED = 5.0
"""Seconds after the master's death in which a worker may end as it should."""
_MALFORMED = (
    (LimitRequestLine, "414 URI Too Long", "too-long", "the first line of a request is too long"),
    (LimitRequestHeaders, "431 Request Header Fields Too Large", "too-long", "the headers of a request are too long"),
    (ParseException, "400 Bad Request", "malformed", "what came is no HTTP request"),
)
_A_BUG = ("500 Internal Server Error", "bug", "")
_TLS = r"\x16\x03"
"""What a client begins with that speaks TLS (RFC 8446, 5.1), as gunicorn's errors show it."""

_UNAVAILABLE = empty_answer("200 OK", "X-Bridge-Outcome: unavailable")
_COME_AGAIN = empty_answer("503 Service Unavailable", "Retry-After: 1")
"""For who has something to tell: 200 would mean that it was heard."""


def _host(address: object) -> str:
    return str(address[0]) if isinstance(address, tuple) and address else "an unknown address"


def threads_to_be_had(wanted: int) -> int:
    """Return how many threads the system gives this process just now, `wanted` at most."""
    enough = threading.Event()
    threads = [threading.Thread(target=enough.wait, name="trial", daemon=True) for _ in range(wanted)]
    started = 0
    with suppress(*NO_THREAD):
        for started, thread in enumerate(threads):  # noqa: B007 - how far it came
            thread.start()
        started = wanted
    enough.set()
    for thread in threads[:started]:
        thread.join()
    return started


class Heartbeat(WorkerTmp):  # type: ignore[misc]  # gunicorn has no types
    """The file by whose time the master sees that a worker is alive: in memory, for there may be no folder for it."""

    def __init__(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        if hasattr(os, "memfd_create"):
            self._tmp = os.fdopen(os.memfd_create("omi-bridge-heartbeat"), "w+b", 0)
        else:
            super().__init__(cfg)

    @property
    def has_beaten(self) -> bool:
        """Whether the worker has begun to serve."""
        return os.fstat(self.fileno()).st_size > 0

    def notify(self) -> None:
        """Show that the worker is alive."""
        os.pwrite(self.fileno(), b"1", 0)
        super().notify()


# gunicorn offers no other way in.
base.WorkerTmp = Heartbeat
wsgi.Response = OneSend
util.http_date = date


class Worker(PatientWorker):
    """A worker that knows when a request arrived, and whose own error answers have no body."""

    ARRIVAL, SLOWEST = 1.0, 0

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        super().__init__(*args)
        self.line, self._own_line = Line.pair()  # the first is the master's end
        self._serving_since = self._beaten_at = 0.0

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Make the threads that serve requests, all of them now: later there may be none to be had.

        Where the system gives fewer than are asked for, it is as many as leave some for everything else.
        """
        wanted = self.cfg.threads
        found = threads_to_be_had(wanted + _OTHER_THREADS)
        if found < wanted + _OTHER_THREADS:
            share = found // self.cfg.workers  # the others may have to do with the same
            self.cfg.set("threads", min(wanted, max(share - _OTHER_THREADS, share // 3, _FEWEST_THREADS)))
            told = "asked for %d threads to answer calls, got %d: the system gives this process %d in all%s"
            _log.warning(told, wanted, self.cfg.threads, found, _REMEDY)
        return self._pool_of(self.cfg.threads)

    def _pool_of(self, threads: int) -> ThreadPoolExecutor:
        pool: ThreadPoolExecutor = super().get_thread_pool()
        all_there = threading.Barrier(threads)
        try:
            for _ in range(threads):
                pool.submit(all_there.wait)  # a thread that waits here is not idle, so the next one is made
        except NO_THREAD:
            all_there.abort()
            # Those that are there serve all: the pool would else try to make more, and fail, with each call.
            pool._max_workers = max(1, len(pool._threads))  # noqa: SLF001 - nothing else says so
        return pool

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection; if the system has no room for one just now, it waits where it is."""
        try:
            super().accept(listener)
        except OSError as error:
            _log.warning("no connection can be accepted just now: %s", error)
            time.sleep(_SILENCE)  # it is still there in a moment, and would be tried without end

    def serve(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Serve a request, in a thread; say whether the connection goes on.

        Whoever has waited for too long for this thread is turned away, so that at least the others are answered in
        time; who came while the service started is not, for there is no crowd behind him.
        """
        now = time.monotonic()
        arrived = now - waited(conn.sock)
        if now - arrived > _LONGEST_QUEUE and arrived > self._serving_since:
            return self._turn_away(conn.sock, now - arrived)
        ARRIVED.set(arrived)
        return super().serve(conn)

    # gunicorn's own method, private: it would hold this thread for five seconds for the rest of a body.
    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:  # noqa: ANN401 - gunicorn has no types
        """Let a connection go on if its request had no body, or one that is there already."""
        return keepalive and bool(conn.parser.finish_body(deadline=time.monotonic() + _SILENCE))

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:  # noqa: ANN401 - gunicorn has no types
        """Have a kept connection's next request served by a thread; none is needed to see that there is no more."""
        if not has_ended(client):
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self.nr_conns -= 1
        client.close()

    def handle_error(self, _req: object, client: socket.socket, addr: object, exc: BaseException) -> None:
        """Answer what is no proper HTTP request with a status (RFC 9110, RFC 6585) and nothing else."""
        status, word, why = next((told for kind, *told in _MALFORMED if isinstance(exc, kind)), _A_BUG)
        if word == "bug":
            _log.error("a request failed", exc_info=exc)
        else:  # nothing of the request is shown: it may hold a number or a key
            kind = "HTTPS, which the proxy in front is for" if _TLS in str(exc) else type(exc).__name__
            _log.warning("%s for %s: %s: %s", int(status[:3]), _host(addr), why, kind)
        self._bridge.metrics.refused(word)
        client.sendall(empty_answer(status))

    def init_signals(self) -> None:
        """Let SIGHUP do nothing here, whoever sends it to all processes: the master says when to reload."""
        held = signal.pthread_sigmask(signal.SIG_BLOCK, self.SIGNALS)
        super().init_signals()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)

    def notify(self) -> None:
        """Show the master and the other processes that this one is alive, every second.

        What found no thread when it was to begin, begins now.
        """
        super().notify()
        start_what_waits()
        if self._serving_since and (now := time.monotonic()) - self._beaten_at >= _PULSE:
            self._beaten_at = now
            self._bridge.memory.beat()

    def forked(self) -> None:
        """Leave the worker's own end of the line to it; runs in the master."""
        self._own_line.close()

    def init_process(self) -> None:
        """Leave to the master what is its own, and serve; runs in the worker."""
        self.app.close_inherited()
        self.line.close()
        super().init_process()

    def load_wsgi(self) -> None:
        """Make the application, then hear what the master says about reloads."""
        BackgroundLoop("master", self._end_with_the_master).start()
        super().load_wsgi()
        Follower(self._own_line, self.app.callable.extensions["omi_bridge"]).start()
        gc.collect()
        gc.freeze()  # what is there for good need not be looked through again while a call waits

    def run(self) -> None:
        """Serve until told to stop, then let the connectors release what they hold."""
        for listener in self.sockets:  # connections inherit it, and setting them to block does not undo it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENCE)
        self._serving_since = time.monotonic()
        super().run()
        self._bridge.close()

    def _end_with_the_master(self) -> float:
        """End this process if the master has died, whatever it hangs in: who starts it anew wants its place."""
        if os.getppid() == self.ppid:
            return _PULSE
        remove_figures()
        time.sleep(_ORPHANED)
        logging.shutdown()
        os._exit(1)

    @property
    def _bridge(self) -> Bridge:
        """The application that runs here."""
        bridge: Bridge = self.app.callable.extensions["omi_bridge"]
        return bridge

    def _turn_away(self, client: socket.socket, seconds: float) -> bool:
        _log.warning("a call is turned away: it has waited %.2f s for one of %d threads", seconds, self.cfg.threads)
        self._bridge.metrics.turned_away()
        answer = _COME_AGAIN if begins_with(client, b"POST ") else _UNAVAILABLE
        client.setblocking(True)
        client.sendall(answer)
        return False
