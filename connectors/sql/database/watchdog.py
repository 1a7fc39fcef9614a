"""Nobody waits for a database beyond the deadline, not even for one that is frozen.

The drivers' own time limits hold for a single wait, in whole seconds or not at all. So a thread stands by while a
connection is in use, and when the time is over it cuts the connection off: whoever waits there gets an error at once.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from bridge.sdk import Deadline

_AGAIN_AFTER = 0.05


class Watchdog:
    """Stands by during one question to the database; use it in `with`."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.expired = False
        """Whether the time was over before the question was answered."""
        self._cut: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._stand_by, name="sql-watch", daemon=True)

    def __enter__(self) -> Self:
        self._outer = _CURRENT.set(self)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._cut = None
        self._done.set()
        self._thread.join()
        _CURRENT.reset(self._outer)

    def over(self, cut: Callable[[], None]) -> None:
        """Watch over a connection; `cut` ends every wait on it."""
        with self._lock:
            self._cut = cut

    def _stand_by(self) -> None:
        if self._done.wait(self.deadline.remaining()):
            return
        self.expired = True
        while True:  # a connection that is only being made may have nothing yet that could be cut
            with self._lock, contextlib.suppress(Exception):
                if self._cut:
                    self._cut()
            if self._done.wait(_AGAIN_AFTER):
                return


_CURRENT: ContextVar[Watchdog] = ContextVar("sql_watch")


def current_watchdog() -> Watchdog:
    """Return the watchdog of the question that this thread asks: where connections are made, none can be handed in."""
    return _CURRENT.get()


def hang_up(descriptor: int) -> None:
    """End a connection without closing it, for its owner still does: every wait on it returns."""
    with socket.socket(fileno=os.dup(descriptor)) as end:
        end.shutdown(socket.SHUT_RDWR)
