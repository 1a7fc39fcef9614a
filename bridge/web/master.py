"""gunicorn, started from our own configuration, with the few things about it that this service needs different.

One process with threads (gthread): what is remembered lives in the process. The application is made in the worker,
after the fork, because threads and connection pools do not survive one. SIGHUP does not replace the worker, as
gunicorn would, which empties the memory and loses calls while files load: all workers put it in force, or none does, as
`bridge.web.reloads` says. The master's loop, which gunicorn has for signals, hears the workers for that.
"""

import ctypes
import logging
import os
import resource
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from bridge.config.loading import Config, with_threads
from bridge.observability.logs import write_behind
from bridge.observability.metrics_folder import folder_for_figures, forget_process
from bridge.sdk.secrets import Redaction
from bridge.storage.machine import MachineMemory
from bridge.web.app import create_app
from bridge.web.control import ControlSocket
from bridge.web.reloads import Reloads
from bridge.web.worker import Worker

_log = logging.getLogger(__name__)

_STOPPING_PATIENCE = 10
_MOST_CONNECTIONS = 4000
_NO_STATUS = 256 + Arbiter.WORKER_BOOT_ERROR
"""No process ends with it: the system keeps the last eight bits."""
_SMALL_STACK = 1024 * 1024


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

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Tell what went wrong, but nothing of a client that said or read nothing for as long as it is waited for."""
        if not isinstance(sys.exception(), BlockingIOError):
            super().exception(msg, *args, **kwargs)


class _Master(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """The master process: restarts workers that died, and has all of them reload together."""

    _spawned = 0.0

    def init_signals(self) -> None:
        """Let a signal end the waiting for what workers and commands say."""
        super().init_signals()
        self._woken, wakes = os.pipe()
        for end in (self._woken, wakes):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)

    def manage_workers(self) -> None:
        """Start workers that are missing. Once one has served, none that cannot begin ends the others.

        Then it is the system that has no room for it just now: it is tried again, once a second.
        """
        if any(worker.tmp.has_beaten for worker in self.WORKERS.values()):
            self.WORKER_BOOT_ERROR = _NO_STATUS
        super().manage_workers()

    def spawn_workers(self) -> None:
        """Start workers that are missing, once a second at most."""
        if time.monotonic() - self._spawned > 1 or self.WORKER_BOOT_ERROR != _NO_STATUS:
            self._spawned = time.monotonic()
            super().spawn_workers()

    def spawn_worker(self) -> int | None:
        """Start a worker, with what is in force.

        If the system gives no process for it, that is told and the others serve: it is tried again.
        """
        try:
            pid: int = super().spawn_worker()
        except (OSError, MemoryError) as error:
            _log.error("no worker can be started: %s; %d are there", error, len(self.WORKERS))
            return None
        worker = self.WORKERS[pid]
        worker.forked()
        self.app.reloads.joined(worker)
        return pid

    def handle_hup(self) -> None:
        """Read the configuration again."""
        self.app.reloads.ask()

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Wait for signals and, meanwhile, for what workers and commands say."""
        try:
            self._hear(timeout)
            timeout = 0.0
        except Exception:  # noqa: BLE001 - whatever goes wrong in a reload, gunicorn would end the service
            _log.exception("a bug of omi-bridge in a reload")
        signals: list[int] = super().wait_for_signals(timeout)
        return signals

    def _hear(self, timeout: float) -> None:
        self.app.control.listen()
        self.app.reloads.tick()
        with selectors.PollSelector() as selector:  # made anew: what there is to be heard changes with each word
            for file, heard in self._heard().items():
                selector.register(file, selectors.EVENT_READ, heard)
            for key, _ in selector.select(timeout):
                key.data()
        self.app.reloads.tick()

    def stop(self, graceful: bool = True) -> None:
        """End all workers, and before that a reload under way."""
        self.app.reloads.stop()
        self.app.control.close()
        super().stop(graceful)

    def _heard(self) -> dict[int, Callable[[], object]]:
        """Return what is to be listened to, by its descriptor, with what to do when there is something."""
        reloads, control = self.app.reloads, self.app.control
        heard: dict[int, Callable[[], object]] = {self._woken: lambda: os.read(self._woken, 4096)}
        heard |= {worker.line.fileno(): partial(reloads.hear, worker) for worker in reloads.processes()}
        heard |= {client.fileno(): partial(control.hear, client) for client in control.clients()}
        return heard | ({control.fileno(): control.accept} if control.fileno() is not None else {})


class GunicornServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The service under gunicorn."""

    def __init__(self, config: Config, redaction: Redaction) -> None:
        self.reloads = Reloads(config, redaction)
        self.control = ControlSocket(config.file, self.reloads.ask)
        self._redaction = redaction
        self._memory = MachineMemory.make()
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings into gunicorn's (https://docs.gunicorn.org/en/stable/settings.html)."""
        server = self.reloads.config.settings.server
        chosen = {
            "bind": server.bind,
            "workers": server.workers,
            "threads": server.threads,
            "worker_class": Worker,
            "logger_class": PlainLogger,
            "timeout": 60,
            "graceful_timeout": _STOPPING_PATIENCE,
            "keepalive": 5,
            "worker_connections": _most_connections(),
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "limit_request_field_size": 4096,
            # Whose word counts is for `server.trusted_proxies` to say: gunicorn need not believe anybody.
            "forwarded_allow_ips": "",
            "proc_name": "omi-bridge",
            "control_socket_disable": True,
            "child_exit": lambda _master, worker: self._left(worker),
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application; runs in the worker."""
        config = with_threads(self.reloads.config, self.cfg.threads)
        return create_app(config, self._redaction, self.reloads.refused, self._memory)

    def close_inherited(self) -> None:
        """Close what is the master's own in a worker that was just forked."""
        self.control.close()
        self.reloads.close()

    def run(self) -> None:
        """Serve until told to stop."""
        _spare_address_space()
        write_behind(self._redaction)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with folder_for_figures(self.reloads.config.settings.server.workers):
            _Master(self).run()

    def _left(self, worker: Worker) -> None:
        forget_process(worker.pid)
        self.reloads.left(worker)


def _most_connections() -> int:
    """Return how many connections a worker may have: each is an open file, and half of those are for all else."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(_MOST_CONNECTIONS, files // 2)


def _spare_address_space() -> None:
    """Where address space is limited, let each thread take a megabyte of it and not, as glibc would, seventy.

    Source: mallopt(3), M_ARENA_MAX, which is -8 in malloc.h.
    """
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        threading.stack_size(_SMALL_STACK)
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(-8, 1)
