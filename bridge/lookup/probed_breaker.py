"""A circuit breaker with background probes: a source that fails again and again is left alone until it is well.

What a source fails with is counted, so that in the end nobody waits in vain; meanwhile what was asked last is tried
in the background, until an answer comes in good time. What a connector raises or returns is judged and logged
here, once, and leaves as owners or as a SourceError, whatever the connector does.
"""

import logging
from collections.abc import Callable
from contextlib import suppress

from bridge.lookup.meter import Meter
from bridge.lookup.unreadable import Unreadable
from bridge.resilience.circuit_breaker import CircuitBreaker, Trials
from bridge.resilience.sanitizing import failure_of, sanitised_owners
from bridge.sdk.background import Wait
from bridge.sdk.connector import AnyConnector, Call, Owners
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy, SourceError, SourceUnavailable

_log = logging.getLogger(__name__)

_TRIAL_EVERY = 2.0
_FAILURES_IN_A_ROW = 5


class ProbedBreaker:
    """Asks a connector for everybody."""

    def __init__(
        self, name: str, connector: AnyConnector, meter: Meter, clock: Clock, wait: Wait | None = None
    ) -> None:
        self._name = name
        self._connector = connector
        self._meter = meter
        self._unreadable = Unreadable(name, meter)
        self._clock = clock
        self._breaker = CircuitBreaker(_FAILURES_IN_A_ROW, clock)
        self._trials = Trials(
            name,
            self._breaker,
            self._attempt,
            lambda: _log.info("connector %s answers again", name),
            every=_TRIAL_EVERY,
            wait=wait,
        )
        self._kind = ""
        self._under_way: dict[object, float] = {}
        self._try: Callable[[], object] | None = None

    @property
    def trouble(self) -> str:
        """Why the source is left alone just now, or nothing if it is not."""
        return self._breaker.reason if self._breaker.is_open else ""

    @property
    def leaves_alone(self) -> bool:
        """Whether the source is not asked just now, because it failed again and again."""
        return self._breaker.is_open

    def consider(self, patience: float, again: Callable[[], object]) -> None:
        """Raise SourceUnavailable if the source is not to be asked now.

        `patience` is the number of seconds after which an answer is too late; `again` asks once more what is asked now,
        and waits so long for the answer: it is how the source is tried in the background.
        """
        self._try = again
        if not self._breaker.is_open and self._too_slow(patience):
            self._failed("late", f"{_FAILURES_IN_A_ROW} questions without an answer", opens=True)
        if self._breaker.is_open:
            raise SourceUnavailable(f"not asked, because of: {self._breaker.reason}")

    def ask(self, question: Call, lease: Deadline, patience: float) -> Owners:
        """Ask the connector; raises SourceError."""
        started = self._clock()
        owners = self._judged(question, lease, started)
        took = self._clock() - started
        self._meter.asked(took, "late" if took > patience else "")
        if took > patience:
            self._failed("late", f"an answer took {took:.1f} s")
        else:
            self._breaker.succeeded()
        question.explain(f"{self._name}: {len(owners)} owner(s) after {took * 1000:.0f} ms")
        return owners

    def close(self) -> None:
        """Try no more."""
        self._trials.close()

    def _judged(self, question: Call, lease: Deadline, started: float) -> Owners:
        attempt = object()
        self._under_way[attempt] = started
        try:
            with self._unreadable.told_during(question):
                return sanitised_owners(self._connector.find_owners(question, lease))
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            failure = failure_of(self._name, error, question.caller)
            is_bug = not isinstance(error, SourceError)
            kind = "bug" if is_bug else failure.reason
            self._meter.asked(self._clock() - started, kind)
            if not isinstance(failure, SourceBusy):  # our own restraint says nothing about the source
                self._failed(kind, f"{failure.reason}: {failure}", getattr(failure, "retry_after", None))
                if not is_bug:  # a bug stands in the log already
                    _log.warning("connector %s: %s: %s", self._name, failure.reason, failure)
            raise failure from None
        finally:
            del self._under_way[attempt]

    def _too_slow(self, patience: float) -> bool:
        """Tell whether so many questions have been under way for too long that the next would be one more."""
        latest = self._clock() - patience
        return sum(self._breaker.closed_at < at < latest for at in list(self._under_way.values())) >= _FAILURES_IN_A_ROW

    def _failed(self, kind: str, reason: str, hold: float | None = None, *, opens: bool = False) -> None:
        """Count a failure; if it opens the breaker, go on with trials in the background until one succeeds."""
        before, self._kind = self._kind, kind
        if self._breaker.failed(reason, hold, opens=opens):
            _log.warning("connector %s is left alone for a while: %s", self._name, reason)
            self._trials.start()
        elif self._breaker.is_open and kind != before:
            _log.warning("connector %s is still left alone, by now because of: %s", self._name, reason)

    def _attempt(self) -> None:
        """Ask what was asked last."""
        if self._try is not None:
            with suppress(SourceError, TimeoutError):
                self._try()
