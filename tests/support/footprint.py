"""What a process holds: memory, threads, sockets; read from /proc."""

import threading
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Footprint:
    """Memory is in MB."""

    memory: float
    threads: int
    sockets: int


def footprint(processes: Sequence[int]) -> Footprint:
    """Return what they hold together."""
    each = [_footprint(process) for process in processes]
    memory, threads, sockets = (sum(figures) for figures in zip(*map(astuple, each), strict=True))
    return Footprint(memory, threads, sockets)


def _footprint(process: int) -> Footprint:
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


class Peak:
    """Watches the memory of processes for as long as the block lasts, and keeps the most that it saw, in MB."""

    def __init__(self, processes: Sequence[int]) -> None:
        self._processes = processes
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
            self.memory = max(self.memory, footprint(self._processes).memory)
