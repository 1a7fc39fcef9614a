"""The shared memory as everybody may use it without fear: nobody waits for it longer than a tenth of a second.

Every command runs in a thread of its own behind a bulkhead, and whoever asked waits for so long and no longer. A server
that fails or is slow a few times in a row is left alone, which costs nothing, and tried in the background until it is
well. What only needs to be told to it is not waited for at all.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar, cast

from bridge.resilience.circuit_breaker import CircuitBreaker, Trials
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.sdk.threads.single_flight import SingleFlight
from bridge.storage.shared.backend import LIMIT, Backend, Counted, Reading, Refused, Silent, Window

_log = logging.getLogger(__name__)

_SLOW = 0.05  # seconds; an answer that takes longer counts as a failure
_PLACES = 32
_FAILURES_IN_A_ROW = 5
_TRIAL_EVERY = 1.0
_PROBES = 3
_PATIENCE_AT_START = 2.0  # the first connection over TLS takes longer

_KEEPING = ("the shared memory takes nothing more", "takes answers again")
_COUNTING = ("the shared memory counts nothing more", "counts requests again")
"""What is asked of it: as the log says that it is refused, and that it is done again."""

T = TypeVar("T")


class SharedClient:
    """One server, safe to use from many threads."""

    def __init__(self, server: Backend, *, clock: Clock = time.monotonic, wait: Wait | None = None) -> None:
        self._server = server
        self._clock = clock
        self._flights: SingleFlight[object] = SingleFlight("source-shared-memory", _PLACES)
        self._breaker = CircuitBreaker(_FAILURES_IN_A_ROW, clock)
        self._failure = ""
        self._refusals: dict[tuple[str, str], str] = {}  # why it does not do what it was asked for
        self._ahead: float | None = None
        self._aborts = 0
        self._trials = Trials(
            "shared-memory",
            self._breaker,
            self._ping,
            lambda: _log.info("the shared memory at %s answers again", server.place),
            pause=lambda: _TRIAL_EVERY,
            wait=wait,
        )

    @classmethod
    def at(cls, url: str) -> "SharedClient":
        """Make the store at a Redis; no network yet."""
        from bridge.storage.shared.redis import RedisServer  # noqa: PLC0415 - an extra

        return cls(RedisServer(url, LIMIT, _PLACES))

    def start(self) -> None:
        """Connect ahead of the first call, in the background."""
        BackgroundLoop("greet-shared-memory", self._greet).start()

    def probe(self, prefix: str) -> str:
        """Return why nothing can be shared, or nothing: by reading and writing, as calls do."""
        trouble, key = "", f"{prefix}:probe"
        for _ in range(_PROBES):  # the first one has to connect
            try:
                self.read([key])
                self.lock(key, "probe", LIMIT)
                self.take_place((f"{key}:places", f"{key}:machines"), 1, LIMIT, "probe", "probe")
            except Silent as failure:
                trouble = f"{self._server.place}: {failure}"
            else:
                return ""
        return trouble

    @property
    def is_silent(self) -> bool:
        """Whether the server is left alone just now."""
        return self._breaker.is_open

    @property
    def trouble(self) -> str:
        """Why nothing is shared just now, or nothing if it is."""
        return self._failure if self._breaker.is_open else "; ".join(dict.fromkeys(self._refusals.values()))

    def now(self) -> int | None:
        """Return the server's time in milliseconds, as known since it was read; None if it never was."""
        return None if self._ahead is None else int(self._ahead + self._clock() * 1000)

    def read(self, keys: Sequence[str], patience: float = LIMIT) -> Reading:
        """Return what is kept under the keys at one moment; raises Silent."""
        reading = self._ask(lambda: self._server.read(keys), patience)
        self._ahead = reading.now - self._clock() * 1000
        return reading

    def lock(self, key: str, token: str, seconds: float, patience: float = LIMIT) -> bool:
        """Take a lock for so many seconds if it is free; raises Silent."""
        return self._ask(lambda: self._changed(lambda: self._server.lock(key, token, seconds)), patience)

    def put(
        self, key: str, content: bytes, stamp: int, until: int, lock: tuple[str, str] = ("", ""), *, wait: bool = False
    ) -> None:
        """Keep a content, and free a lock with it, some time soon, or at once if it may `wait`; never raises."""

        def command() -> None:
            self._changed(lambda: self._server.put(key, content, stamp, until, lock))

        if wait:
            with suppress(Silent):
                self._ask(command, LIMIT)
        else:
            self._tell(command)

    def free(self, key: str, token: str | bytes) -> None:
        """Give a lock back, or forget a content, some time soon; never waits nor raises."""
        self._tell(lambda: self._server.free(key, token))

    def remove(self, key: str, content: bytes) -> None:
        """Delete what is kept, if it still is this, at once; raises Silent."""
        self._ask(lambda: self._server.free(key, content), LIMIT)

    def book(self, keys: tuple[str, str], window: Window, token: str, machine: str) -> Counted:
        """Book a turn, see `Backend.book`; raises Silent."""
        return self._counted(lambda: self._server.book(keys, window, token, machine))

    def take_place(self, keys: tuple[str, str], limit: int, seconds: float, token: str, machine: str) -> Counted:
        """Take a place, see `Backend.take_place`; raises Silent."""
        return self._counted(lambda: self._server.take_place(keys, limit, seconds, token, machine))

    def leave_place(self, key: str, token: str) -> None:
        """Give a place back some time soon; never waits nor raises."""
        self._tell(lambda: self._server.leave_place(key, token), _COUNTING)

    def close(self) -> None:
        """Give up the connections."""
        self._trials.close()
        self._server.abort()

    def _counted(self, command: Callable[[], Counted]) -> Counted:
        return self._ask(lambda: self._changed(command, _COUNTING), LIMIT, _COUNTING)

    def _ask(self, command: Callable[[], T], patience: float, what: tuple[str, str] = _KEEPING) -> T:
        if self._breaker.is_open:
            raise Silent(self._failure)
        result = self._begin(command, what)
        try:
            return result.result(min(patience, LIMIT))
        except TimeoutError:  # of this waiting: what the command itself raises is Silent
            self._failed("no answer in time")
            self._abort()  # what goes on sending must not fill our memory
            raise Silent("no answer in time") from None

    def _tell(self, command: Callable[[], object], what: tuple[str, str] = _KEEPING) -> None:
        if not self._breaker.is_open:
            with suppress(Silent):
                self._begin(command, what)

    def _begin(self, command: Callable[[], T], what: tuple[str, str] = _KEEPING) -> Future[T]:
        try:
            flight = self._flights.start(object(), lambda: self._run(command, what), Deadline.after(LIMIT))
        except SourceBusy:
            raise Silent("too much is asked of it at the same time") from None
        return cast("Future[T]", flight.result)

    def _run(self, command: Callable[[], T], what: tuple[str, str]) -> T:
        started, aborts = self._clock(), self._aborts
        try:
            result = command()
        except Refused as refusal:
            self._breaker.succeeded()
            self._refused(str(refusal), what)
            raise
        except Silent as failure:
            if aborts == self._aborts:  # else it failed because we had given it up
                self._failed(str(failure))
            raise
        took = self._clock() - started
        if took > _SLOW:
            self._failed(f"an answer took {took:.2f} s")
        else:
            self._breaker.succeeded()
        return result

    def _changed(self, command: Callable[[], T], what: tuple[str, str] = _KEEPING) -> T:
        """Carry out a command that changes something: it is full, read-only … until that succeeds again."""
        result = command()
        if self._refusals.pop(what, ""):
            _log.info("the shared memory at %s %s", self._server.place, what[1])
        return result

    def _refused(self, reason: str, what: tuple[str, str]) -> None:
        reason = f"{self._server.place}: {reason}"
        if reason != self._refusals.get(what):
            _log.warning("%s: %s", what[0], reason)
        self._refusals[what] = reason

    def _failed(self, reason: str, *, opens: bool = False) -> None:
        self._failure = f"{self._server.place}: {reason}"
        if self._breaker.failed(reason, opens=opens):
            _log.warning("the shared memory is left alone for a while: %s: %s", self._server.place, reason)
            self._abort()
            self._trials.start()

    def _abort(self) -> None:
        self._aborts += 1
        self._server.abort()

    def _greet(self) -> None:
        try:
            self._begin(self._server.ping).result(_PATIENCE_AT_START)
        except (Silent, TimeoutError) as failure:
            self._failed(str(failure) or "no answer in time", opens=True)

    def _ping(self) -> None:
        """Ask for a sign of life."""
        try:
            self._begin(self._server.ping).result(LIMIT)
        except (Silent, TimeoutError):
            self._abort()
