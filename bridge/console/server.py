"""The console under gunicorn: one process with a few threads, of its own, so that nothing here delays a call."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from bridge.resilience.patient_worker import PatientWorker


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Leaves gunicorn's log lines to our own set-up; who looked at what, the pages tell."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Let gunicorn's messages go to the root logger."""
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.handlers.clear()

    def access(self, *_: object) -> None:
        """Write nothing."""


class ConsoleServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves the application at HOST:PORT until told to stop."""

    def __init__(self, app: Flask, bind: str) -> None:
        self._app = app
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        """Say how it is served (https://docs.gunicorn.org/en/stable/settings.html)."""
        chosen = {
            "bind": self._bind,
            "workers": 1,  # sessions and tries of the password are one process's
            "threads": 32,
            "worker_class": PatientWorker,
            "logger_class": QuietLogger,
            "limit_request_line": 4094,
            "forwarded_allow_ips": "",
            "proc_name": "omi-bridge-console",
            "control_socket_disable": True,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application."""
        return self._app
