import threading
from functools import partial

import pytest

from bridge.sdk.threads import timer as timers
from bridge.sdk.threads.timer import Timer
from tests.support.kept import until


def test_what_is_planned_is_done_in_the_order_of_its_time():
    timer, done, all_done = Timer("source-silent"), [], threading.Event()
    timer.after(0.03, all_done.set)
    timer.after(0.02, partial(done.append, "second"))
    timer.after(0.01, partial(done.append, "first"))
    assert all_done.wait(10)
    assert done == ["first", "second"]


def test_what_is_cancelled_is_not_done_and_keeps_nothing_else_from_its_time():
    timer, done, later = Timer("source-silent"), [], threading.Event()
    cancelled = timer.after(0.01, partial(done.append, "cancelled"))
    cancelled.cancel()
    timer.after(0.02, later.set)
    assert later.wait(10)
    assert done == []


def test_a_bug_in_one_thing_is_told_and_keeps_nothing_else_from_its_time(caplog):
    timer, later = Timer("source-silent"), threading.Event()
    timer.after(0.0, partial(int, "no number"))
    timer.after(0.01, later.set)
    assert later.wait(10)
    assert "a bug of omi-bridge in source-silent" in caplog.text


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "source-of-this-test"]


def test_one_thread_does_it_all_ends_when_there_is_nothing_more_and_begins_again(monkeypatch):
    monkeypatch.setattr(timers, "_IDLE", 0.01)
    timer, gate, reached = Timer("source-of-this-test"), threading.Event(), threading.Event()
    for _ in range(2):
        gate.clear(), reached.clear()
        timer.after(0.0, lambda: (reached.set(), gate.wait(10)))
        for _ in range(20):
            timer.after(0.0, lambda: None)
        assert reached.wait(10)
        assert len(threads()) == 1
        gate.set()
        until(lambda: not threads())


def test_without_a_thread_nothing_is_planned(monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    timer, done = Timer("source-silent"), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            timer.after(0.0, partial(pytest.fail, "it was told that it cannot be"))
    timer.after(0.0, done.set)
    assert done.wait(10)


def test_who_is_closed_does_nothing_more_and_leaves_no_thread():
    timer, done = Timer("source-of-this-test"), []
    timer.after(0.05, partial(done.append, "late"))
    timer.close()
    until(lambda: not threads())
    timer.after(0.0, partial(done.append, "asked for afterwards"))
    until(lambda: done and not threads())
    assert done == ["asked for afterwards"]
