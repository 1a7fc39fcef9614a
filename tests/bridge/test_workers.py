import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.deadline import Deadline
from bridge.errors import SourceBusy, SourceUnavailable
from bridge.workers import Workers
from tests.support.fakes import FakeClock


def soon() -> Deadline:
    return Deadline.after(10)


def past() -> Deadline:
    return Deadline.after(-1)


def test_a_job_gives_its_result_to_who_asked():
    assert Workers[int]("crm", 1).run("key", lambda: 7, soon(), soon()) == 7


def test_a_job_that_raises_raises_where_it_was_asked_for():
    def job() -> int:
        raise TimeoutError("the job's own")

    with pytest.raises(TimeoutError, match="the job's own"):
        Workers[int]("crm", 1).run("key", job, soon(), soon())


def test_who_asks_for_what_is_under_way_gets_the_same_result_from_one_job():
    workers, gate, runs = Workers[int]("crm", 1), threading.Event(), []

    def job() -> int:
        runs.append(1)
        assert gate.wait(10)
        return 7

    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(workers.run, "key", job, soon(), soon()) for _ in range(20)]
        gate.set()
        assert [answer.result() for answer in answers] == [7] * 20
    assert len(runs) < 20


def test_nobody_waits_longer_than_his_deadline_while_the_job_goes_on():
    workers, gate, done = Workers[int]("crm", 1), threading.Event(), threading.Event()

    def job() -> int:
        assert gate.wait(10)
        done.set()
        return 7

    with pytest.raises(SourceUnavailable, match="in time"):
        workers.run("key", job, past(), soon())
    gate.set()
    assert done.wait(10)


def test_a_full_bulkhead_turns_away_at_once():
    workers, gate = Workers[int]("crm", 2), threading.Event()
    for key in ("one", "two"):
        with pytest.raises(SourceUnavailable):
            workers.run(key, lambda: int(gate.wait(10)), past(), soon())
    with pytest.raises(SourceBusy, match="2 places"):
        workers.run("three", lambda: 3, soon(), soon())
    gate.set()


def test_a_leader_that_hangs_beyond_its_lease_does_not_block_its_key():
    clock, gate = FakeClock(), threading.Event()
    workers = Workers[int]("crm", 2)
    lease = Deadline.after(5, clock)
    with pytest.raises(SourceUnavailable):
        workers.run("key", lambda: int(gate.wait(10)), past(), lease)
    clock.advance(6)
    assert workers.run("key", lambda: 7, soon(), Deadline.after(5, clock)) == 7
    gate.set()


def test_a_hung_job_counts_against_the_limit_until_it_ends():
    clock, gate = FakeClock(), threading.Event()
    workers = Workers[int]("crm", 1)
    with pytest.raises(SourceUnavailable):
        workers.run("key", lambda: int(gate.wait(10)), past(), Deadline.after(5, clock))
    clock.advance(6)
    with pytest.raises(SourceBusy):
        workers.run("key", lambda: 7, soon(), Deadline.after(5, clock))
    gate.set()


def test_a_place_is_free_again_when_its_job_has_ended():
    workers = Workers[int]("crm", 1)
    for number in range(3):
        assert workers.run("key", lambda number=number: number, soon(), soon()) == number
    assert workers.running == 0
