"""What a process holds: its threads, sockets and files, and what of them was not there before."""

import gc
import threading
import time
from contextlib import suppress
from pathlib import Path

from bridge.sdk.deadline import Deadline
from bridge.testing.conformance.outcome import ASKING
from bridge.testing.scripted_server import THREADS

_DESCRIPTORS = Path("/proc/self/fd")


class Holdings:
    """The threads, sockets and files that this process has just now."""

    def __init__(self) -> None:
        gc.collect()
        self._threads = set(threading.enumerate())
        self._files = _files()

    def left(self, seconds: float) -> list[str]:
        """Say what has come since and does not go within so many seconds."""
        patience = Deadline.after(seconds)
        while (left := self._new()) and not patience.expired():
            time.sleep(0.02)
        return left

    def _new(self) -> list[str]:
        threads = [thread for thread in threading.enumerate() if thread.name not in {THREADS, ASKING}]
        files = _files()
        new = [target for number, target in files.items() if self._files.get(number) != target]
        return [f"the thread {thread.name!r}" for thread in threads if thread not in self._threads] + [
            "a socket" if target.startswith("socket:") else f"the file {target}" for target in new
        ]


def lasting_threads() -> list[threading.Thread]:
    """Return the threads, but the main one, that keep the interpreter from coming to its end."""
    threads = [thread for thread in threading.enumerate() if not thread.daemon]
    return [thread for thread in threads if thread is not threading.main_thread()]


def _files() -> dict[str, str]:
    """Return what this process has open, by its descriptors; nothing where the system does not tell."""
    files = {}
    with suppress(OSError):
        for entry in _DESCRIPTORS.iterdir():
            with suppress(OSError):
                files[entry.name] = str(entry.readlink())
    return files
