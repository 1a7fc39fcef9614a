"""A configuration with a console, whose password everybody knows here, and the console in a process of its own."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.security import generate_password_hash

from bridge.config.console import Console, load_console
from bridge.config.loading import load_config
from tests.support.service import free_port

PASSWORD = "correct horse battery"
HASHED = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
"""Quick to check: what it costs is the library's affair."""

SECTION = f"console: {{password: '{HASHED}', hosts: [localhost, 127.0.0.1]}}\n"

CONFIG = f"""
api_keys: [change-me]
connectors:
  customers: {{type: csv, path: customers.csv}}
extensions:
  inline: {{lan@congty.example: ["101", "102"]}}
{SECTION}"""


def write_config(folder: Path, others: str) -> Path:
    """Write a configuration with a console, whose customers are Lan's 0901234567 and those of `others`, a row each."""
    config = folder / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    customers = f"phone,owner_email\n0901234567,lan@congty.example\n{others}\n"
    (folder / "customers.csv").write_text(customers, encoding="utf-8")
    return config


def with_console(file):
    """Add the section to a configuration file, and read both."""
    file.write_text(file.read_text(encoding="utf-8") + SECTION, encoding="utf-8")
    return load_config(file), load_console(file)


def settings_of(**settings: object) -> Console:
    """Return the section of a console whose name is localhost."""
    return Console(password=HASHED, hosts=["localhost"], **settings)


_PATIENCE = 20.0


@contextmanager
def running_console(config: Path) -> Iterator[str]:
    """Start `omi-bridge console`, and give the address of its pages once they are answered."""
    with listening("bridge", "console", "-c", str(config), "--bind") as address:
        yield address


@contextmanager
def listening(*module: str) -> Iterator[str]:
    """Start a module with a HOST:PORT behind its own arguments, and give the address once it listens."""
    port = free_port()
    command = [sys.executable, "-m", *module, f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    pause = threading.Event()
    for _ in range(int(_PATIENCE / 0.05)):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            pause.wait(0.05)
        else:
            return
    raise AssertionError("the console does not listen")
