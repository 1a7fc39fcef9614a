"""Limits that hold for all instances: the requests made to one source, and the lookups under way in it.

The Redis counts by its own clock. Where it does not answer within a tenth of a second, each machine keeps to its own
share: the limit divided by the machines that asked the source in the last ten minutes before, its own requests of until
then included. So the sum stays within the limit, unless a machine comes into use that was idle, or the Redis could not
be reached since the start: then it is at most the limit once for each machine.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Protocol

from bridge.sdk.errors import SourceBusy
from bridge.sdk.shared import Turns
from bridge.sdk.threads.single_flight import spare_places
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.backend import Silent

_CROWDED = 2.0
"""Seconds for which nothing that can wait takes a place after all the places for it were taken."""
_GRACE = 5.0  # seconds that a lookup may go on for after its time


class Together(Protocol):
    """One connector's part of what all instances count; raises Silent if they cannot just now."""

    def book(self, name: str, most: int, seconds: float, longest: float) -> float:
        """Book the next turn; see `Turns.book`."""

    def take_place(self, limit: int, seconds: float, token: str) -> bool:
        """Take one of so many places for so many seconds at most, if one is free; tell whether it was."""

    def leave_place(self, token: str) -> None:
        """Give a place back; never waits nor raises."""

    def share(self, limit: int) -> int:
        """Return this machine's share of a limit: all of it as long as all instances count together."""


class Places:
    """The places for lookups of the connector `name` in its source; without `together`, those of this machine alone."""

    def __init__(self, memory: MachineMemory, name: str, limit: int, together: Together | None = None) -> None:
        self._memory = memory
        self._name = f"places {name}"
        self._limit = limit
        self._together = together
        self._crowded = memory.moments(f"crowded {name}")

    def take(self, most: int | None = None) -> Callable[[], None] | None:
        """Take one of the machine's places, or of the first so many: what gives it back, or None. Never waits.

        Whoever may take but the first leaves all of them for a while once one of the others was needed: the places that
        another process holds for what can wait cannot be taken from it when somebody comes who cannot.
        """
        limit = self._limit if most is None else min(most, self._limit)
        can_wait = limit < self._limit
        if can_wait and self._crowded.age() < _CROWDED:
            return None
        place = self._memory.take(self._name, self._together.share(limit) if self._together else limit)
        if not can_wait and (place is None or place >= spare_places(limit)):
            self._crowded.note()
        return None if place is None else partial(self._memory.leave, self._name, place)

    def taken(self) -> int:
        """Return how many of the machine's places are taken, by whichever of its processes."""
        return sum(self._memory.is_taken(self._name, place) for place in range(self._limit))

    @contextmanager
    def lease(self, seconds: float) -> Iterator[None]:
        """Hold a place among all instances, for a lookup of so many seconds. Raises SourceBusy if all are taken."""
        if self._together is None:
            yield
            return
        token = secrets.token_hex(8)
        with suppress(Silent):  # then the machine keeps to its share
            if not self._together.take_place(self._limit, seconds + _GRACE, token):
                raise SourceBusy(f"all {self._limit} places are taken by all instances together (max_in_flight)")
        try:
            yield
        finally:
            self._together.leave_place(token)


class SharedTurns(Turns):
    """The requests of all instances; `own` are those of this machine."""

    def __init__(self, together: Together, name: str, own: Turns, count: int, seconds: float) -> None:
        super().__init__(count, seconds)
        self._together = together
        self._name = name
        self._own = own

    def book(self, most: int, longest: float) -> float:
        """Return after how many seconds the next request may be made; see `Turns`."""
        try:
            wait = self._together.book(self._name, most, self._seconds, longest)
        except Silent:
            return self._own.book(self._together.share(most), longest)
        if wait <= longest:
            self._own.note(wait)
        return wait
