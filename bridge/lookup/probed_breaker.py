"""A circuit breaker with trials: a source that answers nobody is left alone until it is well.

Before a source is left alone, and again and again while it is, a question is asked in the background that once
succeeded: whoever answers that is not down. Trials are frequent, because a source that is back is wanted within seconds
and a question a second costs it nothing; only one that refuses is tried ever more seldom, for a refusal may be counted,
and ends only when somebody acts. What one process leaves alone, those of the machine leave alone together: one tries it
for all, and who is answered in any of them shows all that it is well.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import Any

from bridge.lookup.sightings import Sightings
from bridge.lookup.source_trouble import Probe, SourceTrouble
from bridge.lookup.suspicion import CALLERS, Suspicion
from bridge.resilience.circuit_breaker import CircuitBreaker, Trials
from bridge.sdk.connector import Call
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import SourceBusy, SourceRejected, SourceUnavailable
from bridge.sdk.threads.background import BackgroundLoop, Wait

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_PAUSE_IF_REFUSED = 0.5, 1.0, 60.0
_GROWTH = 1.3

Trial = Callable[[Call], Future[Any]]
"""Asks the source itself, in the background; raises SourceBusy if there is no place."""


class ProbedBreaker:
    """Says whether one source is asked, by what became of the questions before.

    `patience` gives the number of seconds after which an answer is too late, to a trial as to any question. `probe` is
    how a source is asked that is not left alone. `seen` is what all processes of this machine have seen of it.
    """

    def __init__(  # noqa: PLR0913 - how a source is asked, and what the other processes know of it
        self,
        name: str,
        trial: Trial,
        patience: Callable[[], float],
        clock: Clock,
        *,
        probe: Probe,
        seen: Sightings,
        wait: Wait | None = None,
    ) -> None:
        self._name = name
        self._seen = seen
        self._duty = seen.duty
        self._left_alone_at = float("inf")
        self._trial = trial
        self._patience = patience
        self._clock = clock
        self._suspicion = Suspicion()
        self._trouble = SourceTrouble(name, probe, self._suspicion.proven, patience, seen, clock, wait_for=wait)
        self._breaker = CircuitBreaker(1, clock)
        self._trials = Trials(
            name,
            self._breaker,
            self._try,
            self._recovered,
            pause=self._next_pause,
            wait=wait,
        )
        self._kind, self._reason = "", ""
        self._in_doubt: threading.Event | None = None  # set by who is answered meanwhile
        self._pause, self._next_guest = _FIRST_PAUSE, float("-inf")

    @property
    def trouble(self) -> str:
        """Why the source is left alone, or what it failed with unless that was disproved; nothing if all is well."""
        return self._breaker.reason if self._breaker.is_open else self._trouble.told

    @property
    def is_open(self) -> bool:
        """Whether the source is left alone."""
        return self._breaker.is_open

    def consider(self, question: Call) -> None:
        """Raise SourceUnavailable if the source is not to be asked now."""
        self._suspicion.heard(question)
        self._learn()
        if self._breaker.is_open and not self._is_guest(question):
            raise SourceUnavailable(f"not asked, because of: {self._breaker.reason}")

    def try_now(self) -> bool:
        """Begin one trial more of a source that is left alone, before its time; tell whether that was possible.

        It is not while the source itself asks to be left alone, nor where no place is free.
        """
        if not self._breaker.is_open or self._breaker.seconds_to_hold():
            return False
        try:
            return bool(self._attempt())
        except SourceBusy:
            return False

    def forget(self, matches: Callable[[str], bool]) -> None:
        """Ask for none of these callers any more in a trial."""
        self._suspicion.forget(matches)

    def answered(self, question: Call) -> None:
        """Take note of an answer in good time: all is well, whatever was before."""
        self._seen.answers.note()
        self._suspicion.answered(question)
        if self._breaker.seconds_to_hold():  # then this is the answer to a question from before
            return
        if doubt := self._in_doubt:
            self._in_doubt = None
            doubt.set()
        self._trouble.answered()
        if self._breaker.succeeded():
            self._trials.wake()

    def failed(
        self, question: Call, kind: str, reason: str, hold: float | None = None, *, probed: bool = False
    ) -> None:
        """Count a failure; if enough callers had one, begin with trials. `hold`: the source asks to be left alone.

        `probed`: no caller had it, so it speaks neither for nor against leaving the source alone.
        """
        if not probed and self._suspicion.failed(question):
            self._seen.failures.note()
        before, self._kind, self._reason = self._kind, kind, reason
        if hold or self._breaker.is_open:
            was_open = self._breaker.is_open
            self._leave_alone(hold)
            if was_open and kind != before:
                _log.warning("connector %s is still left alone, by now because of: %s", self._name, reason)
            return
        self._trouble.failed(kind, reason)
        if self._suspicion.is_strong or self._seen.answers.age() > self._seen.failures.age(CALLERS - 1):
            self._doubt()

    def close(self) -> None:
        """Try no more."""
        self._trouble.close()
        self._trials.close()
        self._duty.leave()

    def _is_guest(self, question: Call) -> bool:
        """Tell whether a call is let through as a trial: it may be that all who asked so far are what it fails at."""
        now = self._clock()
        if now < self._next_guest or self._breaker.seconds_to_hold() or not self._suspicion.acquits(question):
            return False
        if not self._duty.is_ours():
            return False
        self._next_guest = now + self._pause
        return True

    def _doubt(self) -> None:
        if not self._in_doubt:
            self._in_doubt = doubt = threading.Event()
            tried = self._seen.trials.age()  # what another process asks decides here too
            others = tried if tried < min(self._patience(), self._seen.answers.age()) else None
            if others is None:
                self._seen.trials.note()
            BackgroundLoop(f"trial-{self._name}", partial(self._judge, doubt, self._clock(), others)).start()

    def _judge(self, doubt: threading.Event, began: float, others: float | None) -> None:
        """Leave the source alone unless it answers, in good time, what it answered before, or somebody else.

        `others` is for how many seconds another process has been asking, if one is.
        """
        patience = self._patience()
        try:
            if others is None:
                wait(self._attempt(), patience)
            else:
                doubt.wait(patience - others)
        except SourceBusy:  # no place is left: then those who hold them show how it is
            doubt.wait(patience)
        if self._in_doubt is not doubt:
            return
        if self._seen.answered_since(self._clock() - began):
            self._in_doubt = None
            self._suspicion.disproved()
        else:
            self._leave_alone()

    def _leave_alone(self, hold: float | None = None) -> None:
        if self._breaker.failed(self._reason, hold):
            _log.warning("connector %s is left alone for a while: %s", self._name, self._reason)
            self._in_doubt, self._pause, self._next_guest = None, _FIRST_PAUSE, float("-inf")
            self._left_alone_at = self._clock()
            if not self._duty.is_anothers():
                self._duty.say(f"{self._kind} {self._reason}")
                self._duty.is_ours()
            self._trouble.rest()
            self._trials.start()

    def _next_pause(self) -> float:
        longest = _LONGEST_PAUSE_IF_REFUSED if self._kind == SourceRejected.reason else _LONGEST_PAUSE
        pause = min(self._pause, longest)
        self._pause = pause * _GROWTH
        return pause

    def _learn(self) -> None:
        """Do as another process does that has found out before: leave the source alone, or use it again."""
        if not self._breaker.is_open:
            if self._duty.is_anothers():
                self._kind, _, self._reason = self._duty.said().partition(" ")
                self._leave_alone()
        elif self._is_well():
            self._trials.wake()

    def _is_well(self) -> bool:
        """Tell whether somebody was answered in another process since the source is left alone, and use it again."""
        is_new = self._seen.answered_since(self._clock() - self._left_alone_at)
        if not is_new or self._breaker.seconds_to_hold():
            return False
        self._trouble.answered()
        self._breaker.succeeded()
        return True

    def _try(self) -> None:
        if not self._is_well() and self._duty.is_ours():
            with suppress(SourceBusy):
                self._attempt()

    def _recovered(self) -> None:
        self._duty.leave()
        _log.info("connector %s answers again", self._name)

    def _attempt(self) -> Sequence[Future[Any]]:
        """Begin a trial, if anything was ever asked; raises SourceBusy if there is no place."""
        question = self._suspicion.question()
        return [] if question is None else [self._trial(question)]
