"""Who is forgotten: by every process, and by what was under way."""

import json
import stat
import threading
from pathlib import Path

import pytest

from bridge.lookup.guard import Guard
from bridge.sdk.connector import ConnectorConfig
from bridge.sdk.deadline import Deadline
from bridge.storage.cache import AnswerCache
from bridge.storage.forgotten import Forgotten, hashed
from tests.support.fakes import FakeClock, FakeConnector
from tests.support.kept import LAN, SETTINGS, call, life, rows, until
from tests.support.shared import FakeShared

KEY = b"change-me"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "forgotten.json"


def processes(path: Path, count: int = 2, **more) -> list[Forgotten]:
    """Return what processes of one machine know, each for itself."""
    return [Forgotten(path, KEY, **more) for _ in range(count)]


def test_what_one_process_is_told_the_others_forget_when_they_look(path: Path) -> None:
    told, other = processes(path)
    cache = AnswerCache(SETTINGS, forgotten=other)
    for one in (call(1), call(1, "+842499950291"), call(2)):
        cache.put(one, LAN)
    told.forget(call(1).caller)
    other.look()
    assert [cache.get(one) is None for one in (call(1), call(1, "+842499950291"), call(2))] == [True, True, False]
    assert len(cache) == 1


def test_the_file_holds_no_number_and_is_known_as_ours(path: Path) -> None:
    Forgotten(path, KEY).forget(call(1).caller)
    text = path.read_text()
    assert list(json.loads(text)["forgotten"]) == [hashed(call(1).caller.e164, KEY)]
    assert call(1).caller.e164[1:] not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_nobody_elses_file_is_written(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("minutes of the meeting\n")
    with pytest.raises(OSError, match="omi-bridge did not make"):
        Forgotten(path, KEY).forget(call(1).caller)
    assert path.read_text() == "minutes of the meeting\n"


def test_a_caller_is_remembered_again_from_his_next_call_on(path: Path) -> None:
    clock, wall = FakeClock(), FakeClock()
    (forgotten,) = processes(path, 1, clock=clock, wall_clock=wall)
    wall.advance(1e9)
    cache = AnswerCache(SETTINGS, clock, forgotten)
    forgotten.forget(call(1).caller)
    cache.put(call(1), LAN, asked_at=clock())
    assert cache.get(call(1)) is None
    clock.advance(1)
    cache.put(call(1), LAN, asked_at=clock())
    assert cache.get(call(1)).owners == LAN


@pytest.mark.parametrize(("age", "taken"), [(90.0, False), (58.0, False), (50.0, True)])
def test_what_others_have_stored_before_is_not_taken_over(path: Path, age: float, taken: bool) -> None:
    wall = FakeClock()
    wall.advance(1e9)
    (forgotten,) = processes(path, 1, wall_clock=wall)
    forgotten.forget(call(1).caller)
    wall.advance(60)
    cache = AnswerCache(SETTINGS, forgotten=forgotten)
    cache.restore(call(1), LAN, age)
    assert (cache.get(call(1)) is not None) == taken
    cache.adopt(call(1), LAN, age)
    assert (cache.get(call(1)) is not None) == taken


def test_an_entry_ends_after_a_day(path: Path) -> None:
    wall = FakeClock()
    wall.advance(1e9)
    told, later = processes(path, 2, wall_clock=wall)
    told.forget(call(1).caller)
    wall.advance(86401)
    later.look()
    assert later.learnt(call(1).caller) is None
    told.forget(call(2).caller)
    assert list(json.loads(path.read_text())["forgotten"]) == [hashed(call(2).caller.e164, KEY)]


def test_a_damaged_file_costs_nothing_but_itself(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"forgotten": [7]}')
    told, other = processes(path)
    told.forget(call(1).caller)
    other.look()
    assert other.learnt(call(1).caller) is not None


def test_other_machines_learn_it_from_what_they_share(tmp_path: Path) -> None:
    clock = FakeClock()
    machines = [Forgotten(tmp_path / name / "forgotten.json", KEY) for name in ("a", "b")]
    shared = FakeShared(clock)
    for one in machines:
        one.shared = shared
    machines[0].forget(call(1).caller)
    machines[0].forget(call(2).caller)
    clock.advance(1)
    machines[1].look_around()
    assert [machines[1].learnt(call(number).caller) is None for number in (1, 2, 3)] == [False, False, True]


def test_a_lookup_that_was_under_way_brings_nobody_back_and_answers_no_later_call(path: Path) -> None:
    told, own = processes(path)
    gate, answers = threading.Event(), iter([LAN, LAN[:1]])
    asked = threading.Semaphore(0)

    def slow(_call, _deadline):
        found = next(answers)
        asked.release()
        if found is LAN:
            gate.wait(10)
        return found

    cache = AnswerCache(SETTINGS, forgotten=own)
    guard = Guard("crm", FakeConnector(ConnectorConfig(), slow), cache, forgotten=own, wait=lambda _seconds: True)
    guard.opening.attempt()
    first = guard.begin(call(1))
    assert asked.acquire(timeout=10)
    told.forget(call(1).caller)
    own.look()
    later = guard.begin(call(1))
    later.wait(Deadline.after(10).remaining())
    assert later.answer().owners == LAN[:1]
    gate.set()
    first.wait(Deadline.after(10).remaining())
    assert first.answer().owners == LAN
    assert cache.get(call(1)).owners == LAN[:1]
    guard.close()


def test_no_trial_asks_for_who_is_forgotten(path: Path) -> None:
    (own,) = processes(path, 1)
    guard = Guard("crm", FakeConnector(ConnectorConfig(), lambda *_: LAN), AnswerCache(SETTINGS), forgotten=own)
    guard.opening.attempt()
    guard.begin(call(1)).wait(10)
    assert guard._breaker._suspicion.question() == call(1)  # noqa: SLF001 - nothing outside shows it
    own.forget(call(1).caller)
    assert guard._breaker._suspicion.question() is None  # noqa: SLF001
    guard.close()


def test_what_was_heard_before_is_not_written_after_the_deletion(tmp_path: Path, path: Path) -> None:
    told, own = processes(path)
    file = tmp_path / "answers.db"
    with life(file, forgotten=own) as (cache, _):
        cache.put(call(0), LAN)
        until(lambda: rows(file) == 1)
        told.forget(call(1).caller)  # of which this process does not know yet
        cache.put(call(1), LAN)
        cache.put(call(2), LAN)
        until(lambda: rows(file) == 2)
        cache.put(call(1), LAN)
        until(lambda: rows(file) == 3)
