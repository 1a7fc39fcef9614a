"""What the processes of a service know together: a small part of the contract, for connectors that sign in or count.

Where nothing is shared, each process is alone: every name is unknown, every lock is free, and it counts its own
requests only. So whoever uses this needs no second way of working, and a shared memory that fails is just one that
knows nothing.
"""

import bisect
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import inf

from bridge.sdk import failures
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import SourceBusy, SourceError

_LONGEST_FAILURE = 60.0
_SHARE_OF_REFRESH = 0.9
"""How much of its time between two readings a list may have behind it: who reads a moment later finds it."""


class Turns:
    """When requests to one source were made: the last `count` of them, for a limit on any window of `seconds`.

    As it stands here, those of this process.
    """

    def __init__(self, count: int, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._made: deque[float] = deque(maxlen=count)
        self._lock = threading.Lock()

    def book(self, most: int, longest: float) -> float:
        """Return after how many seconds the next request may be made, if at most `most` are made in any window.

        Its turn is booked if that is no longer than `longest`. Waits for a tenth of a second at most; raises SourceBusy
        if it cannot be told by then.
        """
        with self._lock:
            now = self._clock()
            turn = max(now, self._made[-most] + self._seconds) if len(self._made) >= most else now
            if turn - now <= longest:
                self._made.append(turn)
            return turn - now

    def note(self, wait: float) -> None:
        """Take note of a request that is made after so many seconds, whoever allowed it."""
        with self._lock:
            self._made.append(self._clock() + wait)

    def made(self) -> int:
        """Return how many were made within the last `seconds`, as far as they are kept."""
        with self._lock:
            return len(self._made) - bisect.bisect_right(self._made, self._clock() - self._seconds)


class Moments:
    """When something has happened: the last `kept` times. As it stands here, in this process.

    Nobody waits here: of two who note the same thing at the same instant, one may be lost.
    """

    def __init__(self, kept: int = 1, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._own: deque[float] = deque(maxlen=kept)

    def note(self) -> None:
        """Take note that it has happened now."""
        self._own.append(self._clock())

    def age(self, before: int = 0) -> float:
        """Return how many seconds ago it last happened, or so many times `before` that; infinity if it did not."""
        return max(0.0, self._clock() - self._own[-1 - before]) if len(self._own) > before else inf


@dataclass(frozen=True, slots=True)
class SharedValue:
    """What an instance has put, and how many seconds ago; the machines' clocks play no part in that."""

    content: bytes = field(repr=False)
    age: float


class Shared:
    """Named values of one connector, and its requests. No method raises, and none but `lock` waits for long.

    As it stands here nothing is shared. Contents are encrypted wherever they are kept.
    """

    @property
    def here(self) -> "Shared":
        """What the processes of this machine alone share."""
        return self

    def get(self, name: str) -> SharedValue | None:  # noqa: ARG002 - part of the interface
        """Return what is known under a name, or None."""
        return None

    def put(self, name: str, content: bytes, seconds: float, *, wait: bool = False) -> None:
        """Let the others know this for so many seconds, unless one of them has put something newer.

        It is on its way then; with `wait` it is there, or the time for waiting is over.
        """

    def turns(self, name: str, count: int, seconds: float) -> Turns:
        """Return when all who share this have made requests, for a limit of `count` in `seconds`."""
        return self.turns_here(name, count, seconds)

    def turns_here(self, name: str, count: int, seconds: float) -> Turns:  # noqa: ARG002 - part of the interface
        """Return when the processes of this machine have made requests: to count without asking a server."""
        return Turns(count, seconds)

    def moments_here(self, name: str, kept: int) -> Moments:  # noqa: ARG002 - part of the interface
        """Return when something has happened in the processes of this machine: the last `kept` times."""
        return Moments(kept)

    @contextmanager
    def lock(self, name: str, seconds: float, patience: float | None = None) -> Iterator[None]:  # noqa: ARG002 - part of the interface
        """Hold the lock of this name for `seconds` at most; wait for it for `patience` at most, else for as long.

        It keeps the instances from doing the same work at the same time, and promises nothing: when the patience ends,
        or if the shared memory fails, the block runs all the same. What is put under the same name frees the lock at
        the same moment, so that whoever comes next finds it.
        """
        yield

    @contextmanager
    def failing_once(self, name: str, pause: Callable[[SourceError], float]) -> Iterator[None]:
        """Do the block, unless another process of this machine has just failed at what has this name: raises the same.

        `pause` tells for how many seconds a failure of the block counts for the others, a minute at most: a source may
        count failures, such as those to sign in. What another machine fails with may be its own network's.
        """
        here, failed = self.here, f"failed {name}"
        if known := here.get(failed):
            raise failures.read(known.content)
        try:
            yield
        except SourceBusy:  # our own restraint
            raise
        except SourceError as error:
            here.put(failed, failures.written(error), min(_LONGEST_FAILURE, pause(error)))
            raise

    def once(
        self,
        name: str,
        make: Callable[[], bytes],
        *,
        seconds: float,
        patience: float,
        good: Callable[[bytes], bool] = lambda _content: True,
        pause: Callable[[SourceError], float] = lambda _failure: 0.0,
    ) -> SharedValue:
        """Return what an instance made within the last `seconds`, if it is `good`, or make it while the others wait.

        `patience` is for how long making it may keep the others waiting. Raises what `make` raises, and so do for
        `pause` seconds the others of this machine.
        """
        with self.lock(name, patience):
            known = self.get(name)
            if known and known.age < seconds and good(known.content):
                return known
            with self.failing_once(name, pause):
                made = make()
            self.put(name, made, seconds)
            return SharedValue(made, 0.0)


def newer_than_seen(refresh: float, seen: float | None) -> float:
    """Return for `Shared.once` how old a list may be that is read every `refresh` seconds.

    Younger than the one that was seen here last, `seen` seconds ago: it is asked for to hear something new, and the
    same list once more would confirm what is doubted in it. None if none was.
    """
    enough = _SHARE_OF_REFRESH * refresh
    return enough if seen is None else min(enough, seen)


_AT_HAND = ContextVar("at hand", default=Shared())  # noqa: B039 - it has no state


@contextmanager
def at_hand(shared: Shared) -> Iterator[None]:
    """Let what is made in this block, such as a connector's HTTP client, count together with all who share this."""
    token = _AT_HAND.set(shared)
    try:
        yield
    finally:
        _AT_HAND.reset(token)


def turns_at_hand(name: str, count: int, seconds: float) -> Turns:
    """Return `Shared.turns` of what is at hand where this is called."""
    return _AT_HAND.get().turns(name, count, seconds)


def turns_here(name: str, count: int, seconds: float) -> Turns:
    """Return `Shared.turns_here` of the same."""
    return _AT_HAND.get().turns_here(name, count, seconds)


def moments_here(name: str, kept: int = 1) -> Moments:
    """Return `Shared.moments_here` of the same."""
    return _AT_HAND.get().moments_here(name, kept)
