import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.sdk.deadline import Clock
from bridge.sdk.errors import SourceUnavailable, UnexpectedAnswer
from bridge.sdk.files.watched_file import WatchedFile
from tests.support.fakes import FakeClock
from tests.support.rounds import Rounds


def never(_seconds: float) -> bool:
    """Wait no time, and end the thread: the test polls by itself."""
    return True


def text_of(path: Path) -> str:
    text = path.read_text()
    if "bad" in text:
        raise UnexpectedAnswer(f"{path.name}: {text}")
    return text


def watch(
    path: Path, load: Callable[[Path], str] = text_of, *, max_age: float | None = None, wall_clock: Clock = time.time
) -> WatchedFile[str]:
    watched = WatchedFile(path, load, max_age=max_age, wait=never, wall_clock=wall_clock)
    watched.start()
    return watched


def settle(watched: WatchedFile[str]) -> None:
    """Let the file be seen changed, and then standing still."""
    watched.poll()
    watched.poll()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("one")
    return path


def test_the_file_is_read_at_the_start_without_waiting(path: Path) -> None:
    assert watch(path).current() == "one"


def test_the_age_is_that_of_the_content_in_force_and_never_negative(path: Path) -> None:
    now = FakeClock()
    os.utime(path, (940, 940))
    watched = watch(path, wall_clock=now)
    assert watched.age() == 60.0
    now.now = 900.0
    assert watched.age() == 0.0
    now.now = 1000.0
    path.write_text("bad")
    os.utime(path, (990, 990))
    settle(watched)
    assert watched.age() == 60.0
    path.write_text("good")
    os.utime(path, (995, 995))
    settle(watched)
    assert watched.age() == 5.0


def test_a_file_that_is_not_written_any_more_is_a_trouble_until_it_is_written_again(path: Path) -> None:
    now = FakeClock()
    os.utime(path, (1000, 1000))
    watched = watch(path, max_age=26 * 3600.0, wall_clock=now)
    now.advance(26 * 3600)
    assert watched.trouble == ""
    now.advance(7200)
    assert watched.trouble == (
        "people.csv: was last written 28 hours ago, and max_age is 26h: does what writes it still run? What it holds "
        "stays in force"
    )
    assert watched.current() == "one"
    now.advance(5 * 86400)
    assert "6 days ago" in watched.trouble
    os.utime(path, (now(), now()))
    settle(watched)
    assert watched.trouble == ""


def test_a_file_may_be_as_old_as_it_likes_where_nothing_else_is_said(path: Path) -> None:
    now = FakeClock()
    os.utime(path, (1000, 1000))
    watched = watch(path, wall_clock=now)
    now.advance(10**9)
    assert watched.trouble == ""


def test_what_was_never_read_has_no_age(tmp_path: Path) -> None:
    assert watch(tmp_path / "missing.csv").age() is None


def test_a_file_that_has_not_changed_is_not_read_again(path: Path) -> None:
    reads = []
    watched = watch(path, lambda path: reads.append(path) or "read")  # type: ignore[func-returns-value]
    settle(watched)
    settle(watched)
    assert len(reads) == 1


def test_a_changed_file_is_read_after_it_has_stood_still(path: Path) -> None:
    watched = watch(path)
    path.write_text("half")
    watched.poll()
    path.write_text("whole, two")
    watched.poll()
    assert watched.current() == "one"
    watched.poll()
    assert watched.current() == "whole, two"


def test_a_file_put_in_its_place_is_noticed_though_size_and_time_are_the_same(path: Path, tmp_path: Path) -> None:
    watched = watch(path)
    times = path.stat()
    (tmp_path / "new").write_text("two")
    os.utime(tmp_path / "new", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "new").replace(path)
    settle(watched)
    assert watched.current() == "two"


def test_a_bad_file_leaves_the_last_good_one_in_force_and_says_so_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    watched = watch(path)
    path.write_text("bad")
    settle(watched)
    settle(watched)
    assert watched.current() == "one"
    assert caplog.messages == ["people.csv: bad; the last good version stays in force"]
    path.write_text("bad again")
    settle(watched)
    path.write_text("three")
    settle(watched)
    assert watched.current() == "three"
    assert caplog.messages[1:] == [
        "people.csv: bad again; the last good version stays in force",
        "people.csv: is good again",
    ]


def test_a_deleted_file_leaves_the_last_good_one_in_force_and_says_so_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(path)
    path.unlink()
    settle(watched)
    settle(watched)
    assert watched.current() == "one"
    assert caplog.messages == [f"people.csv: there is no such file: {path}; the last good version stays in force"]
    path.write_text("second")
    settle(watched)
    assert watched.current() == "second"


def test_a_moment_without_file_while_it_is_replaced_is_not_worth_a_word(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = watch(path)
    path.unlink()
    watched.poll()
    path.write_text("second")
    settle(watched)
    assert watched.current() == "second"
    assert not caplog.messages


def test_without_a_good_file_from_the_start_the_reason_is_told_until_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    watched = watch(path)
    with pytest.raises(SourceUnavailable, match=r"people\.csv: there is no such file"):
        watched.current()
    path.write_text("bad")
    settle(watched)
    with pytest.raises(SourceUnavailable, match=r"people\.csv: bad"):
        watched.current()
    path.write_text("one")
    settle(watched)
    assert watched.current() == "one"


def test_a_file_that_changes_while_it_is_read_is_not_used(path: Path) -> None:
    def load(path: Path) -> str:
        text = path.read_text()
        if text == "second":
            path.write_text("second and a half")
        return text

    watched = watch(path, load)
    path.write_text("second")
    settle(watched)
    assert watched.current() == "one"
    settle(watched)
    assert watched.current() == "second and a half"


def test_a_file_that_could_not_be_read_is_tried_again_though_it_has_not_changed(path: Path) -> None:
    failures = [SourceUnavailable("people.csv: the network is away")]

    def load(path: Path) -> str:
        if failures:
            raise failures.pop()
        return path.read_text()

    watched = watch(path, load)
    with pytest.raises(SourceUnavailable, match="network"):
        watched.current()
    watched.poll()
    assert watched.current() == "one"


def test_a_file_that_does_not_fit_is_not_read_again_before_it_changes(path: Path) -> None:
    reads = []

    def load(path: Path) -> str:
        reads.append(path)
        raise UnexpectedAnswer("no")

    watched = watch(path, load)
    settle(watched)
    assert len(reads) == 1


def test_what_is_not_accepted_beside_the_content_in_force_is_not_used(path: Path) -> None:
    def accept(old: str, new: str) -> None:
        if len(new) < len(old):
            raise UnexpectedAnswer(f"shrunk from {old} to {new}")

    watched = WatchedFile(path, text_of, accept=accept, wait=never)
    watched.start()
    path.write_text("1")
    settle(watched)
    assert watched.current() == "one"
    path.write_text("four")
    settle(watched)
    assert watched.current() == "four"


def test_a_content_is_announced_once_it_is_in_force_and_not_before(path: Path) -> None:
    def accept(old: str, new: str) -> None:
        if len(new) < len(old):
            raise UnexpectedAnswer("shrunk")

    announced: list[tuple[str, str]] = []
    watched = WatchedFile(
        path, text_of, accept=accept, announce=lambda text: announced.append((text, watched.current())), wait=never
    )
    watched.start()
    for text in ("1", "bad, and long", "four"):
        path.write_text(text)
        settle(watched)
    settle(watched)
    assert announced == [("one", "one"), ("four", "four")]


def test_a_bug_in_the_loading_does_not_end_the_watching(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = watch(path, lambda path: str(10 // len(path.read_text())))
    path.write_text("")
    settle(watched)
    assert watched.current() == "3"
    assert "ZeroDivisionError" in caplog.text
    path.write_text("12")
    settle(watched)
    assert watched.current() == "5"


def test_a_file_that_never_stands_still_is_complained_about(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = watch(path)
    for size in range(70):
        path.write_text("x" * (10 + size))
        watched.poll()
    assert watched.current() == "one"
    assert len(caplog.messages) == 1
    assert "keeps changing" in caplog.text


def test_the_thread_watches_until_it_is_closed(path: Path) -> None:
    rounds = Rounds()
    watched = WatchedFile(path, text_of, wait=rounds)
    watched.start()
    watched.start()
    path.write_text("second")
    rounds.step(2)
    assert watched.current() == "second"
    rounds.end()
    watched.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "watch people.csv"]


def test_closing_ends_a_real_wait_at_once(path: Path) -> None:
    watched = WatchedFile(path, text_of)
    watched.start()
    watched.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "watch people.csv"]


def test_nobody_who_asks_waits_for_the_reading(path: Path) -> None:
    reading, finish = threading.Event(), threading.Event()

    def load(path: Path) -> str:
        text = path.read_text()
        if text == "second":
            reading.set()
            assert finish.wait(10)
        return text

    rounds = Rounds()
    watched = WatchedFile(path, load, wait=rounds)
    watched.start()
    path.write_text("second")
    rounds.step()
    stepping = threading.Thread(target=rounds.step)
    stepping.start()
    assert reading.wait(10)
    assert watched.current() == "one"
    finish.set()
    stepping.join()
    assert watched.current() == "second"
    rounds.end()
    watched.close()


def test_a_file_is_unsettled_until_it_was_read_once_while_it_stood_still(path: Path) -> None:
    watched = WatchedFile(path, text_of, wait=never)
    assert watched.unsettled == ""
    watched.start()
    assert watched.unsettled == "people.csv", "it was written just now"
    path.write_text("more")
    watched.poll()
    assert watched.unsettled == "people.csv"
    watched.poll()
    assert (watched.current(), watched.unsettled) == ("more", "")
    path.write_text("even more")
    watched.poll()
    assert watched.unsettled == "", "from then on it is replaced as a whole"


def test_a_file_that_was_written_long_ago_is_settled_at_the_start(path: Path) -> None:
    os.utime(path, (1000, 1000))
    assert watch(path).unsettled == ""


def test_a_file_that_changes_while_it_is_read_is_unsettled(path: Path) -> None:
    os.utime(path, (1000, 1000))

    def write_while_reading(path: Path) -> str:
        path.write_text("other")
        os.utime(path, (2000, 2000))
        return "one"

    assert watch(path, write_while_reading).unsettled == "people.csv"
