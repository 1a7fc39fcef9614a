"""Asking one connector, and judging what becomes of it: the only place that calls its `find_owners`.

What a connector raises or returns is judged and logged here, once, and leaves as owners or as a SourceError, whatever
the connector does. What it says about the source, a question without an answer included, the breaker hears. Owners who
are told in good time are an answer, though others fail or come late: docs/decisions/breaker.md.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from bridge.lookup.answer import Answer, Freshness
from bridge.lookup.meter import Meter
from bridge.lookup.probed_breaker import ProbedBreaker
from bridge.lookup.unreadable import Unreadable
from bridge.resilience.sanitizing import failure_of, sanitised_owners
from bridge.sdk.connector import AnyConnector, Call, Owner, Owners
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy, SourceError

_log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """A question that failed: when, in seconds since 1970, of which kind, and what is said of it."""

    at: float
    kind: str
    words: str


@dataclass(slots=True, eq=False)
class _Attempt:
    question: Call
    started: float
    so_far: Owners = ()
    is_answered: bool = False
    """Whether owners were told in good time, though maybe not all of them."""
    is_late: bool = False
    """Whether it was counted as late while it was under way."""
    is_probe: bool = False
    """Whether nobody waits for it: it is to tell how the source is."""


class WatchedSource:
    """A connector and the breaker that hears how it does.

    `patience` gives the number of seconds after which an answer is too late: what hangs for longer is counted.
    """

    def __init__(
        self,
        name: str,
        connector: AnyConnector,
        breaker: ProbedBreaker,
        meter: Meter,
        patience: Callable[[], float],
        clock: Clock,
    ) -> None:
        self._name = name
        self._connector = connector
        self._breaker = breaker
        self._meter = meter
        self._patience = patience
        self._unreadable = Unreadable(name, meter)
        self._clock = clock
        self._under_way: dict[int, _Attempt] = {}
        self._answered_at = float("-inf")
        self.last_failure: Failure | None = None
        """The last question that had no answer, or none in time, whatever came of the source since."""

    def consider(self, question: Call) -> None:
        """Raise SourceUnavailable if the source is not to be asked now."""
        self.look()
        self._breaker.consider(question)

    def look(self) -> None:
        """Count what hangs for longer than a call can wait."""
        now = self._clock()
        for attempt in list(self._under_way.values()):
            if attempt.started + self._patience() < now:
                self._late(attempt, "no answer in time")

    def told_so_far(self, question: Call, after: float | None = None) -> Owners:
        """Return the owners that are known while the question, asked last and `after` a moment, is under way."""
        asked = (attempt for attempt in reversed(list(self._under_way.values())) if attempt.question == question)
        return next((attempt.so_far for attempt in asked if after is None or attempt.started > after), ())

    def ask(self, question: Call, lease: Deadline, *, is_probe: bool = False) -> Answer:
        """Ask the connector; raises SourceError if it fails with nobody known by then."""
        attempt = _Attempt(question, self._clock(), is_probe=is_probe)
        self._under_way[id(attempt)] = attempt
        try:
            with self._unreadable.told_during(question):
                listened = replace(question, so_far=partial(self._hear, attempt))
                owners = sanitised_owners(self._connector.find_owners(listened, lease))
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            failure = self._failure(attempt, error)
            if not attempt.so_far:
                raise failure from None
            return Answer(attempt.so_far, Freshness.LIVE, str(failure) or failure.reason)
        finally:
            del self._under_way[id(attempt)]
        took = self._clock() - attempt.started
        self._meter.asked(took, "late" if took > self._patience() else "")
        if took <= self._patience():
            self._answered(attempt)
        else:
            self._late(attempt, f"an answer took {took:.1f} s")
        question.explain(f"{self._name}: {len(owners)} owner(s) after {took * 1000:.0f} ms")
        return Answer(owners, Freshness.LIVE)

    def _hear(self, attempt: _Attempt, owners: Sequence[Owner]) -> None:
        """Take note of owners that are known ahead; raises TypeError or ValueError if they break the contract."""
        attempt.so_far = sanitised_owners(owners)
        attempt.is_answered = bool(attempt.so_far) and self._clock() <= attempt.started + self._patience()
        if attempt.is_answered:
            self._answered(attempt)

    def _answered(self, attempt: _Attempt) -> None:
        self._answered_at = self._clock()
        self._breaker.answered(attempt.question)

    def _late(self, attempt: _Attempt, reason: str) -> None:
        """Count once a question that had no answer in time, unless the source has answered another one since."""
        if attempt.is_late or attempt.is_answered:
            return
        attempt.is_late = True
        self.last_failure = Failure(time.time(), "late", reason)
        if attempt.started + self._patience() > self._answered_at:
            self._breaker.failed(attempt.question, "late", reason, probed=attempt.is_probe)

    def _failure(self, attempt: _Attempt, error: BaseException) -> SourceError:
        """Log what a connector raised, and count it; return it as a failure."""
        failure = failure_of(self._name, error, attempt.question.caller)
        is_bug = not isinstance(error, SourceError)
        kind = "bug" if is_bug else failure.reason
        self._meter.asked(self._clock() - attempt.started, kind)
        if isinstance(failure, SourceBusy):  # our own restraint says nothing about the source
            return failure
        if not is_bug:  # a bug stands in the log already
            _log.warning("connector %s: %s: %s", self._name, failure.reason, failure)
        self.last_failure = Failure(time.time(), kind, str(failure))
        hold = getattr(failure, "retry_after", None)
        if hold or not (attempt.is_late or attempt.is_answered):
            reason = f"{failure.reason}: {failure}"
            self._breaker.failed(attempt.question, kind, reason, hold, probed=attempt.is_probe)
        return failure
