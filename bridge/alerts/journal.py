"""What has been wrong, what somebody was told of it, and when the next word is due.

The rules, in one place: nothing is told that lasts for seconds only, unless somebody has to act anyway; nothing is told
of one part more than once in a quarter of an hour; and what comes and goes is added up, not told each time. Time is the
wall clock's, because all this outlives the process.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from bridge.alerts.message import Change, Kind

QUIET = 900.0
"""Seconds after a word on a part in which no other is said on it; and in which what came before is not forgotten."""

_URGENT = re.compile(r"rejected\b")
"""How words begin where waiting does not help: a source refuses until somebody acts (`SourceRejected`)."""


@dataclass(slots=True)
class _Course:
    """One part, from its first trouble on until it has been well for long."""

    part: str
    words: str
    since: float
    changed: float
    present: bool = True
    lasted: float = 0.0
    """Seconds that it has been in trouble altogether, before `changed`."""
    returns: int = 0
    """How often it came back since the last word."""
    told: bool = False
    told_at: float | None = None
    told_urgent: bool = False
    awaited_until: float = 0.0
    """Until then, who would see the trouble may not have looked yet: that nobody sees it proves nothing."""

    @property
    def is_closed(self) -> bool:
        """Whether the last word was that it is well, and nothing has come since."""
        return not self.told and self.told_at is not None and self.since <= self.told_at

    def trouble_until(self, now: float) -> float:
        return self.lasted + (now - self.changed if self.present else 0.0)

    def forget_the_future(self, now: float) -> None:
        """Take no moment for one that is still to come, after the clock was set back."""
        self.since, self.changed = min(self.since, now), min(self.changed, now)
        self.told_at = self.told_at and min(self.told_at, now)
        self.awaited_until = min(self.awaited_until, now + QUIET)


class Journal:
    """Sees what is wrong now and again, and says what of it is to be told."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        """Seconds that something has to be wrong."""
        self._parts: dict[str, _Course] = {}

    @property
    def told(self) -> list[Change]:
        """What is wrong as far as anybody was told."""
        return [_change(one, Kind.STILL) for one in self._parts.values() if one.told]

    def observe(self, troubles: Mapping[str, str], now: float) -> list[Change]:
        """Take note of what is wrong at this moment; return what has to be told."""
        for one in self._parts.values():
            one.forget_the_future(now)
        for part, words in troubles.items():
            self._seen(part, words, now)
        for part in self._parts.keys() - troubles.keys():
            self._not_seen(self._parts[part], now)
        found = [self._tell(one, kind, now) for one in self._parts.values() if (kind := self._due(one, now))]
        self._parts = {name: one for name, one in self._parts.items() if not self._is_past(one, now)}
        return found

    def await_again(self, parts: Iterable[str], now: float) -> None:
        """Believe for a while that these parts are as they were: whoever saw them has gone, his successor must look."""
        for name in parts:
            if one := self._parts.get(name):
                one.awaited_until = now + QUIET

    def state(self) -> list[dict[str, Any]]:
        """Return what is to be kept."""
        return [asdict(one) for one in self._parts.values()]

    def restore(self, state: Iterable[Mapping[str, Any]], now: float) -> None:
        """Go on where another left off. Raises TypeError or KeyError for what is no such state."""
        names = {field.name for field in fields(_Course)}
        parts = [_Course(**{name: value for name, value in one.items() if name in names}) for one in state]
        self._parts = {one.part: one for one in parts}
        self.await_again(self._parts, now)

    def _seen(self, part: str, words: str, now: float) -> None:
        one = self._parts.get(part)
        if one is None:
            self._parts[part] = _Course(part, words, now, now)
            return
        one.words, one.awaited_until = words, 0.0
        if one.present:
            return
        one.present, one.changed = True, now
        if one.is_closed:
            one.since, one.lasted, one.returns = now, 0.0, 0
        else:
            one.returns += 1

    def _not_seen(self, one: _Course, now: float) -> None:
        if one.present and now >= one.awaited_until:
            one.lasted = one.trouble_until(now)
            one.present, one.changed = False, now

    def _due(self, one: _Course, now: float) -> Kind | None:
        """Say which word is due on a part, if any."""
        if one.told_at is not None and now - one.told_at < QUIET:
            return None
        urgent = _URGENT.match(one.words) is not None
        counts = urgent or one.trouble_until(now) >= self.patience
        settled = now - one.changed >= self.patience
        match one.present, one.told:
            case True, False if counts:
                return Kind.BEGAN
            case True, True if one.returns or (urgent and not one.told_urgent):
                return Kind.AGAIN
            case False, True if settled:
                return Kind.OVER
            case False, False if counts and settled and one.told_at is not None and not one.is_closed:
                return Kind.PASSED
        return None

    def _tell(self, one: _Course, kind: Kind, now: float) -> Change:
        change = _change(one, kind)
        one.told, one.told_at, one.returns = one.present, now, 0
        one.told_urgent = _URGENT.match(one.words) is not None
        return change

    @staticmethod
    def _is_past(one: _Course, now: float) -> bool:
        long_well = not one.present and now - one.changed >= QUIET
        return long_well and not one.told and (one.told_at is None or now - one.told_at >= QUIET)


def _change(one: _Course, kind: Kind) -> Change:
    until = None if one.present else one.changed
    return Change(kind, one.part, one.words, one.since, until, one.returns)
