"""Keeps one trouble from flooding the log: what is said again and again is summed up once a minute.

A warning or error is the same as another if it comes from the same place in the code and begins with the same first
argument, such as a connector's name, if that is a text: what else differs (a caller, milliseconds) would make every
line new.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bridge.deadline import Clock

_WINDOW = 60.0
_LET_THROUGH = 5
_MOST_KINDS = 1000


@dataclass(slots=True)
class _Kind:
    since: float
    seen: int = 0
    latest: logging.LogRecord | None = None


class Repeats(logging.Filter):
    """Lets the first five of a kind through in a minute, and counts the rest.

    `later(seconds, action)` has the count told when the minute is over.
    """

    def __init__(
        self,
        tell: Callable[[logging.LogRecord], None],
        later: Callable[[float, Callable[[], None]], None] | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__()
        self._tell = tell
        self._later = later or _in_a_thread
        self._clock = clock
        self._kinds: dict[object, _Kind] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be written now."""
        if record.levelno < logging.WARNING:
            return True
        key = (record.name, record.levelno, record.msg, _first(record))
        with self._lock:
            kind = self._kinds.get(key)
            if kind is None or self._clock() - kind.since >= _WINDOW:
                if kind is None and len(self._kinds) >= _MOST_KINDS:
                    return True
                kind = self._kinds[key] = _Kind(self._clock())
            kind.seen += 1
            if kind.seen <= _LET_THROUGH:
                return True
            first_held_back, kind.latest = kind.latest is None, record
        if first_held_back:
            self._later(_WINDOW, lambda: self._sum_up(key, kind))
        return False

    def _sum_up(self, key: object, kind: _Kind) -> None:
        """Write the latest of the records that were held back, and how many there were."""
        with self._lock:
            if self._kinds.get(key) is kind:
                del self._kinds[key]
        if kind.latest is not None:
            summary = logging.makeLogRecord({**kind.latest.__dict__, "exc_info": None, "args": ()})
            summary.msg = f"{kind.latest.getMessage()} (and {kind.seen - _LET_THROUGH - 1} more like it in a minute)"
            self._tell(summary)


def _first(record: logging.LogRecord) -> str:
    first = record.args[0] if isinstance(record.args, tuple) and record.args else ""
    return first if isinstance(first, str) else ""


def _in_a_thread(seconds: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, action)
    timer.name, timer.daemon = "repeats", True
    timer.start()
