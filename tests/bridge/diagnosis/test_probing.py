"""What `omi-bridge check --online` says of the time that a lookup takes."""

import pytest

from bridge.config.sections import Cache
from bridge.diagnosis.known_customers import Tried
from bridge.diagnosis.probing import probe
from bridge.lookup.guard import Guard
from bridge.sdk import Owner, SourceUnavailable
from bridge.storage.cache import AnswerCache
from tests.support.fakes import FakeClock, FakeConnector

DEADLINE = 1.8


def told(*takes, owners=()):
    """Return what is said of a connector that takes so many seconds for each question in turn."""
    clock, left = FakeClock(), list(takes)

    def answer(_call, _deadline):
        seconds = left.pop(0)
        if isinstance(seconds, Exception):
            raise seconds
        clock.advance(seconds)
        return owners

    guard = Guard("crm", FakeConnector(answer=answer), AnswerCache(Cache()), patience=DEADLINE)
    guard.opening.start()
    try:
        return [str(finding) for finding in probe(guard, Tried(), clock)]
    finally:
        guard.close()


def test_a_quick_answer_is_ok_and_is_asked_for_once():
    assert told(0.12) == ["ok      crm: asked for 0999999999: 0 owner(s) in 120 ms"]


def test_a_lookup_that_always_takes_longer_than_a_call_waits_fails_the_check():
    (line,) = told(3.646, 3.7)
    assert line.startswith(
        "FAILED  crm: never answers in time, for a call waits 1800 ms (server.deadline): asked for 0999999999: "
        "0 owner(s) in 3700 ms, the first time in 3646 ms: make each lookup shorter (an index"
    )


def test_a_lookup_that_takes_more_than_half_of_the_time_is_a_warning():
    (line,) = told(1.0, 0.95)
    assert line.startswith("warn    crm: often too late under load, for a call waits 1800 ms (server.deadline): asked")


@pytest.mark.parametrize("first", [1.2, 4.5])
def test_what_only_the_first_question_pays_for_is_told_and_is_no_trouble(first):
    assert told(first, 0.2) == [
        f"ok      crm: asked for 0999999999: 0 owner(s) in 200 ms, the first time in {first * 1000:.0f} ms"
    ]


def test_a_second_question_without_an_answer_fails():
    assert told(3.0, SourceUnavailable("gone")) == ["FAILED  crm: unavailable: gone"]


def test_slow_and_with_owners_for_nobody_both_are_told():
    lines = told(3.0, 3.0, owners=(Owner(id="7"),))
    assert [line[:6] for line in lines] == ["warn  ", "FAILED"]
    assert lines[0].endswith("does the source compare the whole number?")
