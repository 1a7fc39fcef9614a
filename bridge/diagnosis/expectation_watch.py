"""The known customers who are not answered as expected, asked for again in the background until they are.

One question at a time, with a pause that grows and is never the same twice, no more often than so on the whole machine,
and only while the sources have room: calls come first. Which of them is not well stands in `troubles`, and in the log
whenever that changes.
"""

import logging
import random
from collections import deque
from collections.abc import Callable, Iterable

from bridge.diagnosis.judgement import AnswerVerdict, Judgement, ask
from bridge.sdk.errors import SourceBusy
from bridge.sdk.shared import Turns
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.service import Service

_log = logging.getLogger(__name__)

PAUSE = 5.0
"""Seconds between two questions of one machine, at least."""

_LONGEST_PAUSE = 60.0
_GROWTH = 1.3
_SHIFTS = (0.7, 1.3)


class ExpectationWatch:
    """Asks `service` for whom it is not known to answer as expected: those in `unmet`, or without it everybody.

    `turns` are the questions of the whole machine. `wait` and `shift`, a factor about 1, are a test's to give.
    """

    def __init__(
        self,
        service: Service,
        turns: Turns,
        unmet: Iterable[Judgement] | None = None,
        *,
        wait: Wait | None = None,
        shift: Callable[[], float] | None = None,
    ) -> None:
        self._service = service
        self._turns = turns
        self._shift = shift or (lambda: random.uniform(*_SHIFTS))  # noqa: S311 - no secret
        self._unmet = {judgement.expectation: judgement for judgement in unmet or ()}
        self._left = deque(service.config.expectations if unmet is None else self._unmet)
        self._pause = PAUSE
        self._loop = BackgroundLoop("expect", self._ask_next, wait=wait)

    def start(self) -> None:
        """Begin, if there is anybody to ask for; those of whom it is known that they are not met are told now."""
        for judgement in self._unmet.values():
            _tell(judgement)
        if self._left:
            self._loop.start(self._shift() * PAUSE)

    def troubles(self) -> dict[str, str]:
        """Say of each known customer who is not answered as expected what came instead, or why nothing did."""
        return {expectation.key: str(judgement) for expectation, judgement in list(self._unmet.items())}

    def close(self) -> None:
        """Ask no more, without waiting for a question that is under way."""
        self._loop.close(0)

    def _ask_next(self) -> float | None:
        """Ask for the next one; return after how many seconds to go on, None if all are met."""
        expectation = self._left[0]
        guards = self._service.lookup.guards_for([expectation.hotline])
        if all(guard.has_room for guard in guards):
            if (early := self._seconds_too_early()) > 0:
                return early * self._shift()
            judgement = ask(self._service, expectation, self._service.deadline)
            if self._loop.is_closing:  # then the sources may have been closed meanwhile
                return None
            self._heard(judgement)
        else:
            self._left.rotate(-1)
        pause, self._pause = self._pause * self._shift(), min(self._pause * _GROWTH, _LONGEST_PAUSE)
        return pause if self._left else None

    def _seconds_too_early(self) -> float:
        try:
            return self._turns.book(1, 0.0)
        except SourceBusy:
            return PAUSE

    def _heard(self, judgement: Judgement) -> None:
        """Take note of an answer; those who are met are asked for no more."""
        self._left.popleft()
        before = self._unmet.get(judgement.expectation)
        if judgement.verdict is AnswerVerdict.MET:
            self._pause = PAUSE
            if self._unmet.pop(judgement.expectation, None):
                _log.info("%s: %s", judgement.expectation.key, judgement)
            return
        self._left.append(judgement.expectation)
        self._unmet[judgement.expectation] = judgement
        if before is None or before.verdict is not judgement.verdict:
            _tell(judgement)


def _tell(judgement: Judgement) -> None:
    _log.warning("%s: %s: asked again until it is as expected", judgement.expectation.key, judgement)
