"""As many requests as a source allows, and no more: at most so many in any window of so many seconds.

All who share what they know keep the rate together: see `bridge.sdk.shared`.

A request of a call waits for its turn only for a moment; if that is further away it is not made at all, so that the
caller gets what is remembered instead of waiting in vain. What is read in the background waits as long as it may, and
leaves half of all turns to calls.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.shared import Turns, turns_at_hand

_WRITTEN = re.compile(r"\s*(?P<count>[1-9][0-9]{0,4})\s*/\s*(?P<unit>[smh])\s*", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_TURN = 1.0
_NO_TURN = "as many requests as max_rate allows were made just now"
_CALLS_FIRST: ContextVar[bool] = ContextVar("calls_first", default=False)


@contextmanager
def calls_come_first() -> Iterator[None]:
    """Let what is asked here, in threads that begin here too, wait for its turn as what is read in the background."""
    token = _CALLS_FIRST.set(True)
    try:
        yield
    finally:
        _CALLS_FIRST.reset(token)


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests in any `seconds`."""

    count: int
    seconds: float

    @property
    def in_background(self) -> "Rate":
        """What is read in the background has half of it; the rest is for calls."""
        return Rate(max(1, self.count // 2), self.seconds)


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
    """Gives turns; safe to use from many threads. `sleep` returns something true when asking has ended.

    The rate is kept together with all who share what is at hand where this is made; a test gives `turns` of its own.
    """

    def __init__(self, rate: Rate, sleep: Callable[[float], object] = time.sleep, turns: Turns | None = None) -> None:
        self._rate = rate
        self._sleep = sleep
        self._turns = turns or turns_at_hand("max_rate", rate.count, rate.seconds)

    def take(self, deadline: Deadline) -> None:
        """Wait for a turn; raises SourceBusy at once if there is none within a second and before `deadline`."""
        if _CALLS_FIRST.get():
            self.take_in_background(deadline)
            return
        longest = min(_LONGEST_TURN, deadline.remaining())
        wait = self._turns.book(self._rate.count, longest)
        if wait > longest:
            raise SourceBusy(_NO_TURN)
        if wait > 0:
            self._sleep(wait)

    def take_in_background(self, deadline: Deadline) -> None:
        """Wait until half of all turns are free; raises SourceBusy at once if that is not before `deadline`.

        Nothing is reserved meanwhile, and so calls come first.
        """
        while (wait := self._turns.book(self._rate.in_background.count, 0.0)) > 0:
            if wait > deadline.remaining():
                raise SourceBusy(_NO_TURN)
            if self._sleep(wait):
                raise SourceBusy("asking has ended")
