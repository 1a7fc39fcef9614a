"""What was purged answers nobody any more: in memory, in a file, in another process, on another machine."""

import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bridge.config.sections import PURGED_BEGINS
from bridge.lookup.guard import Guard
from bridge.sdk import Call, Owner, PhoneNumber
from bridge.sdk.connector import ConnectorConfig
from bridge.sdk.errors import SourceBusy, SourceUnavailable
from bridge.storage.cache import AnswerCache
from bridge.storage.machine import MachineMemory
from bridge.storage.purges.marks import ENTRY_SIZE, MOST, Purge
from bridge.storage.purges.purges import Purges
from bridge.storage.shared.answers import SharedAnswers
from bridge.storage.shared.machine_namespace import MachineNamespace
from tests.support.fakes import FakeClock, FakeConnector
from tests.support.kept import LAN, SETTINGS, call, life, rows, until
from tests.support.shared import FakeShared

KEY = b"change-me"
KHOA = (Owner(id="9", email="khoa@congty.example", record="42, 43"),)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def of_caller(number: int) -> Purge:
    return Purge(callers=frozenset([call(number).caller]))


def of_record(*ids: str) -> Purge:
    return Purge(records=frozenset(ids))


def of_owner(*texts: str) -> Purge:
    return Purge(owners=frozenset(texts))


NOBODY = ()
ANSWERS = {1: LAN, 2: KHOA, 3: NOBODY}


@pytest.mark.parametrize(
    ("purge", "left"),
    [
        (of_caller(1), {2, 3}),
        (of_owner("9"), {1, 3}),
        (of_owner("KHOA@congty.example"), {1, 3}),
        (of_record("42"), {1}),
        (of_record("43"), {1}),
        (of_record("4"), {1, 2}),
        (of_owner("42"), {1, 2, 3}),
    ],
)
def test_the_answers_that_a_purge_names_are_gone_and_a_record_takes_nobody_with_it(purge, left, clock) -> None:
    purges = Purges(clock=clock)
    cache = AnswerCache(SETTINGS, clock, purges=purges)
    for number, owners in ANSWERS.items():
        cache.put(call(number), owners)
    clock.advance(1)
    purges.purge(purge)
    assert {number for number in ANSWERS if cache.get(call(number))} == left
    clock.advance(1)
    for number, owners in ANSWERS.items():
        assert cache.put(call(number), owners, asked_at=clock())
    assert all(cache.get(call(number)) for number in ANSWERS)


def test_a_caller_is_purged_under_every_hotline(clock) -> None:
    purges = Purges(clock=clock)
    cache = AnswerCache(SETTINGS, clock, purges=purges)
    cache.put(call(1, "+842499950291"), LAN)
    clock.advance(1)
    purges.purge(of_caller(1))
    assert cache.get(call(1, "+842499950291")) is None


@pytest.mark.parametrize("purge", [of_caller(2), of_owner("9"), of_record("43")])
def test_what_was_asked_before_is_neither_kept_nor_adopted_nor_restored(purge, clock) -> None:
    purges = Purges(clock=clock)
    cache = AnswerCache(SETTINGS, clock, purges=purges)
    asked_at = clock()
    clock.advance(5)
    purges.purge(purge)
    clock.advance(5)
    assert not cache.put(call(2), KHOA, asked_at=asked_at)
    cache.adopt(call(2), KHOA, 6.0)
    assert cache.get(call(2)) is None
    cache.restore(call(2), KHOA, 6.0)
    assert cache.get(call(2)) is None
    cache.adopt(call(2), KHOA, 4.0)
    assert cache.get(call(2)).owners == KHOA


def test_an_answer_is_as_old_as_its_question_in_memory_and_for_other_processes(clock) -> None:
    memory = MachineMemory.make()
    here, there = (AnswerCache(SETTINGS, clock) for _ in range(2))
    told, heard = (SharedAnswers(MachineNamespace(memory, "crm", "crm", clock), cache) for cache in (here, there))
    asked_at = clock()
    clock.advance(5)
    here.put(call(2), KHOA, asked_at)
    told.publish(call(2), KHOA, "", asked_at)
    clock.advance(2)
    found = heard.recall(call(2))
    assert found
    assert (here.get(call(2)).age, found.age, found.owners[0].record) == (7.0, 7.0, "42, 43")


def test_an_answer_is_as_old_as_its_question_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "answers.db"
    with life(file, lambda: 1e9) as (cache, _):
        cache.put(call(2), KHOA, asked_at=cache.now() - 100)
        until(lambda: rows(file) == 1)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT stored_at FROM answers").fetchone()[0] == pytest.approx(1e9 - 100, abs=10)


def test_every_process_of_the_machine_knows_at_once(clock) -> None:
    memory = MachineMemory.make()
    told, other = Purges(memory, clock=clock), Purges(memory, clock=clock)
    cache = AnswerCache(SETTINGS, clock, purges=other)
    cache.put(call(1), LAN)
    clock.advance(1)
    told.purge(of_caller(1))
    assert cache.get(call(1)) is None


def test_a_process_of_its_own_knows_at_once() -> None:
    memory = MachineMemory.make()
    here = Purges(memory)
    began = here._clock()  # noqa: SLF001 - the machine's
    assert here.allow(call(1).caller, LAN, began)
    child = os.fork()
    if child == 0:
        Purges(memory).purge(of_caller(1))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert not here.allow(call(1).caller, LAN, began)
    assert here.allow(call(2).caller, LAN, began)


def test_a_process_that_stands_still_while_it_tells_keeps_others_from_it_and_no_call(clock) -> None:
    memory = MachineMemory.make()
    purges = Purges(memory, clock=clock)
    place = memory.take("purges are told", 1)
    with pytest.raises(SourceBusy, match="stands still"):
        purges.purge(of_caller(1))
    assert purges.allow(call(1).caller, LAN, clock())
    memory.leave("purges are told", place)
    purges.purge(of_caller(1))
    assert not purges.allow(call(1).caller, LAN, clock())


class Held:
    """A source that answers each question when it is let, with what was true when it was asked."""

    def __init__(self, *answers) -> None:
        self.asked = threading.Semaphore(0)
        self._gates = [threading.Event() for _ in answers]
        self._order = iter(list(zip(answers, self._gates, strict=True)))

    def __call__(self, _call, _deadline):
        answer, gate = next(self._order)
        self.asked.release()
        assert gate.wait(10)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait(self) -> None:
        assert self.asked.acquire(timeout=10)

    def let(self, number: int) -> None:
        self._gates[number].set()


def guarded(source: Held, purges: Purges, clock: FakeClock) -> Guard:
    cache = AnswerCache(SETTINGS, clock, purges=purges)
    connector = FakeConnector(ConnectorConfig(), source)
    guard = Guard("crm", connector, cache, clock=clock, purges=purges, wait=lambda _seconds: True)
    guard.opening.attempt()
    return guard


@pytest.mark.parametrize("purge", [of_caller(1), of_owner("9"), of_record("42")])
def test_a_question_under_way_answers_nobody_who_comes_after_the_purge_and_is_not_kept(purge, clock) -> None:
    source, purges = Held(KHOA, LAN), Purges(clock=clock)
    guard = guarded(source, purges, clock)
    before = guard.begin(call(1))
    source.wait()
    clock.advance(1)
    purges.purge(purge)
    clock.advance(1)
    after = guard.begin(call(1))
    source.wait()
    source.let(0)
    before.wait(10)
    assert before.answer().owners == KHOA  # he called before
    assert guard.cache.get(call(1)) is None
    assert not after.done()
    source.let(1)
    after.wait(10)
    assert after.answer().owners == LAN
    assert guard.cache.get(call(1)).owners == LAN
    guard.close()


def test_a_purge_right_behind_one_of_another_machine_lets_nobody_join_an_older_question(clock) -> None:
    source, purges, other = Held(KHOA, LAN), Purges(secret=KEY, clock=clock), Purges(secret=KEY, clock=clock)
    purges.shared = other.shared = FakeShared(clock)
    guard = guarded(source, purges, clock)
    other.purge(of_record("42"))
    other.exchange()
    clock.advance(0.1)
    purges.exchange()
    clock.advance(0.1)
    guard.begin(call(1))
    source.wait()
    clock.advance(0.1)
    purges.purge(of_record("42"))
    clock.advance(0.1)
    after = guard.begin(call(1))
    source.wait()  # for a question of its own
    source.let(0)
    source.let(1)
    after.wait(10)
    assert after.answer().owners == LAN
    guard.close()


def test_who_comes_after_the_purge_gets_no_part_of_an_older_answer(clock) -> None:
    source, purges = Held(KHOA, LAN), Purges(clock=clock)
    told = threading.Event()

    def find(question: Call, deadline):
        question.so_far(KHOA)
        told.set()
        return source(question, deadline)

    guard = guarded(find, purges, clock)
    before = guard.begin(call(1))
    assert told.wait(10)
    source.wait()
    assert before.answer().owners == KHOA
    clock.advance(1)
    purges.purge(of_caller(1))
    assert guard._source.told_so_far(call(1), purges.moment(call(1).caller)) == ()  # noqa: SLF001 - before the next is asked
    source.let(0)
    guard.close()


def test_an_answer_past_its_life_is_no_answer_either_when_the_source_fails(clock) -> None:
    source, purges = Held(KHOA, SourceUnavailable("down")), Purges(clock=clock)
    guard = guarded(source, purges, clock)
    source.let(0)
    first = guard.begin(call(1))
    first.wait(10)
    assert first.answer().owners == KHOA
    clock.advance(SETTINGS.ttl + 120)
    assert guard.cache.get(call(1)).owners == KHOA
    purges.purge(of_record("42"))
    later = guard.begin(call(1))
    source.let(1)
    later.wait(10)
    with pytest.raises(SourceUnavailable):
        later.answer()
    guard.close()


def test_a_file_gives_nothing_back_that_was_purged_before_the_restart(tmp_path: Path) -> None:
    file, path = tmp_path / "answers.db", tmp_path / "purged"
    purges = Purges(path=path, secret=KEY)
    with life(file, purges=purges) as (cache, _):
        for number, owners in {1: LAN, 2: KHOA, 4: LAN}.items():
            cache.put(call(number), owners)
        until(lambda: rows(file) == 3)
        purges.purge(of_caller(1))
        purges.purge(of_record("43"))
    with life(file, purges=Purges(path=path, secret=KEY)) as (cache, _):
        assert [cache.get(call(number)) is not None for number in (1, 2, 4)] == [False, False, True]
        assert len(cache) == 1


def test_a_clock_that_was_ahead_brings_nothing_back_that_was_purged(tmp_path: Path) -> None:
    file, path, right = tmp_path / "answers.db", tmp_path / "purged", FakeClock()
    right.advance(1e9)

    def known() -> Purges:
        return Purges(path=path, secret=KEY, wall_clock=right)

    with life(file, lambda: right() + 7 * 3600, purges=known()) as (cache, _):
        cache.put(call(1), LAN)
        cache.put(call(2), KHOA)
        until(lambda: rows(file) == 2)
    known().purge(of_caller(2))
    for later in (SETTINGS.ttl + 60, 60):
        right.advance(later)
        with life(file, right, purges=known()) as (cache, _):
            assert [cache.get(call(number)) is not None for number in (1, 2)] == [True, False]


def test_the_file_keeps_the_records_of_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "answers.db"
    with life(file) as (cache, _):
        cache.put(call(2), KHOA)
        until(lambda: rows(file) == 1)
    with life(file) as (cache, _):
        assert [owner.record for owner in cache.get(call(2)).owners] == ["42, 43"]


def test_the_file_of_purges_holds_no_number_and_is_the_services_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "purged"
    Purges(path=path, secret=KEY).purge(of_caller(1))
    content = path.read_bytes()
    assert content.startswith(PURGED_BEGINS)
    assert call(1).caller.digits.encode() not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nobody_elses_file_is_written_and_the_purge_counts_all_the_same(tmp_path: Path, clock) -> None:
    path = tmp_path / "purged"
    path.write_text("minutes of the meeting\n")
    purges = Purges(path=path, secret=KEY, clock=clock)
    with pytest.raises(OSError, match="omi-bridge did not make"):
        purges.purge(of_caller(1))
    assert path.read_text() == "minutes of the meeting\n"
    assert not purges.allow(call(1).caller, LAN, clock())
    assert "omi-bridge did not make" in purges.trouble


def times(path: Path, clock: FakeClock, secret: bytes = KEY) -> Purges:
    return Purges(path=path, secret=secret, clock=clock, wall_clock=clock)


def test_with_another_key_everything_from_before_the_last_purge_is_gone(tmp_path: Path, clock) -> None:
    path = tmp_path / "purged"
    times(path, clock).purge(of_caller(1))
    clock.advance(10)
    later = times(path, clock, b"another")
    assert not later.allow(call(2).caller, LAN, clock() - 11)
    assert later.allow(call(2).caller, LAN, clock() - 9)
    later.purge(of_caller(3))
    clock.advance(10)
    again = times(path, clock, b"another")
    assert not again.allow(call(3).caller, LAN, clock() - 11)
    assert again.allow(call(2).caller, LAN, clock() - 11)


def test_a_reload_with_another_key_forgets_what_is_from_before_the_last_purge(clock) -> None:
    purges, began = Purges(secret=KEY, clock=clock), clock()
    purges.rekey(b"another")
    assert purges.allow(call(1).caller, LAN, began)
    purges.purge(of_caller(1))
    clock.advance(1)
    purges.rekey(KEY)
    assert not purges.allow(call(2).caller, LAN, began)
    assert purges.allow(call(1).caller, LAN, clock())


def test_a_process_with_another_key_tells_of_everybody(clock) -> None:
    memory, began = MachineMemory.make(), clock()
    here, reloaded = (Purges(memory, secret=secret, clock=clock) for secret in (KEY, b"another"))
    clock.advance(1)
    reloaded.purge(of_caller(1))
    assert not here.allow(call(2).caller, LAN, began)
    clock.advance(1)
    assert here.allow(call(1).caller, LAN, clock())


def test_a_file_that_was_cut_off_by_a_full_disk_goes_on_behind_what_is_whole(tmp_path: Path, clock) -> None:
    path = tmp_path / "purged"
    purges = times(path, clock)
    purges.purge(of_caller(1))
    purges.purge(of_caller(2))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 5)
    purges.purge(of_caller(3))
    later = times(path, clock)
    assert [later.allow(call(number).caller, LAN, clock()) for number in (1, 2, 3)] == [False, True, False]


def test_the_file_does_not_grow_for_ever_and_forgets_no_purge(tmp_path: Path, clock) -> None:
    path, began = tmp_path / "purged", clock()
    purges = times(path, clock)
    purges.purge(of_caller(1))
    largest = 0
    for _ in range(2 * MOST // 1000 + 2):
        clock.advance(1)
        purges.purge(Purge(callers=frozenset(call(number).caller for number in range(2, 1002))))
        largest = max(largest, path.stat().st_size)
    assert path.stat().st_size < largest <= (2 * MOST + 1003) * ENTRY_SIZE
    later = times(path, clock)
    assert not later.allow(call(1).caller, LAN, began)
    assert later.allow(call(1).caller, LAN, began + 1)


def test_what_is_too_much_to_keep_is_folded_into_one_time(clock) -> None:
    purges, began = Purges(clock=clock), clock()
    for first in range(0, MOST + 1000, 1000):
        clock.advance(1)
        purges.purge(Purge(callers=frozenset(call(number).caller for number in range(first, first + 1000))))
    assert not purges.allow(call(0).caller, LAN, began + 1)
    assert not purges.allow(call(10**6).caller, LAN, began + 1)  # of whom nothing was said: it only costs a question
    assert purges.allow(call(10**6).caller, LAN, clock() - 1)
    assert not purges.allow(call(MOST + 500).caller, LAN, clock())


def test_a_process_that_has_slept_through_more_than_is_kept_uses_nothing_from_before(clock) -> None:
    memory = MachineMemory.make()
    sleeper, other = Purges(memory, clock=clock), Purges(memory, clock=clock)
    for first in range(0, MOST, 1000):
        other.purge(Purge(callers=frozenset(call(number).caller for number in range(first, first + 1000))))
    assert not sleeper.allow(call(10**6).caller, LAN, clock())


def test_other_machines_learn_it_and_what_they_asked_since_stays(tmp_path: Path, clock) -> None:
    here, there = (Purges(path=tmp_path / name, secret=KEY, clock=clock, wall_clock=clock) for name in ("a", "b"))
    here.shared = there.shared = shared = FakeShared(clock)
    asked_at = clock()
    clock.advance(1)
    here.purge(of_record("42"))
    here.exchange()
    clock.advance(3)
    there.exchange()
    assert not there.allow(call(2).caller, KHOA, asked_at)
    assert not there.allow(call(2).caller, KHOA, asked_at + 1.9)  # a second for what two machines may be wrong by
    assert there.allow(call(2).caller, KHOA, asked_at + 2.1)
    assert there.allow(call(1).caller, LAN, asked_at)
    there.purge(of_caller(5))
    there.exchange()
    assert len(shared.get("purged").content) == 3 * ENTRY_SIZE
    restarted = Purges(path=tmp_path / "b", secret=KEY, clock=clock, wall_clock=clock)
    assert not restarted.allow(call(2).caller, KHOA, asked_at)


def test_what_a_server_that_was_away_did_not_hear_is_told_when_it_is_back(clock) -> None:
    here, there = Purges(secret=KEY, clock=clock), Purges(secret=KEY, clock=clock)
    here.shared = there.shared = shared = FakeShared(clock)
    shared.broken = True
    asked_at = clock()
    here.purge(of_caller(1))
    here.exchange()
    shared.broken = False
    clock.advance(1)
    here.exchange()
    there.exchange()
    assert not there.allow(call(1).caller, LAN, asked_at)


def test_a_second_purge_of_the_same_is_learnt_as_well(clock) -> None:
    here, there = Purges(secret=KEY, clock=clock), Purges(secret=KEY, clock=clock)
    here.shared = there.shared = FakeShared(clock)
    for _ in range(2):
        here.purge(of_caller(1))
        here.exchange()
        there.exchange()
        clock.advance(5)
        assert there.allow(call(1).caller, LAN, clock())
        asked_at = clock()
        clock.advance(1)
    here.purge(of_caller(1))
    here.exchange()
    there.exchange()
    assert not there.allow(call(1).caller, LAN, asked_at)


def test_what_is_read_by_the_wall_clock_counts_as_older_rather_than_newer(clock) -> None:
    purges, at = Purges(clock=clock, wall_clock=clock), clock()
    purges.purge(of_caller(1))
    clock.advance(10)
    kept = [purges.allow_kept(call(1).caller, LAN, at + step) for step in (-0.1, 0.05, 0.2)]
    assert kept == [False, False, True]
    assert purges.allow_kept(PhoneNumber("+84911111111"), LAN, at - 0.1)
