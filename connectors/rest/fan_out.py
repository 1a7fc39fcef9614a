"""Several requests at a time for one call: a few threads that help, and the order of the results as if there were none.

What a row leads to is followed to the end before the next row is begun, as far as there are hands: so when time or
requests run out, most of what was begun is known.
"""

import contextvars
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Generic, TypeVar

from bridge.sdk import SourceError

AT_ONCE = 4
"""How many requests one call may make at the same time."""

T = TypeVar("T")

_Path = tuple[int, ...]


class HelperPlaces:
    """How many threads of a connector may ask at once: its lookups, which always may, and those that help them."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._taken = 0
        self._lock = threading.Lock()

    @contextmanager
    def lookup(self) -> Iterator[None]:
        """Take a place, whether or not there is one, for as long as the block lasts."""
        with self._lock:
            self._taken += 1
        try:
            yield
        finally:
            self.give_back()

    def take(self) -> bool:
        """Take a place for a thread that helps, if there is one."""
        with self._lock:
            is_free = self._taken < self._number
            self._taken += is_free
            return is_free

    def give_back(self) -> None:
        """Give a place back."""
        with self._lock:
            self._taken -= 1


class FanOut(Generic[T]):
    """Follows each item through `depth` stages; `work(item, stage)` returns what it leads to, or raises SourceError.

    `tell` hears of all that has come out, in order, whenever there is more of it; calls of it do not overlap.
    """

    def __init__(
        self, places: HelperPlaces, work: Callable[[T, int], Sequence[T]], depth: int, tell: Callable[[list[T]], None]
    ) -> None:
        self._places = places
        self._work = work
        self._depth = depth
        self._tell = tell
        self._changed = threading.Condition()
        self._waiting: list[tuple[_Path, T]] = []
        self._out: dict[_Path, T] = {}
        self._failures: dict[_Path, BaseException] = {}
        self._working = 0
        self._helpers: list[threading.Thread] = []

    def run(self, items: Sequence[T]) -> tuple[list[T], list[SourceError]]:
        """Return all that the items lead to, and why some of it is not known, both in order."""
        with self._changed:
            self._add((), items)
        self._follow()
        for helper in self._helpers:
            helper.join()
        failures = [self._failures[path] for path in sorted(self._failures)]
        for failure in failures:
            if not isinstance(failure, SourceError):
                raise failure
        return self._in_order(), [failure for failure in failures if isinstance(failure, SourceError)]

    def _follow(self) -> None:
        """Do what is to be done next, until nothing is left."""
        while (task := self._next()) is not None:
            path, item = task
            try:
                found = self._work(item, len(path) - 1)
            except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
                self._done(path, (), error)
            else:
                self._done(path, found)

    def _next(self) -> tuple[_Path, T] | None:
        with self._changed:
            while not self._waiting and self._working:
                self._changed.wait()
            if not self._waiting:
                return None
            self._working += 1
            return heappop(self._waiting)

    def _done(self, path: _Path, found: Sequence[T], error: BaseException | None = None) -> None:
        with self._changed:
            self._working -= 1
            if error is not None:
                self._failures[path] = error
                if getattr(error, "retry_after", None):  # the source asks to be left alone
                    self._waiting.clear()
            self._add(path, found)
            self._changed.notify_all()

    def _add(self, path: _Path, found: Sequence[T]) -> None:
        """Take note of what was found: it has come out, or is to be followed."""
        for number, item in enumerate(found):
            if len(path) == self._depth:
                self._out[*path, number] = item
            else:
                heappush(self._waiting, ((*path, number), item))
        if found and len(path) == self._depth:
            self._tell(self._in_order())
        self._call_for_help()

    def _call_for_help(self) -> None:
        """Begin as many threads as find something to do at once and are allowed."""
        while len(self._waiting) > 1 + len(self._helpers) - self._working and len(self._helpers) < AT_ONCE - 1:
            if not self._places.take():
                return
            context = contextvars.copy_context()  # log lines carry the id of the call
            helper = threading.Thread(target=context.run, args=(self._help,), name="source-help", daemon=True)
            try:
                helper.start()
            except RuntimeError:  # no thread can be started: then it takes longer
                self._places.give_back()
                return
            self._helpers.append(helper)

    def _help(self) -> None:
        try:
            self._follow()
        finally:
            self._places.give_back()

    def _in_order(self) -> list[T]:
        return [self._out[path] for path in sorted(self._out)]
