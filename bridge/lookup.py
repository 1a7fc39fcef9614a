"""From a call to a decision: the route's connectors in order, then the owners' extensions.

Order is priority: the first connector that knows an owner decides, however fast another was. "Nobody" is the outcome
only if every connector of the route answered and none knew an owner; as soon as one could not answer, the truth is
unknown: `unavailable`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.answer import Answer, Freshness
from bridge.connector import Call
from bridge.deadline import Deadline
from bridge.directory import Directory
from bridge.errors import InvalidNumber, SourceError
from bridge.guard import Guard
from bridge.inquiry import Inquiry
from bridge.phone import PhoneNumber
from bridge.question import read_call
from bridge.routes import RouteRule
from bridge.waiting import WaitingRoom


class Outcome(StrEnum):
    """How a call was decided; the words of the header `X-Bridge-Outcome`."""

    FOUND = "found"
    NOBODY = "nobody"
    UNMAPPED = "unmapped"
    INVALID_NUMBER = "invalid-number"
    UNAVAILABLE = "unavailable"
    BAD_REQUEST = "bad-request"
    UNAUTHORIZED = "unauthorized"


@dataclass(frozen=True, slots=True)
class Decision:
    """What OMICall is told, and why."""

    outcome: Outcome
    extensions: tuple[str, ...] = ()
    freshness: Freshness | None = None
    connector: str | None = None
    reason: str = ""
    caller: str = ""
    """The caller's number, masked."""

    @property
    def body(self) -> str:
        """The answer as OMICall reads it: `101:102:104`, or nothing."""
        return ":".join(self.extensions)


@dataclass(frozen=True, slots=True)
class Plan:
    """How calls are decided: routes, the country of numbers without one, when to hedge, how many calls may wait."""

    routes: Sequence[RouteRule]
    region: str = "VN"
    hedge_after: float = 0.6
    room: WaitingRoom = field(default_factory=lambda: WaitingRoom.of(64))


class Lookup:
    """Decides calls."""

    def __init__(self, guards: Mapping[str, Guard], directory: Directory, plan: Plan) -> None:
        self._guards = guards
        self._directory = directory
        self._routes = plan.routes
        self._region = plan.region
        self._hedge_after = plan.hedge_after
        self._room = plan.room

    def answer(
        self, callers: Sequence[str], hotline: str, deadline: Deadline, explain: Callable[[str], None] | None = None
    ) -> Decision:
        """Decide on a question as it arrived; a number that nobody could own is decided without asking anybody."""
        try:
            call = read_call(callers, hotline, self._region, explain)
        except InvalidNumber as error:
            return Decision(Outcome.INVALID_NUMBER, reason=str(error))
        if call.explained:
            call.explain(f"caller {call.caller.e164}, also written {', '.join(call.caller.forms)}")
            call.explain(f"hotline {call.hotline.e164 if call.hotline else 'not known'}: {self._named(call.hotline)}")
        return self._decide(call, deadline)

    def _decide(self, call: Call, deadline: Deadline) -> Decision:
        failures: list[str] = []
        answered: list[Answer] = []
        guards = [self._guards[name] for name in self._connectors_for(call.hotline)]
        for name, pending in Inquiry(call, guards, deadline, self._hedge_after).answers(self._room):
            try:
                answer = pending.answer()
                if answer.owners:
                    return self._ring(call, answer, name)
            except SourceError as error:
                call.explain(f"{name}: {error.reason}: {error}")
                failures.append(f"{name}: {error}")
            else:
                answered.append(answer)
        if failures:
            return Decision(Outcome.UNAVAILABLE, reason="; ".join(failures), caller=call.caller.masked)
        reason = "no connector knows an owner" if answered else "no route answers for this hotline"
        return Decision(Outcome.NOBODY, freshness=_freshness(answered), reason=reason, caller=call.caller.masked)

    def _connectors_for(self, hotline: PhoneNumber | None) -> Sequence[str]:
        for route in self._routes:
            if not route.hotlines or hotline in route.hotlines:
                return route.connectors
        return ()

    def _named(self, hotline: PhoneNumber | None) -> str:
        return ", ".join(self._connectors_for(hotline)) or "no route answers for it"

    def _ring(self, call: Call, answer: Answer, connector: str) -> Decision:
        extensions: dict[str, None] = {}
        for owner in answer.owners:
            found = self._directory.extensions_of(owner)
            if call.explained:
                call.explain(f"owner {owner}: extension {', '.join(found) or 'none'}")
            extensions.update(dict.fromkeys(found))
        reason = "" if extensions else f"{len(answer.owners)} owner(s), none with an extension"
        outcome = Outcome.FOUND if extensions else Outcome.UNMAPPED
        return Decision(outcome, tuple(extensions), answer.freshness, connector, reason, call.caller.masked)


def _freshness(answers: Sequence[Answer]) -> Freshness:
    """Return the freshness of several answers together: remembered only if all are."""
    kinds = {answer.freshness for answer in answers}
    return kinds.pop() if len(kinds) == 1 else Freshness.LIVE
