"""As many requests as a source allows, and no more: at most so many in any window of so many seconds.

A request of a call waits for its turn only for a moment; if that is further away it is not made at all, so that the
caller gets what is remembered instead of waiting in vain. What is read in the background waits as long as it may, and
leaves half of all turns to calls.
"""

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy

_WRITTEN = re.compile(r"\s*(?P<count>[1-9][0-9]{0,4})\s*/\s*(?P<unit>[smh])\s*", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_TURN = 1.0
_NO_TURN = "as many requests as max_rate allows were made just now"


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests in any `seconds`."""

    count: int
    seconds: float


def parse_rate(value: object) -> Rate:
    """Return the rate that is written as `4/s`, `100/m` or `5000/h`; raises ValueError for anything else."""
    if isinstance(value, Rate):
        return value
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write a number of requests and a unit of time, such as 4/s, 100/m or 5000/h")
    return Rate(int(found["count"]), _SECONDS[found["unit"]])


RateSetting = Annotated[
    Rate,
    BeforeValidator(parse_rate),
    PlainSerializer(lambda rate: f"{rate.count}/{rate.seconds:g}s"),
    WithJsonSchema({"type": "string", "examples": ["4/s", "100/m"]}),
]
"""Requests per second, minute or hour."""


class RateLimit:
    """Gives turns; safe to use from many threads. `sleep` returns something true when asking has ended."""

    def __init__(
        self, rate: Rate, clock: Clock = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._seconds = rate.seconds
        self._clock = clock
        self._sleep = sleep
        self._turns: deque[float] = deque(maxlen=rate.count)
        self._for_background = max(1, rate.count // 2)
        self._lock = threading.Lock()

    def take(self, deadline: Deadline) -> None:
        """Wait for a turn; raises SourceBusy at once if there is none within a second and before `deadline`."""
        with self._lock:
            now = self._clock()
            turn = self._turn(now, self._turns.maxlen or 1)
            if turn - now > min(_LONGEST_TURN, deadline.remaining()):
                raise SourceBusy(_NO_TURN)
            self._turns.append(turn)
        if turn > now:
            self._sleep(turn - now)

    def take_in_background(self, deadline: Deadline) -> None:
        """Wait until half of all turns are free; raises SourceBusy at once if that is not before `deadline`.

        Nothing is reserved meanwhile, and so calls come first.
        """
        while True:
            with self._lock:
                now = self._clock()
                wait = self._turn(now, self._for_background) - now
                if wait <= 0:
                    self._turns.append(now)
                    return
            if wait > deadline.remaining():
                raise SourceBusy(_NO_TURN)
            if self._sleep(wait):
                raise SourceBusy("asking has ended")

    def _turn(self, now: float, count: int) -> float:
        """Return when the next request may be made if at most `count` are made in any window."""
        return max(now, self._turns[-count] + self._seconds) if len(self._turns) >= count else now
