"""One connector and what protects everybody from it: cache, single-flight, bulkhead, breaker, and distrust.

The only place that calls a connector. What a connector raises or returns is judged here once, logged here once, and
leaves as owners or as a SourceError, whatever the connector does. Nobody waits here: `begin` returns at once.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from bridge.answer import Answer, Freshness, Pending
from bridge.breaker import Breaker
from bridge.cache import AnswerCache
from bridge.connector import AnyConnector, Call
from bridge.deadline import Clock, Deadline
from bridge.errors import SourceBusy, SourceError, SourceUnavailable
from bridge.leftovers import left_by
from bridge.opening import Opening
from bridge.trust import bug_in, failure_of, lines, trusted
from bridge.workers import Flight, Workers

_log = logging.getLogger(__name__)

_TRIAL_EVERY = 2.0
_FAILURES_IN_A_ROW = 5
_PATIENCE_AT_CLOSE = 1.0


class Guard:
    """Asks one connector on behalf of all calls.

    `patience` is the number of seconds after which an answer is too late for a call. `wait` waits for so many seconds
    and returns True when the guard is to end; a test gives its own.
    """

    def __init__(
        self,
        name: str,
        connector: AnyConnector,
        cache: AnswerCache,
        *,
        patience: float = 1.8,
        clock: Clock = time.monotonic,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.name = name
        self.connector = connector
        self.timeout: float = connector.config.timeout
        self._cache = cache
        self.patience = patience
        self._clock = clock
        self._workers: Workers[Answer] = Workers(name, connector.config.max_in_flight)
        self._breaker = Breaker(_FAILURES_IN_A_ROW, clock)
        self._under_way: dict[object, float] = {}
        self._latest: Call | None = None
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self.opening = Opening(name, connector, self._wait)

    def begin(self, call: Call, *, may_ask: bool = True) -> Pending:
        """Return what is remembered, or what the source is going to say if it may be asked; never waits nor raises."""
        question = call if self.connector.reads_hotline else Call(call.caller, None, call.explain)
        remembered = self._cache.get(question) if self.connector.remembered else None
        if remembered and remembered.fresh:
            if call.explained:
                call.explain(f"{self.name}: remembered: {len(remembered.owners)} owner(s)")
            if remembered.due:
                self._refresh(question)
            return Pending(Answer(remembered.owners, Freshness.CACHED))
        stale = remembered.owners if remembered else None
        if call.explained and self.connector.remembered:
            call.explain(f"{self.name}: {'remembered, but past its life' if stale else 'nothing remembered'}")
        try:
            self._latest = question
            if not may_ask:
                raise SourceUnavailable("no time is left to ask")
            if self.opening.trouble:
                raise SourceUnavailable(self.opening.trouble)
            if not self._breaker.is_open and self._too_slow():
                self._failed(f"{_FAILURES_IN_A_ROW} questions without an answer", opens=True)
            if self._breaker.is_open:
                raise SourceUnavailable(f"not asked, because of: {self._breaker.reason}")
            flight = self._start(question)
            return Pending(flight.result, stale, flight.lease)
        except SourceError as error:
            return Pending(error, stale)

    @property
    def trouble(self) -> str:
        """Why the source cannot be used just now, or nothing if it can."""
        known = self.opening.trouble or (self._breaker.reason if self._breaker.is_open else "")
        if known:
            return known
        try:
            return "; ".join(lines(self.connector.trouble()))
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            return str(bug_in(self.name, error))

    def report(self) -> Sequence[str]:
        """Return what the connector tells about its source; never raises."""
        try:
            return lines(self.connector.report())
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            return [str(bug_in(self.name, error))]

    def close(self) -> None:
        """Stop trying, and let the connector release what it holds, waiting a second for it at most."""
        self._closed.set()
        release = threading.Thread(target=self._release, name=f"close-{self.name}", daemon=True)
        release.start()
        release.join(_PATIENCE_AT_CLOSE)

    def _start(self, question: Call) -> Flight[Answer]:
        lease = Deadline.after(self.timeout, self._clock)
        return self._workers.start(question, lambda: self._ask(question, lease), lease)

    def _refresh(self, question: Call) -> None:
        """Ask again before the life of an answer ends; nobody waits for it."""
        if not self._breaker.is_open:
            try:
                self._start(question)
            except SourceBusy:
                return  # calls that wait come first

    def _ask(self, question: Call, lease: Deadline) -> Answer:
        """Ask the connector; runs in a worker's thread, and goes on after the call's own deadline."""
        started = self._clock()
        attempt = object()
        self._under_way[attempt] = started
        try:
            owners = trusted(self.connector.find_owners(question, lease))
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            failure = failure_of(self.name, error, question.caller)
            if not isinstance(failure, SourceBusy):  # our own restraint says nothing about the source
                self._failed(f"{failure.reason}: {failure}", getattr(failure, "retry_after", None))
                if isinstance(error, SourceError):  # a bug stands in the log already
                    _log.warning("connector %s: %s: %s", self.name, failure.reason, failure)
            raise failure from None
        finally:
            del self._under_way[attempt]
        took = self._clock() - started
        if took > self.patience:
            self._failed(f"an answer took {took:.1f} s")
        else:
            self._breaker.succeeded()
        if self.connector.remembered:
            self._cache.put(question, owners)
        question.explain(f"{self.name}: {len(owners)} owner(s) after {took * 1000:.0f} ms")
        return Answer(owners, Freshness.LIVE)

    def _too_slow(self) -> bool:
        """Tell whether so many questions have been under way for too long that the next would be one more."""
        latest = self._clock() - self.patience
        return sum(self._breaker.closed_at < at < latest for at in list(self._under_way.values())) >= _FAILURES_IN_A_ROW

    def _failed(self, reason: str, hold: float | None = None, *, opens: bool = False) -> None:
        """Count a failure; if it opens the breaker, go on with trials in the background until one succeeds."""
        if self._breaker.failed(reason, hold, opens=opens):
            _log.warning("connector %s is left alone for a while: %s", self.name, reason)
            threading.Thread(target=self._try, name=f"trial-{self.name}", daemon=True).start()

    def _try(self) -> None:
        """Ask what was asked last, again and again, until an answer comes in good time."""
        while self._breaker.is_open and not self._wait(max(_TRIAL_EVERY, self._breaker.seconds_to_hold())):
            question = self._latest
            if question is not None and not self._breaker.seconds_to_hold():
                with suppress(SourceError, TimeoutError):
                    self._start(question).result.result(self.patience)
        if not self._breaker.is_open:
            _log.info("connector %s answers again", self.name)

    def _release(self) -> None:
        try:
            self.connector.close()
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            bug_in(self.name, error)
        if left := left_by(self.connector):
            _log.error(
                "connector %s has a bug: after close its code goes on in the thread %s", self.name, ", ".join(left)
            )
