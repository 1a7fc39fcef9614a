"""What is to be done later unless it turns out to be needless: in one thread for all of it, not in one for each.

Most of what is planned is cancelled before its time, so planning and cancelling cost next to nothing.
"""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from bridge.sdk.deadline import Clock

_log = logging.getLogger(__name__)

_IDLE = 10.0
"""Seconds without anything to do after which the thread ends."""


class Planned:
    """Something that is to be done later; `cancel` does away with it."""

    __slots__ = ("_do",)

    def __init__(self, do: Callable[[], object]) -> None:
        self._do: Callable[[], object] | None = do

    def cancel(self) -> None:
        """Do nothing when its time comes."""
        self._do = None

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing is to be done."""
        return self._do is None

    def do(self) -> None:
        """Do it now, once, unless it was cancelled."""
        do, self._do = self._do, None
        if do:
            do()


class Timer:
    """Does things when their time has come; safe to use from many threads.

    What is done must not wait for anything: what comes next would be late. The thread, of this name, begins with the
    first thing that is planned, and ends when there was nothing for a while.
    """

    def __init__(self, name: str, clock: Clock = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._changed = threading.Condition()
        self._plan: list[tuple[float, int, Planned]] = []
        self._order = itertools.count()
        self._idle = _IDLE
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, do: Callable[[], object]) -> Planned:
        """Do it after so many seconds. Raises `background.NO_THREAD` if the system has no thread for it."""
        planned = Planned(do)
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._go_on, name=self._name, daemon=True)
                thread.start()
                self._thread = thread
            heapq.heappush(self._plan, (self._clock() + seconds, next(self._order), planned))
            if self._plan[0][2] is planned:
                self._changed.notify()
        return planned

    def close(self) -> None:
        """Do nothing of what is planned, and let the thread end at once whenever there is nothing to do."""
        with self._changed:
            self._idle = 0.0
            self._plan.clear()
            self._changed.notify()

    def _go_on(self) -> None:
        while (due := self._next()) is not None:
            try:
                due.do()
            except Exception:  # noqa: BLE001 - a bug in one thing ends nothing else
                _log.exception("a bug of omi-bridge in %s", self._name)

    def _next(self) -> Planned | None:
        """Wait for what is due next and return it; None when there was nothing to wait for for long enough."""
        with self._changed:
            while True:
                while self._plan and self._plan[0][2].is_cancelled:
                    heapq.heappop(self._plan)
                left = self._plan[0][0] - self._clock() if self._plan else self._idle
                if self._plan and left <= 0:
                    return heapq.heappop(self._plan)[2]
                if not self._changed.wait(left) and not self._plan:
                    self._thread = None
                    return None
