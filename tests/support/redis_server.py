"""A real Redis for tests, at a free port of 127.0.0.1 and without persistence; it can be made to fail in many ways."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from types import TracebackType
from typing import Any, Self

import pytest

from tests.support.service import free_port

_SERVER = shutil.which("redis-server") or shutil.which("valkey-server")
_PATIENCE = 10.0

needs_redis = pytest.mark.system


class RunningRedis:
    """The server in a process of its own; used with `with`. `options` are those of its command line."""

    def __init__(self, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        if not _SERVER:
            pytest.skip("no Redis is installed (apt-get install redis-server)")
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp"]
        options = [option.replace("{port}", str(self.port)) for option in self._options]
        self._process = subprocess.Popen([_SERVER, *own, *options], stdout=subprocess.DEVNULL)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                threading.Event().wait(0.01)
            else:
                return
        raise AssertionError("redis-server does not start")

    def kill(self) -> None:
        """End it at once."""
        if self._process:
            self._process.kill()
            self._process.wait(_PATIENCE)
            self._process = None

    def freeze(self) -> None:
        """Let it stand still, its connections open."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def fill(self) -> None:
        """Let its memory be full."""
        with self.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", 1)

    def empty(self) -> None:
        """Let it have room again."""
        with self.client() as client:
            client.config_set("maxmemory", 0)

    def client(self) -> Any:
        """Return a client of the test's own."""
        import redis  # noqa: PLC0415 - not everywhere

        return redis.Redis(port=self.port, protocol=2)

    def contents(self) -> dict[bytes, bytes]:
        """Return every content and lock that is in it, but not what is only counted."""
        with self.client() as client:
            return {key: client.get(key) for key in client.scan_iter(_type="string")}

    def _send(self, number: signal.Signals) -> None:
        assert self._process
        os.kill(self._process.pid, number)
