"""The last calls with their why, as the kept decisions of all processes have them."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from bridge.config.loading import Config
from bridge.insight.line_mask import LineMask
from bridge.insight.trace import BY_HAND
from bridge.lookup.decision import Outcome
from bridge.observability.decision_log import sought_in
from bridge.observability.decision_table import KeptDecision, Narrowed, Sought, decisions
from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone.number import PhoneNumber
from bridge.service import Service

MOST = 100
"""How many calls are told at a time, the newest."""

_LONGEST = 64


class RecentCalls:
    """Tells of the calls that the service in force has kept; `refused` says how long ago calls were turned away."""

    def __init__(
        self, current: Callable[[], Service], refused: Callable[[], Mapping[str, float]], mask: LineMask
    ) -> None:
        self._current = current
        self._refused = refused
        self._mask = mask

    def answer(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        """Return the newest calls that fit. Raises ValueError with `no-decisions`, `wrong-number` or `wrong-day`."""
        config = self._current().config
        wanted = {name: str(value)[:_LONGEST].strip() for name, value in question.items()}
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
        uri = f"{config.decisions_file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as db:
            return list(decisions(db, sought, since, until, MOST, narrowed))
    except sqlite3.Error:
        raise ValueError("no-decisions") from None


def _number(text: str, config: Config) -> PhoneNumber | None:
    try:
        return PhoneNumber.parse(text, config.settings.phone.region) if text else None
    except InvalidNumber:
        raise ValueError("wrong-number") from None


def _day(text: str) -> tuple[float, float]:
    """Return when a day, given as 2026-11-26, begins and ends in local time; all time if none is given."""
    if not text:
        return 0.0, time.time() + 86_400
    try:
        begin = datetime.strptime(text, "%Y-%m-%d").astimezone()
    except ValueError:
        raise ValueError("wrong-day") from None
    return begin.timestamp(), (begin.replace(tzinfo=None) + timedelta(days=1)).astimezone().timestamp()


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat()
