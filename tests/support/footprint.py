"""What a process holds: memory, threads, sockets; read from /proc."""

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.service import RunningService


@dataclass(frozen=True)
class Footprint:
    """Memory is in MB."""

    memory: float
    threads: int
    sockets: int


def footprint(process: int) -> Footprint:
    folder = Path(f"/proc/{process}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    return Footprint(
        int(status["VmRSS"].split()[0]) / 1024,
        int(status["Threads"]),
        sum(_target(entry).startswith("socket:") for entry in (folder / "fd").iterdir()),
    )


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # closed in between


def worker_of(service: RunningService) -> int:
    """Return the process that answers now."""
    lines = [line for line in service.log if "Booting worker" in line]
    found = re.search(r"pid: (\d+)", lines[-1])
    assert found
    return int(found[1])


class Peak:
    """Watches the memory of a process for as long as the block lasts, and keeps the most that it saw, in MB."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.memory = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ending.wait(0.1):
            self.memory = max(self.memory, footprint(self._process).memory)
