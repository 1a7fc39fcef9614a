"""What a source is in trouble with, from the first failure that nothing has disproved, long before it is left alone.

One customer whom the source cannot answer is no trouble of the source. So a failure has a question asked, in the
background, that once succeeded: whoever answers that is well, and nothing was told. A refusal is told at once, for
somebody has to act, and so is a failure of a source that never answered anything. What is told is asked about again,
ever more seldom: at night nobody calls, and that the source is well again is to be seen all the same. One process asks
for all of the machine: what it hears disproves the failures of the others, too.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from bridge.lookup.sightings import Sightings
from bridge.sdk.connector import Call
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import SourceBusy, SourceRejected
from bridge.sdk.threads.background import BackgroundLoop, Wait

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 2.0, 60.0, 2.0
_MOMENT = 0.05

Probe = Callable[[Call], Future[Any]]
"""Asks the source itself, taking nothing that calls may want; raises SourceBusy if nothing else is left."""


class SourceTrouble:
    """The trouble of one source; safe to use from many threads.

    `proven` gives a question that once succeeded, None if there is none; an answer to `probe` has to come within
    `patience` seconds. Whoever asks tells what becomes of it, of probes as of calls, by `failed` and `answered`.
    """

    def __init__(  # noqa: PLR0913 - how a source is asked, and what the other processes know of it
        self,
        name: str,
        probe: Probe,
        proven: Callable[[], Call | None],
        patience: Callable[[], float],
        seen: Sightings,
        clock: Clock,
        *,
        wait_for: Wait | None = None,
    ) -> None:
        self._name = name
        self._probe = probe
        self._proven = proven
        self._patience = patience
        self._seen = seen
        self._clock = clock
        self._wait_for = wait_for
        self._lock = threading.Lock()
        self._reason = ""
        self._is_told = False
        self._loop: BackgroundLoop | None = None
        self._pause = self._apart = _FIRST_PAUSE
        self._asked_at = self._failed_at = float("-inf")
        self._is_closed = False

    @property
    def told(self) -> str:
        """The last failure, if nothing has disproved that the source is in trouble; nothing while that is asked."""
        if self._is_told and self._is_disproved():
            self.answered()
        return self._reason if self._is_told else ""

    def failed(self, kind: str, reason: str) -> None:
        """Take note of a failure, and begin to ask what once succeeded."""
        with self._lock:
            begins, self._reason, self._failed_at = not self._reason, reason, self._clock()
            question = self._proven() if begins else None
            self._is_told |= kind == SourceRejected.reason or (begins and question is None)
            if question is None or self._is_closed:
                return
            self._pause = self._apart = _FIRST_PAUSE
            self._loop = loop = BackgroundLoop(f"probe-{self._name}", self._ask, wait=self._wait_for)
            try:  # where every other question fails, the source is not asked once more for each of them
                loop.start(max(0.0, _FIRST_PAUSE - self._seen.probes.age()))
            except RuntimeError:  # as many threads as the system allows
                self._loop, self._is_told = None, True

    def answered(self) -> None:
        """Take note of an answer in good time: there is no trouble."""
        if self._reason and (loop := self._settle()):
            loop.close(0)

    def rest(self) -> None:
        """Ask no more, for others try the source by now; what was told stays, until an answer comes."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop:
            loop.close(0)

    def close(self) -> None:
        """Ask no more."""
        self._is_closed = True
        self.rest()

    def _ask(self) -> float | None:
        """Ask once, unless another process has done it; return after how many seconds to ask again."""
        loop = self._loop
        if self._is_disproved():
            self._settle()
            return None
        since = self._seen.probes.age()
        is_asked = since < min(self._apart, self._clock() - self._asked_at)
        if is_asked and since < self._patience():  # then what becomes of it is not known yet
            return self._patience() - since + _MOMENT
        is_busy = not is_asked and self._is_kept_from_asking()
        with self._lock:
            if self._loop is not loop or loop is None:
                return None
            self._is_told |= not is_busy or self._pause > _FIRST_PAUSE  # once, calls may show how the source is
            self._apart, self._pause = self._pause, min(_LONGEST_PAUSE, self._pause * _GROWTH)
            return max(0.0, self._apart - since) if is_asked else self._apart

    def _settle(self) -> BackgroundLoop | None:
        """Forget what was told; return what asked about it."""
        with self._lock:
            loop, self._loop = self._loop, None
            self._reason, self._is_told = "", False
            return loop

    def _is_disproved(self) -> bool:
        """Tell whether somebody was answered, in any process, since a question failed in this one last."""
        return self._seen.answered_since(self._clock() - self._failed_at)

    def _is_kept_from_asking(self) -> bool:
        """Ask, and wait for what becomes of it; tell whether there was no place or no turn for it."""
        self._seen.probes.note()
        self._asked_at = self._clock()
        question = self._proven()
        try:
            under_way = [] if question is None else [self._probe(question)]
        except SourceBusy:
            return True
        ended, _ = wait(under_way, self._patience())
        return any(isinstance(one.exception(), SourceBusy) for one in ended)
