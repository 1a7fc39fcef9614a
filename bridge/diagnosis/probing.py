"""How long a connector takes to answer, judged against the time that OMICall's call has.

A first question may pay for what later ones do not: a connection, TLS, a database that reads from its disk. So one that
was slow is asked again, for another number, for the answer to the first is remembered; the second time is the lookup's
own, and decides. Both are told.
"""

import time
from collections.abc import Iterator

from bridge.diagnosis.finding import Finding, Severity
from bridge.diagnosis.known_customers import Tried
from bridge.lookup.guard import Guard
from bridge.sdk.connector import Call
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import SourceError
from bridge.sdk.phone.number import PhoneNumber

PROBE = PhoneNumber("+84999999999")
"""A number that should have no owner: well-formed, and in nobody's address book."""

_SECOND_PROBE = PhoneNumber("+84999999998")
_NOBODYS = ", for a number that nobody should have: does the source compare the whole number?"
_REMEDY = (
    "make each lookup shorter (an index in the database, fewer requests, a nearer server), or let the customers be"
    " exported to a file and read that one"
)


def probe(guard: Guard, tried: Tried, clock: Clock = time.monotonic) -> Iterator[Finding]:
    """Ask for nobody's number, and judge the answer and the time that it took; `guard.patience` is a call's deadline.

    `tried` learns what was asked; `clock` gives seconds.
    """
    try:
        owners, first = _asked(guard, tried, PROBE, clock)
        seconds = first
        if first > guard.patience / 2:
            more, seconds = _asked(guard, tried, _SECOND_PROBE, clock)
            owners = max(owners, more)
    except SourceError as error:
        yield Finding(guard.name, f"{error.reason}: {error}", Severity.FAILED)
        return
    told = f"asked for {PROBE.national}: {owners} owner(s) in {_ms(seconds)}"
    if seconds != first:
        told += f", the first time in {_ms(first)}"
    if owners:
        yield Finding(guard.name, told + _NOBODYS, Severity.WARNING)
    severity, judgement = _judged(seconds, guard.patience)
    if judgement or not owners:
        yield Finding(guard.name, f"{judgement}{told}{f': {_REMEDY}' if judgement else ''}", severity)


def _judged(seconds: float, deadline: float) -> tuple[Severity, str]:
    """Tell how bad it is if a lookup takes so many seconds, and in which words."""
    if seconds > deadline:
        return Severity.FAILED, f"never answers in time, for a call waits {_ms(deadline)} (server.deadline): "
    if seconds > deadline / 2:
        return Severity.WARNING, f"often too late under load, for a call waits {_ms(deadline)} (server.deadline): "
    return Severity.OK, ""


def _asked(guard: Guard, tried: Tried, number: PhoneNumber, clock: Clock) -> tuple[int, float]:
    """Return how many owners there are, and after how many seconds. Raises SourceError if there is no answer."""
    started = clock()
    pending = guard.begin(Call(number, None, tried.hears(guard.name)))
    pending.wait(guard.timeout)
    answer = pending.answer()
    tried.answers(guard.name)
    return len(answer.owners), clock() - started


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
