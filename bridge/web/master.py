"""gunicorn, started from our own configuration, with the few things about it that this service needs different.

One process with threads (gthread): what is remembered lives in the process. The application is made in the worker,
after the fork, because threads and connection pools do not survive one. SIGHUP does not replace the worker, as
gunicorn would, which empties the memory and loses calls while files load: the workers put it in force themselves, or
say what is wrong with it.
"""

import logging
import resource
import signal
import sys
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from bridge.config.loading import Config
from bridge.observability.metrics_folder import folder_for_figures, forget_process
from bridge.sdk.errors import ConfigError
from bridge.sdk.secrets import Redaction
from bridge.storage.machine import MachineMemory
from bridge.web.app import create_app, reread
from bridge.web.worker import Worker

_STOPPING_PATIENCE = 10
_MOST_CONNECTIONS = 4000


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
    """The master process: restarts workers that died, and hands SIGHUP on to them."""

    def handle_hup(self) -> None:
        """Have every worker read the configuration again, those to come as well."""
        self.app.reread()
        self.kill_workers(signal.SIGHUP)


class GunicornServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The service under gunicorn."""

    def __init__(self, config: Config, redaction: Redaction) -> None:
        self._config = config
        self._redaction = redaction
        self._refused = ""
        self._memory = MachineMemory.make()
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings into gunicorn's (https://docs.gunicorn.org/en/stable/settings.html)."""
        server = self._config.settings.server
        chosen = {
            "bind": server.bind,
            "workers": server.workers,
            "threads": server.threads,
            "worker_class": Worker,
            "logger_class": PlainLogger,
            "timeout": 60,
            "graceful_timeout": _STOPPING_PATIENCE,
            "keepalive": 5,
            "worker_connections": _MOST_CONNECTIONS,
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "limit_request_field_size": 4096,
            # Whose word counts is for `server.trusted_proxies` to say: gunicorn need not believe anybody.
            "forwarded_allow_ips": "",
            "proc_name": "omi-bridge",
            "control_socket_disable": True,
            "child_exit": lambda _master, worker: forget_process(worker.pid),
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application; runs in the worker."""
        return create_app(self._config, self._redaction, self._refused, self._memory)

    def reread(self) -> None:
        """Take over the changed configuration for workers to come, if it is valid; those that run say why not."""
        try:
            self._config, self._refused = reread(self._config), ""
        except ConfigError as error:
            self._refused = str(error.problems[0])

    def run(self) -> None:
        """Serve until told to stop."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each connection is an open file
        with folder_for_figures(self._config.settings.server.workers):
            _Master(self).run()
