"""Who looks at what, and who does what: lines of the console's log, callers by three digits."""

import logging
import threading
from collections import OrderedDict

from flask import request

from bridge.sdk.deadline import Clock

_audit = logging.getLogger("bridge.console.audit")

TOLD_FOR = 600.0
"""Seconds for which what a page asks again by itself is told once."""

_MOST = 256


def tell(what: str, *values: object) -> None:
    """Write down what whoever asks for the page does."""
    _audit.info(f"%s {what}", request.remote_addr, *values)


class ToldLately:
    """What was told lately, so that a page that refreshes itself does not fill the log; `clock` is monotonic."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: OrderedDict[object, float] = OrderedDict()
        self._lock = threading.Lock()

    def was_told(self, what: object) -> bool:
        """Tell whether this was told within `TOLD_FOR`; if not, it is from now on."""
        now = self._clock()
        with self._lock:
            if now - self._told.get(what, -TOLD_FOR) < TOLD_FOR:
                return True
            self._told.pop(what, None)
            self._told[what] = now
            if len(self._told) > _MOST:
                self._told.popitem(last=False)
            return False
