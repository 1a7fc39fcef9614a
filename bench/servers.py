"""The processes that are measured, each on a free port of the loopback, ended with the `with` block that started it."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.config.sections import Server

KEY = "change-me"
CONFIG = """
api_keys: [{key}]
server: {{log_level: {log_level}}}
connectors:
  crm:
    type: rest
    base_url: http://127.0.0.1:{crm}
    steps:
      - path: owner
        query: {{phone: "{{{{ caller.national }}}}"}}
        records: records
        match: [phone]
        take: {{owner_id: owner}}
extensions:
  inline: {{"7": 101}}
"""
_HERE = Path(__file__).parent
_PATIENCE = 20.0
_PROCESS_TIME = 2
"""With the process in front, Linux's clock of its time on processors, as clock_getcpuclockid(3) makes it."""
_masters: dict[int, int] = {}
"""The first process of each server, by its port."""


@contextmanager
def crm() -> Iterator[int]:
    """Run a CRM that answers in a millisecond; gives its port."""
    process = subprocess.Popen([sys.executable, str(_HERE / "crm.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        _end(process)


@contextmanager
def service(crm: int, log_level: str = "info", workers: int = 1) -> Iterator[int]:
    """Run `omi-bridge serve` with its default settings, in one process if nothing else is said, its log in a file.

    Gives its port.
    """
    with TemporaryDirectory() as folder:
        config = Path(folder, "config.yaml")
        config.write_text(CONFIG.format(key=KEY, crm=crm, log_level=log_level), encoding="utf-8")
        port = _free_port()
        command = ["-m", "bridge", "serve", "-c", str(config), "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
        with _running(command, port, Path(folder, "log")):
            yield port


@contextmanager
def bare(app: str, crm: int = 0) -> Iterator[int]:
    """Run a plain application, `MODULE:NAME` here, in one process under gunicorn with the service's default settings.

    Gives its port.
    """
    port, defaults = _free_port(), Server()
    settings = {
        "--bind": f"127.0.0.1:{port}",
        "--chdir": str(_HERE),
        "--worker-class": "gthread",
        "--workers": "1",
        "--threads": str(defaults.threads),
        "--keep-alive": "5",
        "--worker-connections": "4000",
        "--timeout": "60",
        "--env": f"CRM=http://127.0.0.1:{crm}",
    }
    options = [word for setting in settings.items() for word in setting]
    with TemporaryDirectory() as folder, _running(["-m", "gunicorn", *options, app], port, Path(folder, "log")):
        yield port


def processor_seconds(port: int) -> float:
    """Return what the processes that answer there, the master not counted, have used of processors by now."""
    workers = Path(f"/proc/{_masters[port]}/task/{_masters[port]}/children").read_text(encoding="ascii").split()
    return sum(time.clock_gettime(~int(worker) << 3 | _PROCESS_TIME) for worker in workers)


def get(port: int, target: str) -> bytes:
    """Ask once over a connection of its own, as OMICall does, and return the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target, headers={"X-API-KEY": KEY})
        return connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, *command], stdout=file, stderr=file)
    _masters[port] = process.pid
    try:
        _wait_until_answering(process, port, log)
        yield
    finally:
        _end(process)


def _wait_until_answering(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            get(port, "/")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"a server does not answer:\n{log.read_text(errors='replace')}")


def _end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
