import threading
from collections.abc import Callable

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.threads.cancellation import Cancelled, cut_off_if_useless
from bridge.sdk.threads.single_flight import SingleFlight
from tests.support.fakes import FakeClock
from tests.support.kept import until


def soon() -> Deadline:
    return Deadline.after(10)


def gated(gate: threading.Event, value: int = 7) -> Callable[[], int]:
    def job() -> int:
        assert gate.wait(10)
        return value

    return job


def test_a_job_gives_its_result_to_who_asked():
    assert SingleFlight[int]("source-crm", 1).start("key", lambda: 7, soon()).result.result(10) == 7


def test_a_job_that_raises_raises_where_it_was_asked_for():
    def job() -> int:
        raise TimeoutError("the job's own")

    with pytest.raises(TimeoutError, match="the job's own"):
        SingleFlight[int]("source-crm", 1).start("key", job, soon()).result.result(10)


def test_fifty_who_ask_for_what_is_under_way_get_the_same_result_from_one_job():
    flights, gate, runs = SingleFlight[int]("source-crm", 1), threading.Event(), []

    def job() -> int:
        runs.append(1)
        return gated(gate)()

    flights = [flights.start("key", job, soon()) for _ in range(50)]
    gate.set()
    assert [flight.result.result(10) for flight in flights] == [7] * 50
    assert len(runs) == 1


def test_a_full_bulkhead_turns_away_at_once():
    flights, gate = SingleFlight[int]("source-crm", 2), threading.Event()
    for key in ("one", "two"):
        flights.start(key, gated(gate), soon())
    with pytest.raises(SourceBusy, match="2 places"):
        flights.start("three", lambda: 3, soon())
    gate.set()


def test_a_job_that_may_wait_gets_the_place_that_is_given_back():
    flights, gate = SingleFlight[int]("source-crm", 1), threading.Event()
    first = flights.start("one", gated(gate), soon())
    second = flights.start("two", lambda: 3, soon(), meanwhile=lambda: None)
    assert flights.running == 1
    gate.set()
    assert (first.result.result(10), second.result.result(10)) == (7, 3)
    assert flights.running == 0


def test_a_job_that_finds_its_result_while_it_waits_needs_no_place():
    flights, gate = SingleFlight[int]("source-crm", 1), threading.Event()
    first = flights.start("one", gated(gate), soon())
    assert flights.start("two", lambda: 3, soon(), meanwhile=lambda: 4).result.result(10) == 4
    gate.set()
    assert first.result.result(10) == 7


def test_a_job_waits_for_a_place_for_a_moment_and_no_more_wait_than_there_are_places():
    flights, gate = SingleFlight[int]("source-crm", 1), threading.Event()
    flights.start("one", gated(gate), soon())
    second = flights.start("two", lambda: 3, soon(), meanwhile=lambda: None)
    with pytest.raises(SourceBusy, match="1 places"):
        flights.start("three", lambda: 3, soon(), meanwhile=lambda: None)
    with pytest.raises(SourceBusy, match="1 places"):
        second.result.result(10)
    gate.set()
    until(lambda: flights.running == 0)
    assert flights.start("two", lambda: 3, soon(), meanwhile=lambda: None).result.result(10) == 3


def test_a_leader_that_hangs_beyond_its_lease_does_not_block_its_key():
    clock, gate, flights = FakeClock(), threading.Event(), SingleFlight[int]("source-crm", 2)
    hung = flights.start("key", gated(gate), Deadline.after(5, clock))
    clock.advance(6)
    assert flights.start("key", lambda: 8, Deadline.after(5, clock)).result.result(10) == 8
    gate.set()
    assert hung.result.result(10) == 7


def test_a_hung_job_counts_against_the_limit_until_it_ends():
    clock, gate, flights = FakeClock(), threading.Event(), SingleFlight[int]("source-crm", 1)
    hung = flights.start("key", gated(gate), Deadline.after(5, clock))
    clock.advance(6)
    with pytest.raises(SourceBusy):
        flights.start("key", lambda: 7, Deadline.after(5, clock))
    gate.set()
    hung.result.result(10)
    assert flights.start("key", lambda: 8, Deadline.after(5, clock)).result.result(10) == 8


def test_a_place_is_free_again_when_its_job_has_ended():
    flights = SingleFlight[int]("source-crm", 1)
    for number in range(3):
        assert flights.start("key", lambda number=number: number, soon()).result.result(10) == number
    assert flights.running == 0


def test_a_failed_leader_does_not_block_its_key():
    flights = SingleFlight[int]("source-crm", 1)
    with pytest.raises(ZeroDivisionError):
        flights.start("key", lambda: 1 // 0, soon()).result.result(10)
    assert flights.start("key", lambda: 7, soon()).result.result(10) == 7


def hanging(cut_off: threading.Event) -> Callable[[], int]:
    """Return a job that waits as on a connection: until that is cut off."""

    def job() -> int:
        with cut_off_if_useless(cut_off.set):
            assert cut_off.wait(10)
        raise AssertionError("it goes on after it was cut off")

    return job


def test_a_job_that_nobody_waits_for_any_more_gives_its_place_to_who_needs_it():
    clock, flights, cut_off = FakeClock(), SingleFlight[int]("source-crm", 1), threading.Event()
    hung = flights.start("key", hanging(cut_off), Deadline.after(5, clock), wanted=Deadline.after(2, clock))
    until(lambda: hung.cancellation.can_cut)
    with pytest.raises(SourceBusy, match="1 places"):
        flights.start("another", lambda: 3, Deadline.after(5, clock))
    clock.advance(2)
    assert flights.start("another", lambda: 3, Deadline.after(5, clock)).result.result(10) == 3
    assert cut_off.is_set()
    with pytest.raises(Cancelled):
        hung.result.result(10)
    until(lambda: flights.running == 0)


def test_who_joins_a_job_keeps_it_from_being_cut_off():
    clock, flights, cut_off = FakeClock(), SingleFlight[int]("source-crm", 1), threading.Event()
    hung = flights.start("key", hanging(cut_off), Deadline.after(5, clock), wanted=Deadline.after(0, clock))
    until(lambda: hung.cancellation.can_cut)
    assert flights.start("key", hanging(cut_off), Deadline.after(5, clock), wanted=Deadline.after(2, clock)) is hung
    with pytest.raises(SourceBusy):
        flights.start("another", lambda: 3, Deadline.after(5, clock))
    cut_off.set()


def test_a_job_that_cannot_be_cut_off_keeps_its_place():
    clock, flights, gate = FakeClock(), SingleFlight[int]("source-crm", 1), threading.Event()
    flights.start("key", gated(gate), Deadline.after(5, clock), wanted=Deadline.after(0, clock))
    with pytest.raises(SourceBusy):
        flights.start("another", lambda: 3, Deadline.after(5, clock))
    gate.set()


def test_what_can_wait_takes_neither_the_last_quarter_of_places_nor_a_place_of_others():
    clock, flights, cut_off = FakeClock(), SingleFlight[int]("source-crm", 4), threading.Event()
    for key in range(3):
        hung = flights.start(key, hanging(cut_off), Deadline.after(5, clock), wanted=Deadline.after(0, clock))
        until(lambda hung=hung: hung.cancellation.can_cut)
    with pytest.raises(SourceBusy, match="3 places"):
        flights.start("later", lambda: 3, Deadline.after(5, clock), spare=True)
    assert flights.start("now", lambda: 3, Deadline.after(5, clock)).result.result(10) == 3
    cut_off.set()
