"""Nobody waits for a source beyond the deadline, not even for one that is frozen or drips.

The time limits of most libraries hold for a single wait, in whole seconds or not at all. So a thread stands by while a
connection is in use, and when the time is over it cuts the connection off: whoever waits there gets an error at once.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.threads.background import NO_THREAD

_AGAIN_AFTER = 0.05


class Watchdog:
    """Stands by during one question to a source; use it in `with`, which raises SourceBusy if there is no thread."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.expired = False
        """Whether the time was over before the question was answered."""
        self._cut: Callable[[], object] | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._stand_by, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._thread.start()
        except NO_THREAD as error:
            raise SourceBusy(f"no thread can be started: {error}") from error
        self._outer = _CURRENT.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._cut = None
        self._done.set()
        self._thread.join()
        _CURRENT.reset(self._outer)

    def over(self, cut: Callable[[], object]) -> None:
        """Watch over a connection; `cut` ends every wait on it, and may fail as long as there is none."""
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


_CURRENT: ContextVar[Watchdog] = ContextVar("watchdog")


def current_watchdog() -> Watchdog:
    """Return the watchdog of the question that this thread asks: where connections are made, none can be handed in."""
    return _CURRENT.get()


@contextlib.contextmanager
def cut_off_at(deadline: Deadline, cut: Callable[[], object]) -> Iterator[None]:
    """Call `cut` if the block is not over at the deadline, and raise TimeoutError then, whatever else came of it.

    What was read from a connection that was cut off is no answer, even if the library takes it for one.
    """
    watchdog = Watchdog(deadline)
    watchdog.over(cut)
    try:
        with watchdog:
            yield
    except Exception:
        if watchdog.expired:
            raise TimeoutError from None
        raise
    if watchdog.expired:
        raise TimeoutError


def hang_up(descriptor: int | Callable[[], int]) -> None:
    """End a connection without closing it, for its owner still does: every wait on it returns.

    Where its owner may close it at this moment, give what tells its descriptor, such as the `fileno` of a socket: it is
    asked again before the end, for a number may be that of another connection by then.
    """
    told = descriptor if callable(descriptor) else lambda: descriptor
    number = told()
    with socket.socket(fileno=os.dup(number)) as end:
        if told() == number:
            end.shutdown(socket.SHUT_RDWR)
