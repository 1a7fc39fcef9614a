"""Work that is done again and again in a thread of its own, with pauses, until it is told to end.

The thread is a daemon, so it never keeps the process from stopping, and it is made by `start` alone: what was made
before a fork would be gone after it. A bug in the work is told once and ends nothing. A system that gives no thread
when one is to begin ends nothing either: the service tries again every second.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

_log = logging.getLogger(__name__)

_PAUSE_AFTER_A_BUG = 60.0
_PATIENCE_AT_CLOSE = 1.0

Wait = Callable[[float], bool]
"""Waits for so many seconds and returns True when the work is to end; a test gives its own."""

NO_THREAD = (RuntimeError, MemoryError)
"""What Python raises where the system gives no more threads, or no more memory for one."""

_WAITING: deque[Callable[[], object]] = deque()


def start_what_waits() -> None:
    """Begin what found no thread when it was to begin."""
    for _ in range(len(_WAITING)):
        _WAITING.popleft()()


class BackgroundLoop:
    """Does `work`, which returns after how many seconds it is due again, or None when there is nothing more to do.

    Who is woken waits for `gather` seconds more, so that what comes at the same moment is done together. `at_end` is
    done last, in the same thread.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], float | None],
        *,
        gather: float = 0.0,
        at_end: Callable[[], object] = lambda: None,
        wait: Wait | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._gather = gather
        self._at_end = at_end
        self._wait = wait or self._until_due
        self._due, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._told: type[Exception] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was begun."""
        return self._thread is not None

    @property
    def is_closing(self) -> bool:
        """Whether it is to end, for work that takes long."""
        return self._closing.is_set()

    def start(self, after: float = 0.0) -> None:
        """Begin after so many seconds, unless it has begun or ended already; later if no thread is to be had."""
        if self._thread is None and not self._closing.is_set():
            thread = threading.Thread(target=self._run, args=(after,), name=self._name, daemon=True)
            try:
                thread.start()
            except NO_THREAD as error:
                _log.error("%s has to wait, for no thread can be started: %s", self._name, error)
                _WAITING.append(partial(self.start, after))
            else:
                self._thread = thread

    def wake(self) -> None:
        """Let the work be done now."""
        if not self._due.is_set():  # setting it costs more than looking
            self._due.set()

    def close(self, patience: float = _PATIENCE_AT_CLOSE) -> None:
        """End, waiting for what is under way for so many seconds at most."""
        self._closing.set()
        self._due.set()
        if (thread := self._thread) is not None:
            thread.join(patience)

    def _run(self, pause: float | None) -> None:
        while pause is not None and not self._is_over(pause):
            pause = self._once()
        self._at_end()

    def _is_over(self, pause: float) -> bool:
        return self._closing.is_set() or (pause > 0 and self._wait(pause)) or self._closing.is_set()

    def _once(self) -> float | None:
        try:
            pause = self._work()
        except Exception as error:  # noqa: BLE001 - not even a bug may end the work for good
            if type(error) is not self._told:
                _log.exception("a bug of omi-bridge in %s", self._name)
            self._told = type(error)
            return _PAUSE_AFTER_A_BUG
        self._told = None
        return pause

    def _until_due(self, seconds: float) -> bool:
        if self._due.wait(min(seconds, threading.TIMEOUT_MAX)) and self._gather:
            self._closing.wait(self._gather)
        self._due.clear()
        return self._closing.is_set()
