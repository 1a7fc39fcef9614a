"""From a call to a decision: the route's connectors in order, then the owners' extensions.

Order is priority: the first connector that knows an owner decides. "Nobody" is the outcome only if every connector of
the route answered and none knew an owner; as soon as one could not answer, the truth is unknown: `unavailable`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.connector import Call
from bridge.deadline import Deadline
from bridge.directory import Directory
from bridge.errors import InvalidNumber, SourceError, SourceUnavailable
from bridge.guard import Answer, Guard
from bridge.phone import PhoneNumber
from bridge.question import read_call
from bridge.routes import RouteRule


class Outcome(StrEnum):
    """How a call was decided; the words of the header `X-Bridge-Outcome`."""

    FOUND = "found"
    NOBODY = "nobody"
    UNMAPPED = "unmapped"
    INVALID_NUMBER = "invalid-number"
    UNAVAILABLE = "unavailable"
    BAD_REQUEST = "bad-request"
    UNAUTHORIZED = "unauthorized"


class Freshness(StrEnum):
    """How an answer was come by; the words of the header `X-Bridge-Answer`."""

    LIVE = "live"
    CACHED = "cached"
    STALE = "stale"


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


class Lookup:
    """Decides calls."""

    def __init__(
        self, routes: Sequence[RouteRule], guards: Mapping[str, Guard], directory: Directory, region: str
    ) -> None:
        self._routes = routes
        self._guards = guards
        self._directory = directory
        self._region = region

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
        return replace(self.decide(call, deadline), caller=call.caller.masked)

    def decide(self, call: Call, deadline: Deadline) -> Decision:
        """Decide `call` before `deadline`; never raises because of a source."""
        failures: list[str] = []
        answered: list[Answer] = []
        for name in self._connectors_for(call.hotline):
            try:
                if deadline.expired():
                    raise SourceUnavailable("no time left to ask")
                answer = self._guards[name].find_owners(call, deadline)
            except SourceError as error:
                call.explain(f"{name}: {error.reason}: {error}")
                failures.append(f"{name}: {error}")
                continue
            if answer.owners:
                return self._ring(call, answer, name)
            answered.append(answer)
        if failures:
            return Decision(Outcome.UNAVAILABLE, reason="; ".join(failures))
        reason = "no connector knows an owner" if answered else "no route answers for this hotline"
        return Decision(Outcome.NOBODY, freshness=_freshness(answered), reason=reason)

    def _connectors_for(self, hotline: PhoneNumber | None) -> Sequence[str]:
        for route in self._routes:
            if not route.hotlines or hotline in route.hotlines:
                return route.connectors
        return ()

    def _ring(self, call: Call, answer: Answer, connector: str) -> Decision:
        extensions: dict[str, None] = {}
        for owner in answer.owners:
            found = self._directory.extensions_of(owner)
            call.explain(f"owner {owner}: extension {', '.join(found) or 'none'}")
            extensions.update(dict.fromkeys(found))
        freshness = _freshness([answer])
        if extensions:
            return Decision(Outcome.FOUND, tuple(extensions), freshness, connector)
        reason = f"{len(answer.owners)} owner(s), none with an extension"
        return Decision(Outcome.UNMAPPED, (), freshness, connector, reason)


def _freshness(answers: Sequence[Answer]) -> Freshness:
    return Freshness.CACHED if answers and all(answer.cached for answer in answers) else Freshness.LIVE
