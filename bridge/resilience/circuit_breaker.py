"""A circuit breaker: a source that fails again and again is not asked for a while, so that nobody waits in vain.

Closed, it lets every question through. It opens after a few failures in a row, where being too slow for a call is a
failure as well, or when the source itself asks to be left alone. Open, it lets nothing through but trials in the
background, which no caller waits for (half-open); the first that succeeds in good time closes it.
"""

import threading
import time
from collections.abc import Callable
from functools import partial

from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.threads.background import BackgroundLoop, Wait

_LONGEST_HOLD = 60.0
"""Seconds: who asks for an hour may mean a minute, and a trial a minute costs a source nothing."""


class CircuitBreaker:
    """The state of one source; safe to use from many threads. `threshold` failures in a row open it."""

    def __init__(self, threshold: int, clock: Clock = time.monotonic) -> None:
        self._threshold = threshold
        self._clock = clock
        self._failures = 0
        self._hold = Deadline.after(0.0, clock)
        self._lock = threading.Lock()
        self.is_open = False
        self.reason = ""

    def seconds_to_hold(self) -> float:
        """Return for how long the source asked not to be tried at all; 0.0 if it did not."""
        return self._hold.remaining()

    def succeeded(self) -> bool:
        """Count an answer in good time: all is well again. Returns whether this very answer closed it."""
        with self._lock:
            self._failures = 0
            closes_now, self.is_open = self.is_open, False
            return closes_now

    def failed(self, reason: str, hold: float | None = None, *, opens: bool = False) -> bool:
        """Count a failure, which opens the breaker by itself if `opens`, or if the source asks to be left alone.

        `hold` is for how many seconds it asks so, a minute at most counts. Returns whether this very failure opened it.
        """
        with self._lock:
            self._failures += 1
            if hold:
                self._hold = Deadline.after(min(hold, _LONGEST_HOLD), self._clock)
            opens_now = not self.is_open and bool(opens or hold or self._failures >= self._threshold)
            if self.is_open or opens_now:  # what it fails with now counts, not what it failed with at first
                self.is_open, self.reason = True, reason
            return opens_now


class Trials:
    """Tries a source again and again in the background while its breaker is open, until one trial closes that.

    `pause` says after how many seconds the next trial is made, but none is before the source allows it; `recovered` is
    told of the end. `attempt` counts its own result at the breaker.
    """

    def __init__(
        self,
        name: str,
        breaker: CircuitBreaker,
        attempt: Callable[[], None],
        recovered: Callable[[], None],
        *,
        pause: Callable[[], float],
        wait: Wait | None = None,
    ) -> None:
        self._breaker = breaker
        self._attempt = attempt
        self._recovered = recovered
        self._pause = pause
        self._new_loop = partial(BackgroundLoop, f"trial-{name}", self._try, wait=wait)
        self._loop = self._new_loop()
        self._closed = False

    def start(self) -> None:
        """Begin, for the breaker has opened; trials that were begun before end."""
        self._loop.close(0)
        self._loop = loop = self._new_loop()
        if not self._closed:
            loop.start(self._until_next())

    def wake(self) -> None:
        """Look at once whether there is anything more to try."""
        self._loop.wake()

    def close(self) -> None:
        """Try no more."""
        self._closed = True
        self._loop.close(0)

    def _until_next(self) -> float:
        return max(self._pause(), self._breaker.seconds_to_hold())

    def _try(self) -> float | None:
        if self._breaker.is_open and not self._breaker.seconds_to_hold():
            self._attempt()
        if self._breaker.is_open:
            return self._until_next()
        self._recovered()
        return None
