"""The real service in a process of its own, and a client that sees what OMICall would see."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_PATIENCE = 20.0


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: http.client.HTTPMessage
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode()


class RunningService:
    """`omi-bridge serve` on a free port of the loopback, or on a given `port`; its log is collected line by line.

    It is one process, unless the file or the options say how many.
    """

    def __init__(
        self,
        config: Path,
        *options: str,
        environment: dict[str, str] | None = None,
        command: Sequence[str] = (sys.executable, "-m", "bridge"),
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.log: list[str] = []
        self._news = threading.Condition()
        self._reads = threading.Event()
        self._reads.set()
        said = "--workers" in options or "workers" in config.read_text(encoding="utf-8", errors="replace")
        processes = () if said else ("--workers", "1")
        self.process = subprocess.Popen(
            [*command, "serve", "-c", str(config), "--bind", f"127.0.0.1:{self.port}", *processes, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        try:
            self.wait_for_log("Booting worker")
            self._wait_until_answering()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def begun(self) -> list[int]:
        """The processes that answer, and those before them that ended, in the order in which they were begun."""
        return [int(found[1]) for line in self.log if (found := re.search(r"Booting worker with pid: (\d+)", line))]

    @property
    def workers(self) -> list[int]:
        """The processes that answer, or are about to."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]

    def wait_for_workers(self, begun: int) -> list[int]:
        """Return the processes that were begun, once they are so many: one answers before the next is begun."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.begun) >= begun, timeout=_PATIENCE), "\n".join(self.log)
        return self.begun

    def ask(
        self, phone: str = "0901234567", *, query: str | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        target = "/get_owner_contact_by_phone?" + (f"phoneNumber={phone}" if query is None else query)
        return self._get(target, {"X-API-KEY": "change-me", **(headers or {})})

    def page(self, path: str) -> Reply:
        """Ask for a page of the service itself, without a key."""
        return self._get(path, {})

    @property
    def troubles(self) -> dict[str, str]:
        """What `/healthz` says is wrong."""
        found: dict[str, str] = json.loads(self.page("/healthz").body)["troubles"]
        return found

    def _get(self, target: str, headers: dict[str, str]) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        started = time.monotonic()
        try:
            connection.request("GET", target, headers=headers)
            response = connection.getresponse()
            body = response.read()
            return Reply(response.status, body, response.headers, time.monotonic() - started)
        finally:
            connection.close()

    def ask_until(self, phone: str, body: bytes) -> Reply:
        """Ask again and again until the body is as expected, and return the last reply in any case."""
        end = time.monotonic() + _PATIENCE
        while (reply := self.ask(phone)).body != body and time.monotonic() < end:
            threading.Event().wait(0.02)
        return reply

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, and return everything that comes back."""
        with self.connect(request) as connection:
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            return received

    def connect(self, request: bytes) -> socket.socket:
        """Send bytes over a connection of one's own, and leave it open."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(request)
        return connection

    def hang_up(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def wait_for_log(self, pattern: str) -> str:
        """Return the first log line with `pattern`, waiting for it if need be."""
        with self._news:
            found = self._news.wait_for(lambda: self._first(pattern), timeout=_PATIENCE)
        assert found, f"{pattern!r} is not in the log:\n" + "\n".join(self.log)
        return found

    def stop_reading_the_log(self) -> None:
        """Let the service write into a pipe that nobody empties, until it is stopped."""
        self._reads.clear()

    def stop(self) -> int:
        self._reads.set()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._reader.join(_PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()
        return status

    def _first(self, pattern: str) -> str | None:
        return next((line for line in self.log if re.search(pattern, line)), None)

    def _read_log(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._reads.wait()
            with self._news:
                self.log.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _wait_until_answering(self) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.ask("anonymous")
            except OSError:
                threading.Event().wait(0.02)
            else:
                return
        raise AssertionError("the service does not answer:\n" + "\n".join(self.log))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
