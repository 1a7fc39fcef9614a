"""gunicorn, started from our own configuration, with the few things about it that this service needs different.

One process with threads (gthread): what is remembered lives in the process. The application is made in the worker,
after the fork, because threads and connection pools do not survive one. SIGHUP does not replace the worker, as
gunicorn would, which empties the memory and loses calls while files load: the master checks the configuration and
lets the workers put it in force themselves.
"""

import logging
import select
import signal
import socket
import threading
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from bridge.app import create_app
from bridge.config import Config, load_config
from bridge.endpoint import ARRIVED
from bridge.errors import ConfigError
from bridge.redaction import Redaction

_log = logging.getLogger(__name__)

_STOPPING_PATIENCE = 10


class PlainLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Leaves gunicorn's log lines to our own set-up; the endpoint has a line of its own for every call."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Let gunicorn's messages go to the root logger."""
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)
        self.error_log.handlers.clear()

    def access(self, *_: object) -> None:
        """Write nothing."""


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gthread worker that knows when a request arrived, and whose own error answers have no body."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        super().__init__(*args)
        self._loaded = threading.Event()

    def enqueue_req(self, conn: TConn) -> None:
        """Note the time before the connection waits for a thread: the caller's two seconds run already."""
        conn.arrived = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Count from the first byte instead if the client has connected without sending anything so far."""
        if not conn.data_ready and not select.select([conn.sock], [], [], 0)[0]:
            conn.wait_for_data(self.cfg.keepalive)
            conn.arrived = time.monotonic()
        ARRIVED.set(conn.arrived)
        return super().handle(conn)

    def handle_error(self, _req: object, client: socket.socket, _addr: object, exc: BaseException) -> None:
        """Answer what is no proper HTTP request with a status and nothing else."""
        if not isinstance(exc, ParseException):
            _log.error("a request failed", exc_info=exc)
        client.sendall(
            f"HTTP/1.1 {_status_line(exc)}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode("ascii")
        )

    def init_signals(self) -> None:
        """Let SIGHUP put the changed configuration in force instead of ending the process."""
        super().init_signals()
        signal.signal(signal.SIGHUP, self._hang_up)

    def load_wsgi(self) -> None:
        """Make the application, then allow reloads."""
        super().load_wsgi()
        self._loaded.set()

    def _hang_up(self, _signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=self._reload, name="reload", daemon=True).start()

    def _reload(self) -> None:
        self._loaded.wait()
        self.app.callable.extensions["omi_bridge"].reload()


def _status_line(error: BaseException) -> str:
    """Return the status of RFC 9110 and RFC 6585 for a request that could not be read."""
    if isinstance(error, LimitRequestLine):
        return "414 URI Too Long"
    if isinstance(error, LimitRequestHeaders):
        return "431 Request Header Fields Too Large"
    return "400 Bad Request" if isinstance(error, ParseException) else "500 Internal Server Error"


class _Master(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """The master process: restarts workers that died, and hands SIGHUP on to them."""

    def handle_hup(self) -> None:
        """Check the changed configuration once; only a valid one is worth the workers' time."""
        if self.app.reread():
            self.kill_workers(signal.SIGHUP)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The service under gunicorn."""

    def __init__(self, config: Config, redaction: Redaction, overrides: Mapping[str, object]) -> None:
        self._config = config
        self._redaction = redaction
        self._overrides = overrides
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings into gunicorn's (https://docs.gunicorn.org/en/stable/settings.html)."""
        server = self._config.settings.server
        chosen = {
            "bind": server.bind,
            "workers": server.workers,
            "threads": server.threads,
            **self._overrides,
            "worker_class": Worker,
            "logger_class": PlainLogger,
            "timeout": 60,
            "graceful_timeout": _STOPPING_PATIENCE,
            "keepalive": 5,
            "proc_name": "omi-bridge",
            "control_socket_disable": True,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application; runs in the worker."""
        return create_app(self._config, self._redaction)

    def reread(self) -> bool:
        """Take over the changed configuration for workers to come; tell whether it is valid, and log why not."""
        try:
            self._config = load_config(self._config.file)
        except ConfigError as error:
            for problem in error.problems:
                _log.error("not reloaded, the old configuration stays in force: %s", problem)
            return False
        return True

    def run(self) -> None:
        """Serve until told to stop."""
        _Master(self).run()
