"""The last times of something, in a file that all processes of a machine have.

A time is eight bytes at a place of its own, and what counts them is written last: so a process that is killed while it
writes leaves nothing wrong behind.
"""

import os
import struct
import time
from collections import deque
from math import inf

from bridge.sdk.deadline import Clock
from bridge.sdk.shared import Moments

_NUMBER, _TIME = struct.Struct("=Q"), struct.Struct("=d")


class Times:
    """How many times were added, and the last `count` of them, in the file of all processes."""

    def __init__(self, file: int, region: int, count: int) -> None:
        self._file = file
        self._count = count
        self._region = region

    def number(self) -> int:
        """Return how many times were added."""
        written = os.pread(self._file, _NUMBER.size, self._region)
        return int(_NUMBER.unpack(written)[0]) if len(written) == _NUMBER.size else 0

    def at(self, number: int) -> float:
        """Return one of the last times, counted from the first ever."""
        return float(_TIME.unpack(os.pread(self._file, _TIME.size, self._place(number)))[0])

    def add(self, number: int, moment: float) -> None:
        """Add a time after so many others."""
        if self._count == 1:  # they stand side by side
            os.pwrite(self._file, _NUMBER.pack(number + 1) + _TIME.pack(moment), self._region)
            return
        os.pwrite(self._file, _TIME.pack(moment), self._place(number))
        os.pwrite(self._file, _NUMBER.pack(number + 1), self._region)  # last: who is killed before has added nothing

    def _place(self, number: int) -> int:
        return self._region + _NUMBER.size + _TIME.size * (number % self._count)


class MachineMoments(Moments):
    """The times of what happens in any process, by the clock that all of them have."""

    def __init__(self, kept: int, times: Times, clock: Clock = time.monotonic) -> None:
        super().__init__(kept, clock)
        self._kept = kept
        self._times = times

    def note(self) -> None:
        """Take note that it has happened now."""
        self._times.add(self._times.number() if self._kept > 1 else 0, self._clock())

    def age(self, before: int = 0) -> float:
        """Return how many seconds ago it last happened, or so many times `before` that; infinity if it did not."""
        number = self._times.number()
        known = before < min(number, self._kept)
        return max(0.0, self._clock() - self._times.at(number - 1 - before)) if known else inf


class Figures:
    """The last `kept` figures of something. Nobody waits here: of two at the same instant, one may be lost."""

    def __init__(self, kept: int, times: Times | None = None) -> None:
        self._own: deque[float] = deque(maxlen=kept)
        self._kept = kept
        self._times = times

    def add(self, figure: float) -> None:
        """Add one."""
        if self._times is None:
            self._own.append(figure)
        else:
            self._times.add(self._times.number(), figure)

    def all(self) -> list[float]:
        """Return those that are kept."""
        if self._times is None:
            return list(self._own)
        number = self._times.number()
        return [self._times.at(place) for place in range(max(0, number - self._kept), number)]
