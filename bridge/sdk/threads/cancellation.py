"""Ending work that nobody needs any more: a thread cannot be killed, but what it waits for can be cut off.

Who waits on a connection says how that is cut, and who works looks now and then whether it is of use. Whoever finds the
work useless cancels it: every wait that it is in returns, and none begins any more. Work within other work, such as one
of two requests of which the faster counts, has a cancellation of its own, which the outer one includes.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from types import TracebackType

from bridge.sdk.errors import SourceBusy


class Cancelled(SourceBusy):
    """The work was given up because nobody needs it any more; that says nothing about the source."""


class Cancellation:
    """The waits of one piece of work; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cuts: dict[object, Callable[[], object]] = {}
        self._is_cancelled = False

    @property
    def is_cancelled(self) -> bool:
        """Whether the work was given up."""
        return self._is_cancelled

    @property
    def can_cut(self) -> bool:
        """Whether the work waits for something that can be cut off."""
        return bool(self._cuts)

    def cancel(self) -> None:
        """Give the work up; never waits nor raises."""
        with self._lock:
            self._is_cancelled = True
            for cut in self._cuts.values():
                with suppress(Exception):  # a connection that is only being made may have nothing to be cut
                    cut()

    def end_if_cancelled(self) -> None:
        """Raise Cancelled if the work was given up."""
        if self._is_cancelled:
            raise Cancelled("nobody waits for the answer any more") from None

    def over(self, cut: Callable[[], object]) -> AbstractContextManager[None]:
        """Have `cut` called if the work is given up while the block lasts. Raises Cancelled, then too."""
        return _Over(self, cut)

    def begin(self, wait: object, cut: Callable[[], object]) -> None:
        """Have `cut` called if the work is given up before this wait ends. Raises Cancelled if it was."""
        with self._lock:
            self.end_if_cancelled()
            self._cuts[wait] = cut

    def end(self, wait: object) -> None:
        """Take note that a wait is over."""
        with self._lock:
            del self._cuts[wait]

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Make this what ends the work of this thread, beside whatever ended it before."""
        outer = _CURRENT.get()
        token = _CURRENT.set(self)
        try:
            if outer is None:
                yield
            else:
                with outer.over(self.cancel):
                    yield
        finally:
            _CURRENT.reset(token)


class _Over:
    """One wait; a class, for a lookup has a dozen of them."""

    __slots__ = ("_cancellation", "_cut")

    def __init__(self, cancellation: Cancellation, cut: Callable[[], object]) -> None:
        self._cancellation = cancellation
        self._cut = cut

    def __enter__(self) -> None:
        self._cancellation.begin(self, self._cut)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._cancellation.end(self)
        if kind is None or issubclass(kind, Exception):
            self._cancellation.end_if_cancelled()  # what was read from a connection that was cut off is no answer


_CURRENT: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


def end_if_useless() -> None:
    """Raise Cancelled if the work of this thread was given up: for what works without waiting, now and then."""
    if (current := _CURRENT.get()) is not None:
        current.end_if_cancelled()


def cut_off_if_useless(cut: Callable[[], object]) -> AbstractContextManager[None]:
    """Have `cut` called if the work of this thread is given up while the block lasts, which then raises Cancelled."""
    current = _CURRENT.get()
    return nullcontext() if current is None else current.over(cut)
