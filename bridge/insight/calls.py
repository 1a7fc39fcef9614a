"""The last calls with their why, as the kept decisions of all processes have them."""

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.config.loading import Config
from bridge.config.sections import DECIDED
from bridge.insight.client import CALLS_SOUGHT_BY, AnswerRefused
from bridge.insight.line_mask import LineMask
from bridge.insight.trace import BY_HAND
from bridge.lookup.decision import Outcome
from bridge.observability.decision_log import sought_in
from bridge.observability.decision_table import KeptDecision, Narrowed, Sought, decisions
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone.number import PhoneNumber
from bridge.service import Service
from bridge.storage.sqlite_file import reading

MOST = 100
"""How many calls are told at a time, the newest."""

REST = 20.0
"""How many times as long as a search took no page that refreshes itself has another one: a twentieth of a processor."""

_LONGEST, _MOST_KEPT = 64, 16


class RecentCalls:
    """Tells of the calls that the service in force has kept; `refused` says how long ago calls were turned away.

    A question with `refresh` is one that nobody asks anew, of a page that keeps itself up to date: a search that takes
    long in a large file is not made for it again at once, whatever is looked for. `clock` is monotonic.
    """

    def __init__(
        self,
        current: Callable[[], Service],
        refused: Callable[[], Mapping[str, float]],
        mask: LineMask,
        clock: Clock = time.monotonic,
    ) -> None:
        self._current = current
        self._refused = refused
        self._mask = mask
        self._clock = clock
        self._rests_until = float("-inf")
        self._kept: OrderedDict[object, Mapping[str, object]] = OrderedDict()
        self._of: Service | None = None

    def answer(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        """Return the newest calls that fit, or those that did a moment ago if it is only to refresh.

        Raises AnswerRefused with `no-decisions`, `wrong-number`, `wrong-day`, or `busy` if it is to wait for that.
        """
        service, began = self._current(), self._clock()
        wanted = {name: str(value)[:_LONGEST].strip() for name, value in question.items() if name in CALLS_SOUGHT_BY}
        key = tuple(sorted(wanted.items()))
        if service is not self._of:
            self._of = service
            self._kept.clear()
        if question.get("refresh") and began < self._rests_until:
            if key not in self._kept:
                raise AnswerRefused("busy")
            return self._kept[key]
        try:
            found = self._kept[key] = self._found(service.config, wanted)
        finally:
            self._rests_until = self._clock() + REST * (self._clock() - began)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    def _found(self, config: Config, wanted: Mapping[str, str]) -> Mapping[str, object]:
        since, until = _day(wanted.get("day", ""))
        caller, hotline = _number(wanted.get("number", ""), config), _number(wanted.get("hotline", ""), config)
        outcome = wanted.get("outcome", "")
        narrowed = Narrowed(
            outcome if outcome in set(Outcome) else "",
            hotline.e164 if hotline else "",
            wanted.get("extension", ""),
            wanted.get("owner", ""),
        )
        sought = sought_in(config, caller) if caller else None
        return {
            "calls": [self._told(one) for one in _kept(config, sought, since, until, narrowed)],
            "read": _iso(time.time()),
            "callers": config.settings.server.decisions.callers,
            "refused": {why: _iso(time.time() - age) for why, age in self._refused().items()},
        }

    def _told(self, one: KeptDecision) -> Mapping[str, object]:
        return {
            "at": _iso(one.at),
            "caller": self._mask(one.caller),
            "hotline": one.hotline,
            "outcome": one.outcome,
            "extensions": one.body.split(":") if one.body else [],
            "answer": one.answer,
            "connector": one.connector,
            "milliseconds": one.milliseconds,
            "request_id": one.request_id,
            "by_hand": one.request_id.startswith(BY_HAND),
            "because": [self._mask(line) for line in one.because],
        }


def _kept(config: Config, sought: Sought | None, since: float, until: float, narrowed: Narrowed) -> list[KeptDecision]:
    try:
        with reading(config.decisions_file, DECIDED) as db:
            return list(decisions(db, sought, since, until, MOST, narrowed))
    except sqlite3.Error:
        raise AnswerRefused("no-decisions") from None


def _number(text: str, config: Config) -> PhoneNumber | None:
    try:
        return PhoneNumber.parse(text, config.settings.phone.region) if text else None
    except InvalidNumber:
        raise AnswerRefused("wrong-number") from None


def _day(text: str) -> tuple[float, float]:
    """Return when a day, given as 2026-11-26, begins and ends in local time; all time if none is given."""
    if not text:
        return 0.0, time.time() + 86_400
    try:
        begin = datetime.strptime(text, "%Y-%m-%d").astimezone()
        end = (begin.replace(tzinfo=None) + timedelta(days=1)).astimezone()
    except (ValueError, OverflowError):  # of the last day that there is no end can be told
        raise AnswerRefused("wrong-day") from None
    return begin.timestamp(), end.timestamp()


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat()
