"""Asking one connector, and judging what becomes of it: the only place that calls its `find_owners`.

What a connector raises or returns is judged and logged here, once, and leaves as owners or as a SourceError, whatever
the connector does. What it says about the source, a question without an answer included, the breaker hears.
"""

import logging
from dataclasses import dataclass

from bridge.lookup.meter import Meter
from bridge.lookup.probed_breaker import ProbedBreaker
from bridge.lookup.unreadable import Unreadable
from bridge.resilience.sanitizing import failure_of, sanitised_owners
from bridge.sdk.connector import AnyConnector, Call, Owners
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy, SourceError

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Attempt:
    question: Call
    started: float
    is_late: bool = False
    """Whether it was counted as late while it was under way."""


class WatchedSource:
    """A connector and the breaker that hears how it does."""

    def __init__(self, name: str, connector: AnyConnector, breaker: ProbedBreaker, meter: Meter, clock: Clock) -> None:
        self._name = name
        self._connector = connector
        self._breaker = breaker
        self._meter = meter
        self._unreadable = Unreadable(name, meter)
        self._clock = clock
        self._under_way: dict[int, _Attempt] = {}
        self._answered_at = float("-inf")

    def consider(self, question: Call, patience: float) -> None:
        """Raise SourceUnavailable if the source is not to be asked now.

        `patience` is the number of seconds after which an answer is too late: what hangs for longer is counted.
        """
        now = self._clock()
        for attempt in list(self._under_way.values()):
            if not attempt.is_late and attempt.started + patience < now:
                attempt.is_late = True
                self._late(attempt, patience, "no answer in time")
        self._breaker.consider(question)

    def ask(self, question: Call, lease: Deadline, patience: float) -> Owners:
        """Ask the connector; raises SourceError."""
        attempt = _Attempt(question, self._clock())
        self._under_way[id(attempt)] = attempt
        try:
            with self._unreadable.told_during(question):
                owners = sanitised_owners(self._connector.find_owners(question, lease))
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            raise self._failure(attempt, error) from None
        finally:
            del self._under_way[id(attempt)]
        took = self._clock() - attempt.started
        self._meter.asked(took, "late" if took > patience else "")
        if took <= patience:
            self._answered_at = self._clock()
            self._breaker.answered(question)
        elif not attempt.is_late:
            self._late(attempt, patience, f"an answer took {took:.1f} s")
        question.explain(f"{self._name}: {len(owners)} owner(s) after {took * 1000:.0f} ms")
        return owners

    def _late(self, attempt: _Attempt, patience: float, reason: str) -> None:
        """Count a question that had no answer in time, unless the source has answered another one since."""
        if attempt.started + patience > self._answered_at:
            self._breaker.failed(attempt.question, "late", reason)

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
        hold = getattr(failure, "retry_after", None)
        if hold or not attempt.is_late:
            self._breaker.failed(attempt.question, kind, f"{failure.reason}: {failure}", hold)
        return failure
