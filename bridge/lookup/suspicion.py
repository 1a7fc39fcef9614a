"""What speaks against a source: different callers who got no answer of use since somebody was answered.

One caller's trouble is not the source's: a record that cannot be read, a search that finds too much. However often he
calls, he counts once, and whoever is answered acquits the source. When enough is against it, a question decides that
once succeeded: see docs/decisions/breaker.md.
"""

import threading
from collections import deque
from collections.abc import Callable

from bridge.sdk.connector import Call

CALLERS = 5
"""How many have to be without an answer, with nobody answered in between."""

_PROVEN_KEPT = 5
_FAILED_KEPT = 100


class Suspicion:
    """The evidence on one source; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: dict[str, Call] = {}  # by the caller's number
        self._proven: deque[Call] = deque()
        self._newest: Call | None = None
        self._forgotten: deque[Callable[[str], bool]] = deque(maxlen=_FAILED_KEPT)

    @property
    def is_strong(self) -> bool:
        """Whether enough callers are without an answer."""
        return len(self._failed) >= CALLERS

    def acquits(self, question: Call) -> bool:
        """Tell whether, for want of one that once succeeded, an answer to this question would show something new."""
        return not self._proven and question.caller.e164 not in self._failed

    def heard(self, question: Call) -> None:
        """Take note of a question, whether it is going to be asked or not."""
        if not self._is_forgotten(question):
            self._newest = question

    def answered(self, question: Call) -> None:
        """Take note that a question was answered in good time."""
        self.disproved()
        with self._lock:
            if self._is_forgotten(question):  # asked for before that, or by a call of his since
                return
            if not self._proven or self._proven[0].caller != question.caller:
                known = [one for one in self._proven if one.caller != question.caller]
                self._proven = deque([_unexplained(question), *known][:_PROVEN_KEPT])

    def disproved(self) -> None:
        """Hold nothing against the source that was until now."""
        with self._lock:
            self._failed.clear()

    def failed(self, question: Call) -> bool:
        """Take note that a question had no answer of use; tell whether it is this caller's first."""
        with self._lock:
            is_first = self._failed.pop(question.caller.e164, None) is None
            self._failed[question.caller.e164] = _unexplained(question)
            if len(self._failed) > _FAILED_KEPT:
                del self._failed[next(iter(self._failed))]
            return is_first

    def forget(self, matches: Callable[[str], bool]) -> None:
        """Ask for none of these callers any more."""
        with self._lock:
            self._forgotten.append(matches)
            self._failed = {caller: call for caller, call in self._failed.items() if not matches(caller)}
            self._proven = deque(one for one in self._proven if not matches(one.caller.e164))
            if self._newest and matches(self._newest.caller.e164):
                self._newest = None

    def proven(self) -> Call | None:
        """Return what once succeeded, if anything: in turn, for the source may fail at one of them by now."""
        with self._lock:
            question = self._proven[0] if self._proven else None
            self._proven.rotate(-1)
            return question

    def question(self) -> Call | None:
        """Return what to ask in a trial: in turn what once succeeded, else what has not failed, else what has."""
        if proven := self.proven():
            return proven
        with self._lock:
            if self._newest and self._newest.caller.e164 not in self._failed:
                return _unexplained(self._newest)
            return next(reversed(self._failed.values()), None)

    def _is_forgotten(self, question: Call) -> bool:
        return any(matches(question.caller.e164) for matches in list(self._forgotten))


def _unexplained(question: Call) -> Call:
    return Call(question.caller, question.hotline)
