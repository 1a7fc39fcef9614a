"""One caller looked up by hand in the running service: what it knows by heart, and what the sources say, step by step.

It takes the endpoint's own way. It is one at a time, so many a minute, and nothing where a source has no room: calls
come first, in the places of a source as in its `max_rate`.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bridge.diagnosis.judgement import SPELLINGS
from bridge.extensions.directory import Reach
from bridge.insight.client import AnswerRefused
from bridge.insight.line_mask import LineMask
from bridge.insight.turns import take_turn
from bridge.lookup.decision import Decision, Outcome
from bridge.lookup.guard import Guard
from bridge.observability.logs import REQUEST_ID
from bridge.sdk.connector import Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.http.rate_limit import calls_come_first
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.shared import Turns
from bridge.service import Service

BY_HAND = "console-"
"""How the request id of what the console asked for begins, which is no call."""

PER_MINUTE = 20
_LONGEST = 64

Hear = Callable[[Decision, float], None]
"""Is told each decision and after how many seconds it was made."""


class Tracer:
    """Looks callers up in the service that is in force; `hear` keeps the decision, `turns` count all processes'."""

    def __init__(self, current: Callable[[], Service], hear: Hear, mask: LineMask, turns: Turns) -> None:
        self._current = current
        self._hear = hear
        self._mask = mask
        self._turns = turns

    def answer(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        """Look up `number`, who dialled `hotline`. Raises AnswerRefused with `often` or `no-room`."""
        number, hotline = str(question.get("number", ""))[:_LONGEST], str(question.get("hotline", ""))[:_LONGEST]
        service = self._current()
        hotlines = [hotline] if hotline else []
        if not all(map(takes_no_place, service.lookup.guards_for(hotlines))):
            raise AnswerRefused("no-room")
        take_turn(self._turns, PER_MINUTE, "often")
        token = REQUEST_ID.set(BY_HAND + secrets.token_hex(4))
        try:
            with calls_come_first():
                return self._traced(service, number, hotlines)
        finally:
            REQUEST_ID.reset(token)

    def _traced(self, service: Service, number: str, hotlines: Sequence[str]) -> Mapping[str, object]:
        by_heart = service.lookup.answer([number], hotlines, Deadline.after(0.0))
        steps: list[tuple[float, str]] = []
        started = time.monotonic()

        def note(line: str) -> None:
            steps.append((time.monotonic() - started, line))

        live = service.lookup.answer([number], hotlines, Deadline.after(service.deadline), note, live=True)
        took = time.monotonic() - started
        self._hear(live, took)
        return {
            "request_id": REQUEST_ID.get(),
            "caller": live.call.caller.masked if live.call else "",
            "hotline": live.call.hotline.e164 if live.call and live.call.hotline else "",
            "deadline": service.deadline,
            "milliseconds": round(took * 1000, 1),
            "by_heart": None if by_heart.outcome is Outcome.UNAVAILABLE else self._told(by_heart),
            "live": self._told(live),
            "steps": self._steps(live, list(steps)),
        }

    def _told(self, decision: Decision) -> Mapping[str, object]:
        caller = decision.call.caller if decision.call else None
        return {
            "outcome": decision.outcome,
            "extensions": decision.extensions,
            "answer": decision.freshness,
            "connector": decision.connector,
            "reason": self._mask(decision.reason, caller),
            "owners": [self._owner(owner, reach, caller) for owner, reach in decision.owners],
            "because": [self._mask(line, caller) for line in decision.because()],
        }

    def _owner(self, owner: Owner, reach: Reach, caller: PhoneNumber | None) -> Mapping[str, object]:
        """Say who looks after the caller and where that stands, and what rings for it and where that stands."""
        known = dict.fromkeys(text for text in (owner.name, owner.email, owner.login, owner.id) if text)
        places = (*reach.places, *("" for _ in reach.extensions))
        return {
            "names": [self._mask(text, caller) for text in known],
            "record": self._mask(owner.record or "", caller),
            "rings": [
                {"extension": extension, "place": self._mask(place, caller)}
                for extension, place in zip(reach.extensions, places, strict=False)
            ],
            "notes": [self._mask(note, caller) for note in reach.notes],
        }

    def _steps(self, decision: Decision, steps: Sequence[tuple[float, str]]) -> list[Mapping[str, object]]:
        """Say of each step when it was over and how long after the one before."""
        caller = decision.call.caller if decision.call else None
        told: list[Mapping[str, object]] = []
        before = 0.0
        for at, line in steps:
            if line.startswith(SPELLINGS):
                continue
            text = self._mask(line, caller)
            told.append({"begin": round(before * 1000, 1), "end": round(at * 1000, 1), "text": text})
            before = at
        return told


def takes_no_place(guard: Guard) -> bool:
    """Tell whether a caller finds a place in the source beside a question that may hang; one left alone needs none."""
    return guard.is_left_alone or (guard.has_room and guard.connector.config.max_in_flight > 1)
