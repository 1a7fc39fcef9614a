import math
import queue
import threading
from collections.abc import Callable

import pytest

from bridge.sdk import BackgroundLoop
from bridge.sdk.threads.background import start_what_waits
from tests.support.rounds import Rounds


class Work:
    """What a loop does; a test sees when, and says what comes of it."""

    def __init__(self, *pauses: float | Exception | None) -> None:
        self._pauses = list(pauses)
        self.done: queue.Queue[str] = queue.Queue()

    def __call__(self) -> float | None:
        self.done.put("done")
        pause = self._pauses.pop(0) if self._pauses else math.inf
        if isinstance(pause, Exception):
            raise pause
        return pause

    def wait(self) -> None:
        assert self.done.get(timeout=10)

    def ended(self) -> None:
        self.done.put("ended")


def thread_of(name: str) -> threading.Thread | None:
    return next((thread for thread in threading.enumerate() if thread.name == name), None)


@pytest.fixture
def loop_of():
    made: list[BackgroundLoop] = []

    def make(work: Callable[[], float | None], **more: object) -> BackgroundLoop:
        made.append(BackgroundLoop("loop-under-test", work, **more))
        return made[-1]

    yield make
    for loop in made:
        loop.close()
    assert thread_of("loop-under-test") is None


def test_no_thread_is_there_before_the_start_and_none_keeps_the_process(loop_of):
    work = Work()
    loop = loop_of(work)
    assert (loop.is_running, thread_of("loop-under-test")) == (False, None)
    loop.start()
    work.wait()
    assert loop.is_running
    assert thread_of("loop-under-test").daemon


def test_the_pauses_are_those_that_the_work_asks_for_and_none_ahead_of_the_first(loop_of):
    rounds, pauses, work = Rounds(), [], Work(2.0, 5.0)
    loop = loop_of(work, wait=lambda seconds: pauses.append(seconds) or rounds(seconds))
    loop.start()
    rounds.step(1)
    rounds.end()
    loop.close()
    assert pauses == [2.0, 5.0]
    assert work.done.qsize() == 2


def test_a_start_may_be_put_off_and_a_second_one_makes_no_second_thread(loop_of):
    work = Work()
    loop = loop_of(work)
    loop.start(after=math.inf)
    loop.start(after=math.inf)
    assert sum(thread.name == "loop-under-test" for thread in threading.enumerate()) == 1
    loop.wake()
    work.wait()
    assert work.done.empty()


def test_whoever_wakes_it_has_the_work_done_at_once(loop_of):
    work = Work(3600.0, 3600.0)
    loop = loop_of(work)
    loop.start()
    work.wait()
    loop.wake()
    work.wait()


def test_close_ends_a_long_pause_and_does_the_last_work(loop_of):
    work = Work(3600.0)
    loop = loop_of(work, at_end=work.ended)
    loop.start()
    work.wait()
    loop.close()
    assert loop.is_closing
    assert work.done.get_nowait() == "ended"


def test_close_waits_no_longer_than_it_may_for_work_that_hangs(loop_of):
    gate, begun = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        assert gate.wait(10)

    loop = loop_of(hang)
    loop.start()
    assert begun.wait(10)
    loop.close(patience=0.01)
    assert thread_of("loop-under-test") is not None
    gate.set()


def test_work_that_is_done_ends_the_thread(loop_of):
    done = queue.Queue()
    loop_of(Work(None), at_end=lambda: done.put("ended")).start()
    assert done.get(timeout=10) == "ended"


def test_a_closed_one_does_not_begin(loop_of):
    work = Work()
    loop = loop_of(work)
    loop.close()
    loop.start()
    assert (loop.is_running, work.done.empty()) == (False, True)


def test_a_bug_ends_nothing_and_each_kind_is_told_once(loop_of, caplog):
    rounds = Rounds()
    work = Work(ValueError("one"), ValueError("one again"), KeyError("two"), 1.0, KeyError("three"))
    loop = loop_of(work, wait=rounds)
    loop.start()
    rounds.step(4)
    rounds.end()
    loop.close()
    told = [record.exc_info[0] for record in caplog.records]
    assert told == [ValueError, KeyError, KeyError]
    assert {record.message for record in caplog.records} == {"a bug of omi-bridge in loop-under-test"}


def test_work_that_finds_no_thread_begins_when_there_is_one(monkeypatch, caplog):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    work = Work(None)
    loop = BackgroundLoop("watch", work)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    loop.start()
    start_what_waits()
    assert not loop.is_running
    assert "watch has to wait, for no thread can be started: can't start new thread" in caplog.messages
    monkeypatch.undo()
    start_what_waits()
    work.wait()
