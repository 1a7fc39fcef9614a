"""Threads for work that comes again and again: who has done his work waits a while for more before he ends.

They are daemons, so none of them keeps the process from stopping. A process that was forked has none of its parent's.
"""

import os
import queue
import threading
from collections.abc import Callable

_IDLE = 2.0
"""Seconds without work after which a thread ends."""

Work = Callable[[], object]
Named = tuple[str, Work]


class KeptThreads:
    """Runs each piece of work at once: in the thread that had work last of those that wait, else in a new one.

    So no more threads stay than are needed at the same time, however often there is work.
    """

    def __init__(self, idle: float = _IDLE) -> None:
        self._idle = idle
        self.begin_anew()

    def begin_anew(self) -> None:
        """Count on no thread that was begun before: none of them has come along into a process that was forked."""
        self._lock = threading.Lock()
        self._waiting: list[queue.SimpleQueue[Named]] = []

    def start(self, name: str, work: Work) -> None:
        """Begin the work in a thread of this name. Raises `background.NO_THREAD` if the system has none for it."""
        with self._lock:
            if self._waiting:
                self._waiting.pop().put((name, work))
                return
        threading.Thread(target=self._go_on, args=(name, work), name=name, daemon=True).start()

    def _go_on(self, name: str, work: Work) -> None:
        me, place = threading.current_thread(), queue.SimpleQueue[Named]()
        following: Named | None = (name, work)
        while following:
            me.name, work = following
            try:
                work()
            finally:
                me.name, work, following = "idle", _nothing, None  # what was done is not held on to
            following = self._next(place)

    def _next(self, place: queue.SimpleQueue[Named]) -> Named | None:
        """Wait for work; None if there is none for a while."""
        with self._lock:
            self._waiting.append(place)
        try:
            return place.get(timeout=self._idle)
        except queue.Empty:
            pass
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
                return None
        return place.get()  # it came at this moment


def _nothing() -> None:
    """Do nothing."""


KEPT_THREADS = KeptThreads()
"""Those of this process."""

os.register_at_fork(after_in_child=KEPT_THREADS.begin_anew)
