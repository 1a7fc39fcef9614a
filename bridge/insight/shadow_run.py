"""A change of the configuration, tried on the last callers before it is in force: who would be answered otherwise.

What stands in the file is made ready beside what is in force, as a reload does it, and closed again. Each caller is
looked up under both, calls first. Where both say the same from memory, no source is asked; where owners differ, both
are asked live: what is remembered may be older than what the other has just heard.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from bridge.config.loading import Config, load_again
from bridge.insight.client import AnswerRefused
from bridge.insight.line_mask import LineMask
from bridge.insight.trace import takes_no_place
from bridge.insight.turns import take_turn
from bridge.lookup.answer import Freshness
from bridge.lookup.decision import Decision, Outcome
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import ConfigError
from bridge.sdk.http.rate_limit import calls_come_first
from bridge.sdk.shared import Turns
from bridge.service import ReloadRefused, Service
from bridge.storage.recent_callers import RecentCaller

PER_MINUTE = 2
"""How often it is done in a minute."""

PATIENCE = 20.0
"""Seconds for all callers together, once the sources of the file are open."""

Candidate = Callable[[Config], AbstractContextManager[Service]]
"""Makes a configuration ready beside the one in force, for as long as it is entered. Raises ReloadRefused."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a shadow run needs of the running service: a candidate, and the last callers."""

    candidate: Candidate
    recent: Callable[[], list[RecentCaller]]


class ShadowRun:
    """Tries what stands in the configuration's file on the last callers; `turns` count those of all processes."""

    def __init__(self, current: Callable[[], Service], shadow: Shadow, mask: LineMask, turns: Turns) -> None:
        self._current = current
        self._candidate = shadow.candidate
        self._recent = shadow.recent
        self._mask = mask
        self._turns = turns

    def answer(self, _question: Mapping[str, Any]) -> Mapping[str, object]:
        """Say how many are answered alike, and who is not.

        Raises AnswerRefused with `no-callers`, `not-valid` or `shadow-often`.
        """
        in_force, callers = self._current(), self._recent()
        if not callers:
            raise AnswerRefused("no-callers")
        try:
            config = load_again(in_force.config)
        except ConfigError:
            raise AnswerRefused("not-valid") from None
        take_turn(self._turns, PER_MINUTE, "shadow-often")
        try:
            with self._candidate(config) as candidate, calls_come_first():
                found = self._compared(in_force, candidate, callers)
        except ReloadRefused as refusal:
            return {"callers": len(callers), "refused": [self._mask(problem) for problem in refusal.problems]}
        return {"callers": len(callers), "refused": [], **found}

    def _compared(self, now: Service, then: Service, callers: list[RecentCaller]) -> Mapping[str, object]:
        end = Deadline.after(PATIENCE)
        same = 0
        differ: list[Mapping[str, object]] = []
        unknown: list[Mapping[str, object]] = []
        for one in callers:
            shown: Mapping[str, object] = {"caller": one.caller.masked, "hotline": "".join(one.hotlines)}
            if end.expired() or not _has_room(one, now, then):
                unknown.append({**shown, "why": "time" if end.expired() else "no-room"})
                continue
            before, after = _both(one, now, then, end)
            told = {"now": self._told(before, one), "then": self._told(after, one)}
            if Outcome.UNAVAILABLE in {before.outcome, after.outcome}:
                unknown.append({**shown, "why": "unavailable", **told})
            elif before.extensions == after.extensions:
                same += 1
            else:
                differ.append({**shown, **told})
        return {"same": same, "differ": differ, "unknown": unknown}

    def _told(self, decision: Decision, one: RecentCaller) -> Mapping[str, object]:
        return {
            "outcome": decision.outcome,
            "extensions": decision.extensions,
            "because": [self._mask(line, one.caller) for line in decision.because()],
        }


def _has_room(one: RecentCaller, *services: Service) -> bool:
    return all(takes_no_place(guard) for service in services for guard in service.lookup.guards_for(one.hotlines))


def _both(one: RecentCaller, now: Service, then: Service, end: Deadline) -> tuple[Decision, Decision]:
    before, after = _decided(one, now, end), _decided(one, then, end)
    is_remembered = before.freshness != Freshness.LIVE or after.freshness != Freshness.LIVE
    if is_remembered and [owner for owner, _ in before.owners] != [owner for owner, _ in after.owners]:
        return _decided(one, now, end, live=True), _decided(one, then, end, live=True)
    return before, after


def _decided(one: RecentCaller, service: Service, end: Deadline, *, live: bool = False) -> Decision:
    seconds = min(service.deadline, end.remaining())
    return service.lookup.answer([one.caller.e164], one.hotlines, Deadline.after(seconds), live=live)
