"""From a call to a decision: the route's connectors in order, then the owners' extensions.

Order is priority: the first connector that knows an owner decides, however fast another was. "Nobody" is the outcome
only if every connector of the route answered and none knew an owner; as soon as one could not answer, the truth is
unknown: `unavailable`.

OMICall documents no number format; its own pages show `0983223566` and `842499950291`, and a `+` that was not encoded
arrives as a blank. A PBX may hand on a number in the dress of its own messages: `sip:19001234@pbx`.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from bridge.config.routes import RouteRule
from bridge.extensions.directory import Directory, Reach
from bridge.lookup.answer import Answer, Freshness
from bridge.lookup.decision import Attempt, Decision, Outcome
from bridge.lookup.guard import Guard
from bridge.lookup.hedging import AdmissionLimit, HedgedRequest
from bridge.sdk.connector import Call, Owner
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import InvalidNumber, SourceError
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.words import is_no_value

_log = logging.getLogger(__name__)

_LOST_PLUS = re.compile(r" (?=[1-9])")
_ADDRESS = re.compile(r"[^<]*<([^>]*)>.*", re.DOTALL)  # "Hotline" <sip:19001234@pbx;transport=udp>;tag=…
_USER = re.compile(  # of sip:USER@HOST, USER:PASSWORD@HOST and USER:PORT
    r"\s*(?:sips?|tel):([^@:;?]*).*|([^@:;?]*)(?::[^@]*)?@.*|([^@:;?]*):[0-9]{1,5}\s*", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How calls are decided: routes, the country of numbers without one, when to hedge, how many calls may wait."""

    routes: Sequence[RouteRule]
    region: str = "VN"
    hedge_after: float = 0.6
    admission: AdmissionLimit = field(default_factory=lambda: AdmissionLimit.of(64))


class Lookup:
    """Decides calls."""

    def __init__(
        self, guards: Mapping[str, Guard], directory: Directory, plan: Plan, clock: Clock = time.monotonic
    ) -> None:
        self._clock = clock
        self._guards = guards
        self._directory = directory
        self._routes = plan.routes
        self._region = plan.region
        self._hedge_after = plan.hedge_after
        self._admission = plan.admission

    def answer(
        self,
        callers: Sequence[str],
        hotlines: Sequence[str],
        deadline: Deadline,
        explain: Callable[[str], None] | None = None,
        *,
        live: bool = False,
    ) -> Decision:
        """Decide on a question as it arrived; a number that nobody could own is decided without asking anybody.

        With `live` it is no call that is decided: the sources are asked whatever is remembered, and no call's place to
        wait is taken.
        """
        try:
            call = read_call(callers, hotlines, self._region, explain)
        except InvalidNumber as error:
            return Decision(Outcome.INVALID_NUMBER, reason=str(error))
        if call.explained:
            call.explain(f"caller {call.caller.e164}, also written {', '.join(call.caller.likely_forms)}")
            call.explain(f"hotline {call.hotline.e164 if call.hotline else 'not known'}: {self._named(call.hotline)}")
        return self._decide(call, deadline, live=live)

    def guards_for(self, hotlines: Sequence[str]) -> Sequence[Guard]:
        """Return those who would be asked about a call to this hotline, in order of priority."""
        return [self._guards[name] for name in self._connectors_for(_hotline(hotlines, self._region))]

    def _decide(self, call: Call, deadline: Deadline, *, live: bool = False) -> Decision:
        started = self._clock()
        attempts: list[Attempt] = []
        guards = [self._guards[name] for name in self._connectors_for(call.hotline)]
        admission = AdmissionLimit(1) if live else self._admission
        request = HedgedRequest(call, guards, deadline, self._hedge_after, live=live)
        for name, pending in request.answers(admission):
            try:
                answer: Answer | SourceError = pending.answer()
            except SourceError as error:
                call.explain(f"{name}: {error.reason}: {error}")
                answer = error
            attempts.append(Attempt(name, answer, self._clock() - started))
            if isinstance(answer, Answer) and answer.owners:
                return self._ring(call, answer, tuple(attempts))
        return _without_owner(call, tuple(attempts))

    def _connectors_for(self, hotline: PhoneNumber | None) -> Sequence[str]:
        for route in self._routes:
            if not route.hotlines or hotline in route.hotlines:
                return route.connectors
        return ()

    def _named(self, hotline: PhoneNumber | None) -> str:
        return ", ".join(self._connectors_for(hotline)) or "no route answers for it"

    def _ring(self, call: Call, answer: Answer, attempts: tuple[Attempt, ...]) -> Decision:
        """Decide on the owners' extensions. If a list of them is missing, it rings at those whom others know."""
        missing: dict[str, None] = {}
        owners = tuple((owner, self._reach(owner, missing)) for owner in answer.owners)
        found = tuple(dict.fromkeys(extension for _, reach in owners for extension in reach.extensions))
        connector = attempts[-1].connector
        if answer.missing:
            call.explain(f"{connector}: partial: {len(owners)} owner(s) were known; {answer.missing}")
            missing[f"partial: {answer.missing}"] = None
        if missing and not found:
            decision = Decision(Outcome.UNAVAILABLE, (), None, connector, "; ".join(missing), call, attempts, owners)
        else:
            reason = f"partial: {answer.missing}" if answer.missing else ""
            if not found:
                reason = f"{len(owners)} owner(s), none with an extension"
            outcome = Outcome.FOUND if found else Outcome.UNMAPPED
            decision = Decision(outcome, found, answer.freshness, connector, reason, call, attempts, owners)
        if call.explained:
            for line in decision.about_owners():
                call.explain(line)
        return decision

    def _reach(self, owner: Owner, missing: dict[str, None]) -> Reach:
        """Return where the owner is rung; if that cannot be told, nowhere, and a word of it in `missing`."""
        try:
            return self._directory.reach(owner)
        except SourceError as error:
            missing[str(error)] = None
            return Reach(())


def _without_owner(call: Call, attempts: tuple[Attempt, ...]) -> Decision:
    failures = [f"{one.connector}: {one.answer}" for one in attempts if isinstance(one.answer, SourceError)]
    if failures:
        return Decision(Outcome.UNAVAILABLE, reason="; ".join(failures), call=call, attempts=attempts)
    kinds = {one.answer.freshness for one in attempts if isinstance(one.answer, Answer)}
    # remembered only if all are
    freshness = kinds.pop() if len(kinds) == 1 else Freshness.LIVE
    reason = "no connector knows an owner" if attempts else "no route answers for this hotline"
    return Decision(Outcome.NOBODY, freshness=freshness, reason=reason, call=call, attempts=attempts)


def read_call(
    callers: Sequence[str], hotlines: Sequence[str], region: str, explain: Callable[[str], None] | None = None
) -> Call:
    """Read the caller, given once or several times, and the hotline, which may be missing or unreadable.

    Raises InvalidNumber if there is no number that an owner could be looked up for. What a program writes for no value
    counts for nothing beside a number.
    """
    given = [text for text in callers if not is_no_value(text)] or callers
    numbers = {PhoneNumber.parse(_undressed(text), region) for text in given}
    if len(numbers) > 1:
        raise InvalidNumber("given several times, with different numbers")
    caller, dialled = numbers.pop(), _hotline(hotlines, region)
    return Call(caller, dialled, explain) if explain else Call(caller, dialled)


def _hotline(texts: Sequence[str], region: str) -> PhoneNumber | None:
    """Read the number that was dialled, the first that can be read; what cannot be read is no known hotline."""
    problem: InvalidNumber | None = None
    for text in filter(str.strip, texts):
        try:
            return PhoneNumber.parse(_undressed(text), region)
        except InvalidNumber as error:
            problem = problem or error
    if problem:
        _log.info("sipNumber is no telephone number: %s", problem)
    return None


def _undressed(text: str) -> str:
    """Return the number of a SIP or telephone address; any other text with the plus that it lost on its way."""
    if address := _ADDRESS.fullmatch(text):
        text = address[1]
    if user := _USER.fullmatch(text):
        text = unquote(user[1] or user[2] or user[3] or "")
    return _restore_plus(text)


def _restore_plus(text: str) -> str:
    return _LOST_PLUS.sub("+", text, count=1) if text.startswith(" ") else text
