"""Tests of what is left behind: `close` releases what was acquired, whenever it comes."""

import gc
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from bridge.deadline import Deadline
from bridge.testing.outcome import complain
from bridge.testing.scripted import THREADS
from bridge.testing.subject import Subject, close

_DESCRIPTORS = Path("/proc/self/fd")
_CALLS = 8


class Releasing(Subject):
    """How a connector ends."""

    def test_closing_releases_threads_and_connections(self, place: Any) -> None:  # noqa: ANN401
        """Leaves no thread, socket or file behind."""
        with self.opened(place) as connector:
            self.ask(connector)  # what is imported or opened once for all is there from now on
        before = Holdings()
        with self.opened(place) as connector:
            self.ask(connector)
            self.ask(connector, self.strangers[0])
        left = before.left(self.margin)
        if left:
            complain(f"after close there is still {', '.join(left)}: release it in close")

    def test_closing_twice_or_before_opening_does_no_harm(self, place: Any) -> None:  # noqa: ANN401
        """Takes it as done."""
        connector = self.connect(place)
        close(connector, "close without open")
        connector = self.connect(place)
        connector.open()
        close(connector, "close")
        close(connector, "close for the second time")

    def test_closing_while_calls_are_under_way_is_no_crash(self, place: Any) -> None:  # noqa: ANN401
        """Lets them find what they look for, or fail by a SourceError."""
        for _ in range(_CALLS):
            with self.opened(place) as connector:
                asked = [self.begin(connector) for _ in range(_CALLS)]
                close(connector, "close while calls are under way")
                for question in asked:
                    question.outcome().must_be_honest("a call under way when the connector was closed")


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
            threading.Event().wait(0.02)
        return left

    def _new(self) -> list[str]:
        threads = [thread for thread in threading.enumerate() if thread.name != THREADS]
        files = _files()
        new = [target for number, target in files.items() if self._files.get(number) != target]
        return [f"the thread {thread.name!r}" for thread in threads if thread not in self._threads] + [
            "a socket" if target.startswith("socket:") else f"the file {target}" for target in new
        ]


def _files() -> dict[str, str]:
    """Return what this process has open, by its descriptors; nothing where the system does not tell."""
    files = {}
    with suppress(OSError):
        for entry in _DESCRIPTORS.iterdir():
            with suppress(OSError):
                files[entry.name] = str(entry.readlink())
    return files
