"""What is remembered survives a restart, whatever happens to the file; real files, and processes that really end."""

import logging
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bridge.config.sections import Cache
from bridge.sdk.connector import Call
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache
from bridge.storage.cache_file import CacheFile
from tests.support.another_user import as_nobody
from tests.support.fakes import FakeClock
from tests.support.kept import LAN, SETTINGS, call, life, rows, until

HOTLINE = "+842499950291"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.db"


@pytest.fixture
def clock():
    clock = FakeClock()
    clock.now = 1_700_000_000.0
    return clock


def remember(path, *calls, wall_clock=None, **options):
    with life(path, *([wall_clock] if wall_clock else []), **options) as (cache, _):
        for one in calls:
            cache.put(one, LAN)


def remembered(path, one, wall_clock=None, **options):
    with life(path, *([wall_clock] if wall_clock else []), **options) as (cache, _):
        found = cache.get(one)
        return found and (found.owners, found.fresh)


def damaged(path):
    return [file for file in path.parent.iterdir() if file.name.startswith("answers.db.damaged-")]


def test_owners_are_remembered_through_a_restart_for_each_hotline(path, caplog):
    remember(path, call(1), call(1, HOTLINE), call(2))
    with caplog.at_level(logging.INFO), life(path) as (cache, store):
        assert cache.get(call(1)).owners == cache.get(call(1, HOTLINE)).owners == LAN
        assert cache.get(call(2, HOTLINE)) is None
        assert (len(cache), store.trouble) == (3, "")
    assert "3 callers remembered" in caplog.text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, (LAN, True)), (599, (LAN, True)), (601, (LAN, False)), (4199, (LAN, False)), (4201, None)],
)
def test_an_owner_goes_on_ageing_while_the_service_is_down(path, clock, seconds, expected):
    remember(path, call(), wall_clock=clock)
    clock.advance(seconds)
    assert remembered(path, call(), clock) == expected


def test_the_answer_nobody_takes_the_former_owner_out_of_the_file(path):
    remember(path, call(1), call(2))
    with life(path) as (cache, _):
        cache.put(call(1), ())
    assert remembered(path, call(1)) is None
    assert remembered(path, call(2)) == (LAN, True)


def test_what_a_source_has_in_the_file_stays_while_another_with_other_settings_is_tried_and_forgotten(path):
    remember(path, call(1))
    ours, tried, store = AnswerCache(SETTINGS), AnswerCache(SETTINGS), CacheFile(path)
    store.keep("crm", ours)
    store.keep("crm with another token", tried)
    store.start()
    with closing(store):
        assert store.wait_until_loaded(30)
        tried.put(call(2), LAN)
        until(lambda: rows(path) == 2)
        store.forget(tried)
        tried.put(call(3), LAN)
        ours.put(call(4), LAN)
        until(lambda: rows(path) == 3)
    assert remembered(path, call(3), identity="crm with another token") is None
    assert remembered(path, call(4)) is None, "the other life has tidied up"


def test_the_last_answer_is_the_one_that_is_kept(path):
    other = LAN[:1]
    with life(path) as (cache, _):
        for owners in (LAN, (), other):
            cache.put(call(), owners)
    assert remembered(path, call()) == (other, True)


def test_what_is_learned_during_the_load_is_not_replaced_by_what_was_kept(path):
    remember(path, call())
    with life(path) as (cache, _):
        cache.put(call(), LAN[:1])
        cache.restore(call(), LAN, 0.0)
        assert cache.get(call()).owners == LAN[:1]


def test_the_file_is_nobody_elses_business(path):
    remember(path, call())
    path.chmod(0o644)
    with life(path) as (cache, _):
        cache.put(call(1), LAN)
        until(lambda: rows(path) == 2)
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_an_empty_file_that_somebody_made_beforehand_is_nobody_elses_business_either(path):
    for made in (path, Path(f"{path}-wal")):
        made.touch()
        made.chmod(0o666)
    with life(path) as (cache, _):
        cache.put(call(1), LAN)
        until(lambda: rows(path) == 1)
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_file_that_others_may_read_for_good_is_not_written(path, monkeypatch):
    path.touch()
    path.chmod(0o644)

    def refuse(_file, _mode, **_options):
        raise PermissionError  # it is another user's

    monkeypatch.setattr(os, "chmod", refuse)
    with life(path) as (cache, store):
        cache.put(call(1), LAN)
        until(lambda: store.trouble)
        assert store.trouble == (
            f"{path}: others may read it, and this user cannot change that: delete it, or choose another path"
        )
    assert path.stat().st_size == 0


# --- the file is not what it was


def cut_to(size):
    return lambda whole: whole[:size]


def flip(at):
    return lambda whole: whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]


DAMAGES = {
    "text": lambda whole: whole[:100] + b"phone,extension\n0901234567,101\n" * 500,
    "noise": lambda whole: whole[:100] + bytes(range(256)) * 100,
    "zeros": lambda whole: bytes(len(whole)),
    "cut behind the header": cut_to(100),
    "cut to a page": cut_to(4096),
    "cut in a page": cut_to(9000),
    "magic": flip(0),
    "schema": lambda whole: whole.replace(b"CREATE TABLE answers", b"CREATE TABLE another"),
    "an owner": lambda whole: whole.replace(b'"0101"', b'"0102"'),
    "not UTF-8": lambda whole: whole.replace(b"lan@", b"l\xffn@"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_moved_aside_with_a_word_and_another_one_begun(path, damage, caplog):
    remember(path, *map(call, range(100)))
    whole = path.read_bytes()
    wrong = damage(whole)
    assert wrong != whole
    path.write_bytes(wrong)
    with life(path) as (cache, store):
        for number in range(1000):
            found = cache.get(call(number))
            assert found is None or (found.owners == LAN and number < 100)
        assert store.trouble == ""
        cache.put(call(5000), LAN)
    assert caplog.text.count("is damaged") == 1
    assert [file.read_bytes() for file in damaged(path)] == [wrong]
    assert remembered(path, call(5000)) == (LAN, True)


def test_a_row_whose_caller_has_become_another_is_nobodys(path):
    remember(path, *map(call, range(100)))
    path.write_bytes(path.read_bytes().replace(b"+84900000003", b"+84900000903"))
    assert remembered(path, call(903)) is None
    assert remembered(path, call(3)) is None


def test_no_file_that_was_moved_aside_before_is_deleted_or_replaced(path):
    wrong = []
    for number in range(3):  # within a second, mostly
        remember(path, call(number))
        wrong.append(path.read_bytes()[:100] + b"%d" % number * 1000)
        path.write_bytes(wrong[-1])
        assert remembered(path, call(number)) is None
    assert sorted(file.read_bytes() for file in damaged(path)) == sorted(wrong)


FOREIGN = {"text": b"phone,extension\n0901234567,101\n" * 5, "noise": bytes(range(256)), "word": b"x"}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("way", ["itself", "a link", "another name"])
def test_a_file_that_we_did_not_make_is_left_alone_however_it_is_named(path, content, way):
    theirs = path.with_name("customers.csv") if way != "itself" else path
    theirs.write_bytes(content)
    if way != "itself":
        (path.symlink_to if way == "a link" else path.hardlink_to)(theirs)
    before = {file.name: file.lstat() for file in path.parent.iterdir()}
    with life(path) as (cache, store):
        cache.put(call(), LAN)
        until(lambda: store.trouble)
        assert "there is a file that omi-bridge did not make, and it is left alone" in store.trouble
    assert theirs.read_bytes() == content
    after = {file.name: file.lstat() for file in path.parent.iterdir()}
    assert {name: (one.st_ino, one.st_mode, one.st_mtime) for name, one in after.items()} == {
        name: (one.st_ino, one.st_mode, one.st_mtime) for name, one in before.items()
    }


def test_a_foreign_file_that_takes_the_place_while_the_service_runs_is_left_alone(path):
    with life(path) as (cache, store):
        cache.put(call(1), LAN)
        until(lambda: rows(path) == 1)
        path.unlink()
        path.write_bytes(b"phone,owner\n")
        cache.put(call(2), LAN)
        until(lambda: "did not make" in store.trouble)
    assert path.read_bytes() == b"phone,owner\n"


def test_a_file_that_is_damaged_while_the_service_runs_is_begun_anew(path, caplog):
    with life(path) as (cache, _):
        cache.put(call(1), LAN)
        until(lambda: rows(path) == 1)
        with closing(sqlite3.connect(path)) as db:
            db.execute("DROP TABLE answers")
        cache.put(call(2), LAN)
        until(lambda: "is damaged" in caplog.text and damaged(path) and rows(path) == 1)
        assert cache.get(call(1)).owners == LAN
    assert remembered(path, call(2)) == (LAN, True)


def test_a_file_that_is_deleted_while_the_service_runs_is_begun_anew(path, caplog):
    with life(path) as (cache, store):
        cache.put(call(1), LAN)
        until(lambda: rows(path) == 1)
        path.unlink()
        cache.put(call(2), LAN)
        until(lambda: rows(path) == 1)
        assert store.trouble == ""
    assert "deleted or replaced" in caplog.text
    assert remembered(path, call(2)) == (LAN, True)


def newer(path):
    remember(path, call())
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 2")


def somebody_elses(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE customers (id)")


@pytest.mark.parametrize(("make", "words"), [(newer, "a newer omi-bridge"), (somebody_elses, "another program's")])
def test_a_database_that_is_not_ours_is_left_alone(path, make, words, caplog):
    make(path)
    before = path.read_bytes()
    with life(path) as (cache, store):
        cache.put(call(1), LAN)
        assert cache.get(call(1)).owners == LAN
        assert words in store.trouble
    assert path.read_bytes() == before
    assert words in caplog.text
    assert damaged(path) == []


# --- the disk does not do what it should


@contextmanager
def without_rights(folder):
    """Nobody is above the rights of files: let root be somebody else meanwhile."""
    folder.chmod(0o500)
    try:
        with as_nobody():
            yield
    finally:
        folder.chmod(0o700)


def test_a_file_that_may_not_be_written_is_said_once_and_costs_no_call(path, caplog):
    with without_rights(path.parent), life(path) as (cache, store):
        cache.put(call(), LAN)
        assert cache.get(call()).owners == LAN
        assert "Permission denied" in store.trouble
    assert caplog.text.count("will not survive a restart") == 1
    assert caplog.text.count("Permission denied") == 1


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("missing/file")])
def test_what_is_no_file_is_not_used_and_not_touched(path, make, caplog):
    make(path)
    with life(path) as (cache, store):
        cache.put(call(), LAN)
        assert cache.get(call()).owners == LAN
        assert store.trouble
    assert caplog.text.count("will not survive a restart") == 1
    assert [file.name for file in path.parent.iterdir()] == ["answers.db"]


def test_what_could_not_be_written_is_written_when_it_can_be(path, caplog):
    caplog.set_level(logging.INFO)
    path.mkdir()
    with life(path) as (cache, store):
        cache.put(call(), LAN)
        path.rmdir()
        until(lambda: not store.trouble)
    assert "is in use again; 0 entries are missing" in caplog.text
    assert remembered(path, call()) == (LAN, True)


FULL = """
import logging, resource, sys
from pathlib import Path
from tests.support.kept import LAN, call, life, until
logging.basicConfig(level=logging.INFO)
path, room = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
with life(path) as (cache, store):
    for number in range(5000):
        cache.put(call(number), LAN)
    until(lambda: store.trouble)
    assert cache.get(call(4999)).owners == LAN
    print("trouble:", store.trouble)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: not store.trouble)
"""


@pytest.mark.parametrize("room", [0, 4096, 100_000])
def test_a_full_disk_costs_no_call_and_what_was_learned_is_written_when_there_is_room(path, room):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(room)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "trouble:" in done.stdout
    assert "full" in done.stdout
    assert done.stderr.count("will not survive a restart") <= 2  # SQLite has two words for it
    assert "in use again; 0 entries are missing" in done.stderr
    with life(path) as (cache, _):
        assert len(cache) == 5000
    assert damaged(path) == []


def test_a_locked_file_holds_nobody_up_and_is_written_afterwards(path):
    with life(path) as (cache, _):
        with closing(sqlite3.connect(path, isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            for number in range(1000):
                cache.put(call(number), LAN)
            assert cache.get(call(999)).owners == LAN
            assert rows(path) == 0
        until(lambda: rows(path) == 1000)


def test_as_long_as_nothing_can_be_written_the_newest_answers_are_held_and_the_others_counted(path, caplog):
    caplog.set_level(logging.INFO)
    path.mkdir()
    with life(path) as (cache, store):
        for number in range(30_000):
            cache.put(call(number), LAN)
        until(lambda: store.trouble)
        path.rmdir()
        until(lambda: not store.trouble)
    assert "in use again; 10000 entries are missing" in caplog.text
    assert rows(path) == 20_000
    assert remembered(path, call(29_999)) == (LAN, True)


# --- the clock is stepped


def test_an_owner_from_the_future_is_past_his_life_and_ends_like_every_other(path, clock):
    remember(path, call(), wall_clock=clock)
    clock.advance(-365 * 86400)
    assert remembered(path, call(), clock) == (LAN, False)
    clock.advance(3599)
    assert remembered(path, call(), clock) == (LAN, False)
    clock.advance(2)
    assert remembered(path, call(), clock) is None
    assert rows(path) == 0


@pytest.mark.parametrize("now", [0.0, -1.0, 4e9, 1e300])
def test_no_clock_is_too_absurd(path, clock, now, caplog):
    remember(path, call(), wall_clock=clock)
    clock.now = now
    with life(path, clock) as (cache, store):
        cache.put(call(1), LAN)
        assert cache.get(call(1)).fresh
    assert (store.trouble, caplog.text) == ("", "")
    found = remembered(path, call(1), clock)
    assert found == (LAN, True)


def test_stepping_the_clock_while_the_service_runs_changes_nothing_that_it_remembers(path, clock):
    with life(path, clock) as (cache, _):
        for step in (0, 10**9, -(10**9)):
            clock.advance(step)
            cache.put(call(abs(step)), LAN)
        assert all(cache.get(call(number)).fresh for number in (0, 10**9))


# --- whose answers they are, and how many


def test_what_another_source_said_is_neither_used_nor_left_in_the_file(path):
    remember(path, call(), identity="the old CRM")
    assert remembered(path, call(), identity="the new CRM") is None
    assert rows(path) == 0
    assert remembered(path, call(), identity="the old CRM") is None


def test_the_newest_of_too_many_are_remembered_and_the_others_leave_the_file(path, clock):
    with life(path, clock) as (cache, _):
        for number in range(30):
            clock.advance(1)
            cache.put(call(number), LAN)
    few = Cache.model_validate({**SETTINGS.model_dump(), "max_entries": 10})
    with life(path, clock, settings=few) as (cache, _):
        assert [number for number in range(30) if cache.get(call(number))] == list(range(20, 30))
        cache.put(call(99), LAN)
        assert cache.get(call(20)) is not None or cache.get(call(21)) is not None
    remembered(path, call(), clock, settings=few)
    assert rows(path) <= 10


def test_the_oldest_makes_room_after_a_restart_too(path, clock):
    few = Cache.model_validate({**SETTINGS.model_dump(), "max_entries": 3})
    with life(path, clock, settings=few) as (cache, _):
        for number in range(3):
            clock.advance(1)
            cache.put(call(number), LAN)
    with life(path, clock, settings=few) as (cache, _):
        cache.put(call(3), LAN)
        assert [bool(cache.get(call(number))) for number in range(4)] == [False, True, True, True]


# --- processes


WRITER = """
import sys
from pathlib import Path
from tests.support.kept import LAN, call, life
first = int(sys.argv[2])
with life(Path(sys.argv[1])) as (cache, store):
    for number in range(first, first + 200):
        cache.put(call(number), LAN)
assert not store.trouble, store.trouble
"""


@pytest.mark.parametrize("left_behind", [b"", bytes(600)], ids=["new", "damaged"])
def test_several_processes_begin_and_share_one_file(path, left_behind):
    path.write_bytes(left_behind)
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(first)], stderr=subprocess.PIPE, text=True)
        for first in range(0, 800, 200)
    ]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    with life(path) as (cache, _):
        assert len(cache) == 800


KILLED = """
import itertools, sys
from pathlib import Path
from tests.support.kept import LAN, call, life, rows, until
path = Path(sys.argv[1])
with life(path) as (cache, store):
    cache.put(call(0), LAN)
    until(lambda: rows(path) == 1)
    print("written", flush=True)
    for number in itertools.count(1):
        cache.put(call(number % 10**6), LAN)
        if number % 50_000 == 0:
            print(number, flush=True)
"""


def test_a_process_killed_while_it_writes_leaves_a_good_file(path, caplog):
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        assert process.stdout.readline() == "50000\n"
        process.kill()
    assert remembered(path, call(0)) == (LAN, True)
    assert "damaged" not in caplog.text


def test_a_call_whose_number_is_kept_is_the_same_call_again(path):
    foreign = Call(PhoneNumber("+4915112345678"), PhoneNumber(HOTLINE))
    remember(path, foreign)
    assert remembered(path, foreign) == (LAN, True)
