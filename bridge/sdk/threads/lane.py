"""What a source sends is worked on by one thread at a time and with pauses, so that its work makes nobody else wait.

Python runs one thread at a time: sixteen that read endless answers leave a seventeenth, which answers a call from a
file, a seventeenth of the processor. So work that has taken longer than a moment needs the source's lane, in which one
thread goes on, and rests for as long as it has worked. What is done in less, as nearly every answer is, needs nothing.

Whoever works takes a turn, and says `give_way()` in each loop over what came; only there the work can be ended when its
time is over or nobody needs it any more.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import TracebackType

from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.threads.cancellation import cut_off_if_useless, end_if_useless

MOMENT = 0.005
"""Seconds of processor time after which others come first: as long as Python itself lets a thread go on."""


class Lane:
    """The lane of one source; safe to use from many threads. `spent` is the processor time of the calling thread."""

    def __init__(
        self,
        clock: Clock = time.monotonic,
        spent: Clock = time.thread_time,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock = clock
        self.spent = spent
        self.rest = rest
        self._changed = threading.Condition()
        self._is_taken = False
        self._rests_until = 0.0

    def turn(self, deadline: Deadline, *, long: bool = False) -> AbstractContextManager[None]:
        """Work on what came, until `deadline`; a `long` piece of work, which nothing can interrupt, waits for the lane.

        Raises SourceUnavailable if the time is over, and Cancelled if nobody needs the work any more: here, in
        `give_way` and behind `waiting_for_source`.
        """
        return nullcontext() if _own_turn() is not None else _Turn(self, deadline, long=long)

    def take(self, deadline: Deadline) -> None:
        """Wait for the lane. Raises SourceUnavailable and Cancelled."""
        with self._changed:
            while self._is_taken or self._clock() < self._rests_until:
                _go_on(deadline)
                left = deadline.remaining()
                self._changed.wait(left if self._is_taken else min(left, self._rests_until - self._clock()))
            self._is_taken = True

    def leave(self, rest: float) -> None:
        """Leave the lane to the next, if there is none before `rest` seconds from now."""
        with self._changed:
            self._is_taken = False
            self._rests_until = self._clock() + rest
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait look whether they are of use still."""
        with self._changed:
            self._changed.notify_all()


class _Turn:
    """One thread's turn: how long it has worked since it last rested, and whether it has the lane."""

    def __init__(self, lane: Lane, deadline: Deadline, *, long: bool) -> None:
        self._lane = lane
        self._deadline = deadline
        self._is_long = long
        self._has_lane = False
        self._cut_off = cut_off_if_useless(lane.wake)

    def __enter__(self) -> None:
        self._cut_off.__enter__()
        self.thread = threading.get_ident()
        self._since = self._lane.spent()
        self._token = _CURRENT.set(self)
        try:
            self.go_on()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _CURRENT.reset(self._token)
        self.thread = 0  # a thread that is kept may work in this context once more
        worked = self._lane.spent() - self._since
        if self._has_lane:
            self._lane.leave(worked if worked >= MOMENT else 0.0)
        self._cut_off.__exit__(kind, error, at)

    def give_way(self) -> None:
        worked = self._lane.spent() - self._since
        if worked < MOMENT:
            return
        _go_on(self._deadline)
        self.take()
        self._lane.rest(min(worked, self._deadline.remaining()))
        self._since = self._lane.spent()

    def take(self) -> None:
        self._is_long = True
        if not self._has_lane:
            self._lane.take(self._deadline)
            self._has_lane = True

    def pause(self) -> None:
        """Leave the lane while the source is waited for."""
        self.give_way()
        if self._has_lane:
            self._lane.leave(0.0)
            self._has_lane = False

    def go_on(self) -> None:
        if self._is_long:
            self.take()


_CURRENT: ContextVar[_Turn | None] = ContextVar("turn", default=None)


def give_way() -> None:
    """Let others go first if this thread has worked for a moment; end the work if it is of no use any more.

    Nothing in a thread that has no turn. Raises as `Lane.turn` does.
    """
    if (turn := _own_turn()) is not None:
        turn.give_way()


@contextmanager
def waiting_for_source() -> Iterator[None]:
    """Leave the lane to others while the block waits for what comes next."""
    turn = _own_turn()
    if turn is None:
        yield
    else:
        turn.pause()
        yield
        turn.go_on()


def _own_turn() -> _Turn | None:
    """Return the turn of this thread, not of the one that began it: its context is the same."""
    turn = _CURRENT.get()
    return turn if turn is not None and turn.thread == threading.get_ident() else None


def _go_on(deadline: Deadline) -> None:
    end_if_useless()
    if deadline.expired():
        raise SourceUnavailable("what came takes longer to read than there is time")
