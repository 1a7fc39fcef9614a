"""Code that ought to come back at once: what comes of it, and where it stands if it does not."""

import re
import threading

import pytest

from bridge.sdk.threads.limit import Hangs, within

PATIENCE = 0.1


def fail():
    raise SystemExit(7)


def test_what_comes_back_in_time_is_returned_and_what_it_raises_is_raised():
    assert within(10, "trial", lambda: 7) == 7
    with pytest.raises(SystemExit, match="7"):
        within(10, "trial", fail)


def test_a_timeout_of_its_own_is_no_hanging():
    def time_out():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        within(10, "trial", time_out)


def test_what_does_not_come_back_is_left_behind_and_the_place_is_named_in_the_code_of_whoever_waits():
    released = threading.Event()

    def hang():
        return released.wait(10)

    try:
        with pytest.raises(Hangs) as hangs:
            within(PATIENCE, "trial", hang)
    finally:
        released.set()
    assert re.fullmatch(rf"test_limit\.py:{hang.__code__.co_firstlineno + 1}", str(hangs.value))


def test_without_a_thread_to_be_had_it_is_done_all_the_same(monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert within(PATIENCE, "trial", lambda: 7) == 7
