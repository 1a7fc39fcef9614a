import logging
from collections.abc import Sequence

import pytest

from bridge.cache import AnswerCache
from bridge.connector import Call, ConnectorConfig, Owner
from bridge.deadline import Deadline
from bridge.errors import SourceBusy, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.guard import Guard
from bridge.phone import PhoneNumber
from tests.support.fakes import FakeClock, FakeConnector, Gate, failing, nobody, owned_by

LAN = Owner(id="7", email="lan@congty.example")
CALLER = PhoneNumber("+84901234567")
HOTLINE = PhoneNumber("+842499950291")
CALL = Call(CALLER, HOTLINE)


def guard_of(connector: FakeConnector, clock: FakeClock | None = None, *, opened: bool = True) -> Guard:
    clock = clock or FakeClock()
    guard = Guard("crm", connector, AnswerCache(600, 60, 1000, clock), clock)
    if opened:
        guard.try_to_open()
    return guard


def soon() -> Deadline:
    return Deadline.after(10)


def test_an_owner_is_asked_for_once_and_then_remembered_for_the_ttl():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, clock)
    first, second = guard.find_owners(CALL, soon()), guard.find_owners(CALL, soon())
    assert (first.owners, first.cached, second.owners, second.cached) == ((LAN,), False, (LAN,), True)
    clock.advance(601)
    assert not guard.find_owners(CALL, soon()).cached
    assert len(connector.asked) == 2


def test_nobody_is_remembered_too_but_for_a_shorter_time():
    clock, connector = FakeClock(), FakeConnector(answer=nobody)
    guard = guard_of(connector, clock)
    assert [guard.find_owners(CALL, soon()).cached for _ in range(2)] == [False, True]
    clock.advance(61)
    assert not guard.find_owners(CALL, soon()).cached


@pytest.mark.parametrize("error", [SourceUnavailable("down"), SourceRejected("key"), UnexpectedAnswer("html")])
def test_a_failure_is_never_remembered(error):
    connector = FakeConnector(answer=failing(error))
    guard = guard_of(connector)
    for _ in range(2):
        with pytest.raises(type(error)):
            guard.find_owners(CALL, soon())
    connector.answer = owned_by(LAN)
    assert guard.find_owners(CALL, soon()).owners == (LAN,)


def test_a_source_that_names_a_time_to_come_back_is_left_alone_until_then():
    clock = FakeClock()
    connector = FakeConnector(answer=failing(SourceUnavailable("busy", retry_after=30)))
    guard = guard_of(connector, clock)
    for _ in range(3):
        with pytest.raises(SourceUnavailable):
            guard.find_owners(CALL, soon())
    assert len(connector.asked) == 1
    connector.answer = owned_by(LAN)
    clock.advance(31)
    assert guard.find_owners(CALL, soon()).owners == (LAN,)


def test_what_is_remembered_is_answered_even_while_the_source_wants_to_be_left_alone():
    clock, connector = FakeClock(), FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, clock)
    guard.find_owners(CALL, soon())
    connector.answer = failing(SourceUnavailable("busy", retry_after=30))
    with pytest.raises(SourceUnavailable):
        guard.find_owners(Call(PhoneNumber("+84912345678")), soon())
    assert guard.find_owners(CALL, soon()).owners == (LAN,)


def test_an_answer_that_comes_too_late_for_its_call_is_there_for_the_next():
    gate = Gate(owned_by(LAN))
    guard = guard_of(FakeConnector(answer=gate))
    with pytest.raises(SourceUnavailable, match="in time"):
        guard.find_owners(CALL, Deadline.after(-1))
    gate.release()
    answer = guard.find_owners(CALL, soon())
    assert answer.owners == (LAN,)


def test_a_connector_that_reads_the_hotline_is_asked_for_each_hotline():
    connector = FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector)
    guard.find_owners(CALL, soon())
    assert not guard.find_owners(Call(CALLER, None), soon()).cached
    assert [call.hotline for call in connector.asked] == [HOTLINE, None]


def test_a_connector_that_does_not_read_the_hotline_never_gets_it_and_is_asked_once():
    connector = FakeConnector(answer=owned_by(LAN))
    connector.reads_hotline = False
    guard = guard_of(connector)
    guard.find_owners(CALL, soon())
    assert guard.find_owners(Call(CALLER, None), soon()).cached
    assert [call.hotline for call in connector.asked] == [None]


@pytest.mark.parametrize(
    "error", [ValueError("secret-ish +84901234567"), SystemExit(3), RecursionError(), MemoryError()]
)
def test_a_bug_in_a_connector_is_a_failure_of_that_connector_and_logged_without_the_number(error, caplog):
    guard = guard_of(FakeConnector(answer=failing(error)))
    with caplog.at_level(logging.ERROR), pytest.raises(UnexpectedAnswer, match=type(error).__name__):
        guard.find_owners(CALL, soon())
    assert "Traceback" in caplog.text
    assert "901234567" not in caplog.text


def endless() -> Sequence[Owner]:
    class Endless(list[Owner]):
        def __iter__(self):
            number = 0
            while True:
                number += 1
                yield Owner(id=str(number))

    return Endless()


@pytest.mark.parametrize(
    "returned",
    [None, "101", 7, {"id": 7}, [None], ["101"], [Owner()], [Owner(id=7)], [Owner(id="7", extension=101)], endless()],
)
def test_what_a_connector_returns_is_not_trusted(returned):
    connector = FakeConnector(answer=lambda _call, _deadline: returned)
    with pytest.raises(UnexpectedAnswer):
        guard_of(connector).find_owners(CALL, soon())


def test_an_owner_given_twice_counts_once():
    connector = FakeConnector(answer=owned_by(LAN, Owner(id="8"), LAN))
    assert guard_of(connector).find_owners(CALL, soon()).owners == (LAN, Owner(id="8"))


def test_a_connector_that_is_asked_for_nothing_is_asked_every_time():
    connector = FakeConnector(answer=owned_by(LAN))
    connector.remembered = False
    guard = guard_of(connector)
    assert [guard.find_owners(CALL, soon()).cached for _ in range(2)] == [False, False]
    assert len(connector.asked) == 2


def test_a_connector_that_is_not_open_yet_is_unavailable_and_not_asked():
    connector = FakeConnector(answer=owned_by(LAN))
    guard = guard_of(connector, opened=False)
    with pytest.raises(SourceUnavailable, match="being opened"):
        guard.find_owners(CALL, soon())
    assert connector.asked == []


def test_opening_goes_on_until_it_succeeds():
    connector = FakeConnector(answer=owned_by(LAN))
    connector.open_error = SourceUnavailable("the file is missing")
    waits = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        with pytest.raises(SourceUnavailable, match="the file is missing"):
            guard.find_owners(CALL, soon())
        connector.open_error = None
        return False

    guard = Guard("crm", connector, AnswerCache(600, 60, 1000), wait=wait)
    guard.open()
    assert (connector.opened, len(waits)) == (2, 1)
    assert guard.find_owners(CALL, soon()).owners == (LAN,)


def test_as_many_lookups_as_the_settings_allow_and_no_more():
    gate = Gate(owned_by(LAN))
    connector = FakeConnector(ConnectorConfig(max_in_flight=1), gate)
    guard = guard_of(connector)
    with pytest.raises(SourceUnavailable):
        guard.find_owners(CALL, Deadline.after(-1))
    gate.wait_until_entered()
    with pytest.raises(SourceBusy):
        guard.find_owners(Call(PhoneNumber("+84912345678")), soon())
    gate.release()


def test_the_connector_gets_its_own_deadline_not_the_calls():
    seen = []

    def answer(_call: Call, deadline: Deadline) -> Sequence[Owner]:
        seen.append(deadline.remaining())
        return ()

    guard_of(FakeConnector(ConnectorConfig(timeout=7), answer)).find_owners(CALL, Deadline.after(1))
    assert seen == [7]


def test_closing_closes_the_connector_even_if_that_fails():
    connector = FakeConnector()
    guard_of(connector).close()
    assert connector.closed == 1
