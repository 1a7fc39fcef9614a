import logging
import sqlite3
import threading
from contextlib import closing

import pytest

from bridge.storage.sqlite_file import transaction
from bridge.storage.write_behind import Terms, WriteBehind
from tests.support.kept import until

TERMS = Terms("words are not kept", 3, 0.0, 0.01, 0.01)


class Words:
    """A table of words."""

    APPLICATION = 0x576F7264
    VERSION = 1

    def __init__(self, db):
        self.db = db
        db.execute(f"PRAGMA application_id = {self.APPLICATION}")
        db.execute("CREATE TABLE IF NOT EXISTS words (word)")

    def add(self, words):
        with transaction(self.db):
            self.db.executemany("INSERT INTO words VALUES (?)", [(word,) for word in words])


def words_in(path):
    with closing(sqlite3.connect(path)) as db:
        return [word for (word,) in db.execute("SELECT word FROM words")]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "words.db"


@pytest.fixture
def behind(path):
    made = []

    def make(write=Words.add, terms=TERMS, **more):
        made.append(WriteBehind(path, Words, write, terms, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_was_heard_before_the_start_and_until_the_end_is_written(behind, path):
    written = behind()
    written.hear("one")
    written.start()
    written.hear("two")
    written.close()
    assert words_in(path) == ["one", "two"]


def test_nobody_waits_for_a_disk_that_hangs_and_what_comes_together_is_written_together(behind):
    gate, begun, together = threading.Event(), threading.Event(), []

    def write(_table, news):
        together.append(list(news))
        begun.set()
        assert gate.wait(10)

    written = behind(write)
    written.start()
    assert begun.wait(10)
    for word in ("one", "two"):
        written.hear(word)
    gate.set()
    written.close()
    assert together[:2] == [[], ["one", "two"]]


def test_as_long_as_the_file_cannot_be_used_the_newest_are_held_and_the_others_counted(behind, path, caplog):
    caplog.set_level(logging.INFO)
    path.mkdir()
    written = behind()
    written.start()
    until(lambda: written.trouble)
    for word in ("one", "two", "three", "four", "five"):
        written.hear(word)
    path.rmdir()
    until(lambda: not written.trouble)
    written.close()
    assert words_in(path) == ["three", "four", "five"]
    assert [line for line in caplog.messages if "not kept" in line] == [f"words are not kept: {path}: it is no file"]
    assert f"{path} is in use again; 2 entries are missing in it" in caplog.messages


def test_a_damaged_file_is_moved_aside_and_the_news_go_to_a_new_one(behind, path, caplog):
    path.write_bytes(bytes(7000))
    written = behind()
    written.hear("one")
    written.start()
    written.close()
    assert words_in(path) == ["one"]
    assert "is damaged" in caplog.text
    assert len(list(path.parent.glob("words.db.damaged-*"))) == 1


def test_a_bug_is_told_with_its_traceback_drops_what_brought_it_and_ends_nothing(behind, path, caplog):
    failures = []

    def write(table, news):
        if "bad" in news:
            raise ZeroDivisionError
        table.add(news)

    written = behind(write, after=failures.append)
    written.hear("bad")
    written.start()
    until(lambda: failures)
    written.hear("good")
    written.close()
    assert words_in(path) == ["good"]
    assert isinstance(failures[0], ZeroDivisionError)
    assert failures[-1] is None
    assert "a bug of omi-bridge: ZeroDivisionError\nTraceback" in caplog.text


def test_one_that_was_never_started_touches_no_disk(behind, path):
    written = behind()
    written.hear("one")
    written.close()
    assert not path.exists()
