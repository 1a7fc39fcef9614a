"""Keeps one trouble from flooding the log: what is said again and again is summed up once a minute.

A warning or error is the same as another if it comes from the same place in the code and begins with the same first
argument, such as a connector's name, if that is a text: what else differs (a caller, milliseconds) would make every
line new.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bridge.sdk.deadline import Clock

_WINDOW = 60.0
_LET_THROUGH = 5
_MOST_KINDS = 1000


@dataclass(slots=True)
class _Kind:
    until: float
    seen: int = 0
    latest: logging.LogRecord | None = None


class LogThrottle(logging.Filter):
    """Lets the first five of a kind through in a minute, and counts the rest.

    The count is written by `tell` ahead of the next line, whatever it says, once the minute is over: so no thread has
    to wait for that.
    """

    def __init__(self, tell: Callable[[logging.LogRecord], None], clock: Clock = time.monotonic) -> None:
        super().__init__()
        self._tell = tell
        self._clock = clock
        self._kinds: dict[object, _Kind] = {}
        self._next_end = float("inf")
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._begin_anew)

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be written now."""
        if self._clock() >= self._next_end:
            self._sum_up()
        if record.levelno < logging.WARNING:
            return True
        key = (record.name, record.levelno, record.msg, _first(record))
        with self._lock:
            kind = self._kinds.get(key)
            if kind is None:
                if len(self._kinds) >= _MOST_KINDS:
                    return True
                kind = self._kinds[key] = _Kind(self._clock() + _WINDOW)
                self._next_end = min(self._next_end, kind.until)
            kind.seen += 1
            if kind.seen <= _LET_THROUGH:
                return True
            kind.latest = record
        return False

    def _begin_anew(self) -> None:
        """Have a lock that nobody holds: a thread that held it does not live on in a process that was forked."""
        self._lock = threading.Lock()

    def _sum_up(self) -> None:
        """Forget the kinds whose minute is over; of those that were held back, write the latest and how many."""
        now = self._clock()
        with self._lock:
            over = [key for key, kind in self._kinds.items() if kind.until <= now]
            ended = [self._kinds.pop(key) for key in over]
            self._next_end = min((kind.until for kind in self._kinds.values()), default=float("inf"))
        for kind in ended:
            if kind.latest is not None:
                summary = logging.makeLogRecord({**kind.latest.__dict__, "exc_info": None, "args": ()})
                more = kind.seen - _LET_THROUGH - 1
                summary.msg = f"{kind.latest.getMessage()} (and {more} more like it in a minute)"
                self._tell(summary)


def _first(record: logging.LogRecord) -> str:
    first = record.args[0] if isinstance(record.args, tuple) and record.args else ""
    return first if isinstance(first, str) else ""
