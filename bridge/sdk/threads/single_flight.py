"""Threads that wait for somebody else, so that nobody here has to: a bulkhead with single-flight.

At most `limit` jobs run at once (bulkhead), and one per key (single-flight): who asks for a key that is under way gets
the same result. A thread cannot be killed, so each job has a lease: when that is over, the next caller starts afresh,
while the old thread still counts against the limit until it ends. A job that nobody waits for any more goes on as long
as there is room; when there is none, its connection is cut off and its place given to whoever needs it. Where that is
in another process, a job may wait a moment for a place: those who can wait for longer take none meanwhile.
"""

import contextvars
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.threads.background import NO_THREAD
from bridge.sdk.threads.cancellation import Cancellation
from bridge.sdk.threads.kept_threads import KEPT_THREADS

T = TypeVar("T")

_QUEUED, _PAUSE = 0.25, 0.01
"""Seconds that a job waits for a place at most, and between two looks."""


class NoPlace(SourceBusy):
    """All places for jobs are taken."""


Admission = Callable[[int], Callable[[], object] | None]
"""Takes one of so many places among others than these jobs alone: returns what gives it back, or None."""


def _nothing() -> None:
    """Give nothing back."""


def _admitted(_limit: int) -> Callable[[], object]:
    return _nothing


def spare_places(limit: int) -> int:
    """Return how many of so many places work may take that can wait: the last quarter is for who cannot."""
    return limit if limit == 1 else limit - max(1, limit // 4)


@dataclass(slots=True, eq=False)
class Flight(Generic[T]):
    """A job under way: its result to come, and when it is believed no more.

    `wanted` is until when somebody waits for it; `leave` gives its place back, once.
    """

    result: Future[T]
    lease: Deadline
    wanted: Deadline
    leave: Callable[[], object] | None
    cancellation: Cancellation = field(default_factory=Cancellation)

    @property
    def gives_way(self) -> bool:
        """Whether nobody waits for it, and it can be ended."""
        return self.leave is not None and self.wanted.expired() and self.cancellation.can_cut


class SingleFlight(Generic[T]):
    """Runs jobs in threads of this name. `remark` is added to what is said when all places are taken.

    `admit` is for a limit that others share; it must not wait.
    """

    def __init__(self, name: str, limit: int, remark: str = "", admit: Admission = _admitted) -> None:
        self._name = name
        self._limit = limit
        self._remark = remark
        self._admit = admit
        self._running = self._queued = 0
        self._flights: dict[Hashable, Flight[T]] = {}
        self._under_way: dict[int, Flight[T]] = {}  # those whose lease is over, too
        self._lock = threading.Lock()

    @property
    def running(self) -> int:
        """The number of jobs under way."""
        return self._running

    def latest(self, key: Hashable) -> Flight[T] | None:
        """Return the job for `key` that was started last and is under way, also if its lease is over."""
        return self._flights.get(key)

    def start(
        self,
        key: Hashable,
        job: Callable[[], T],
        lease: Deadline,
        *,
        wanted: Deadline | None = None,
        spare: bool = False,
        meanwhile: Callable[[], T | None] | None = None,
    ) -> Flight[T]:
        """Start `job`, or join the one under way for `key`; raises NoPlace if all places are taken.

        `wanted` is until when the result is waited for, to the end of the lease if left out. `spare` takes no place of
        the last quarter, nor another job's: they are for jobs that somebody waits for. With `meanwhile` the job waits a
        moment for a place, unless as many wait already as there are places, or this gives a result before.
        """
        wanted = wanted or lease
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None and not flight.lease.expired():
                flight.wanted = max(flight.wanted, wanted, key=lambda deadline: deadline.at)
                return flight
            leave = self._place(spare=spare, or_later=meanwhile is not None and self._queued < self._limit)
            flight = Flight(Future(), lease, wanted, leave)
            context = contextvars.copy_context()  # the job's log lines carry the id of the call that it began with
            try:
                KEPT_THREADS.start(self._name, partial(context.run, self._fly, key, flight, job, meanwhile))
            except NO_THREAD as error:
                (leave or _nothing)()
                raise SourceBusy(f"no thread can be started: {error}") from error
            if leave:
                self._running += 1
            else:
                self._queued += 1
            self._flights[key] = flight
            self._under_way[id(flight)] = flight
            return flight

    def _place(self, *, spare: bool, or_later: bool = False) -> Callable[[], object] | None:
        """Take a place: a free one, else that of a job which nobody waits for.

        If there is none, raises NoPlace, or returns None if one may be taken later.
        """
        limit = spare_places(self._limit) if spare else self._limit
        if leave := self._free_place(limit):
            return leave
        useless = None if spare else next((one for one in self._under_way.values() if one.gives_way), None)
        if useless is not None:
            useless.cancellation.cancel()
            self._give_back(useless)
            if leave := self._free_place(limit):
                return leave
        if or_later:
            return None
        raise NoPlace(f"all {limit} places are taken{self._remark}")

    def _free_place(self, limit: int) -> Callable[[], object] | None:
        return self._admit(limit) if self._running < limit else None

    def _give_back(self, flight: Flight[T]) -> None:
        if flight.leave is not None:
            self._running -= 1
            flight.leave()
            flight.leave = None

    def _wait_for_place(self, flight: Flight[T], meanwhile: Callable[[], T | None]) -> T | None:
        """Wait for a place, unless there is a result without."""
        end = Deadline.after(_QUEUED)
        try:
            result = meanwhile()
            while result is None and flight.leave is None:
                threading.Event().wait(_PAUSE)
                with self._lock:
                    flight.leave = self._place(spare=False, or_later=not end.expired())
                    self._running += flight.leave is not None
        finally:
            with self._lock:
                self._queued -= 1
        return result

    def _fly(
        self, key: Hashable, flight: Flight[T], job: Callable[[], T], meanwhile: Callable[[], T | None] | None
    ) -> None:
        try:
            with flight.cancellation.under_way():
                known = None if meanwhile is None or flight.leave else self._wait_for_place(flight, meanwhile)
                result = job() if known is None else known
        except BaseException as error:  # noqa: BLE001 - whatever a job raises belongs to those who wait for it
            self._land(key, flight)
            flight.result.set_exception(error)
        else:
            self._land(key, flight)
            flight.result.set_result(result)

    def _land(self, key: Hashable, flight: Flight[T]) -> None:
        with self._lock:
            self._give_back(flight)
            self._under_way.pop(id(flight), None)
            if self._flights.get(key) is flight:
                del self._flights[key]
