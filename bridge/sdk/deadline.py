"""A deadline is a point in time: made once, passed down, and never added up.

A timeout is a duration and lives in the configuration only. Whoever waits, waits at most `deadline.remaining()`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]
"""Seconds since an arbitrary start, never going back: `time.monotonic`, or a test's own."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment `at`, in seconds of `clock`, after which nobody waits for an answer any more."""

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> "Deadline":
        """Make the deadline that lies `seconds` ahead of now."""
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Return the seconds that are left; 0.0 once the moment has passed."""
        return max(0.0, self.at - self.clock())

    def seconds(self) -> float:
        """Return the seconds that are left, as a library's time limit; raises TimeoutError if nothing is left.

        As a time limit, 0.0 is refused by some libraries and means none to others.
        """
        if not (left := self.remaining()):
            raise TimeoutError
        return left

    def expired(self) -> bool:
        """Tell whether nothing is left."""
        return self.clock() >= self.at
