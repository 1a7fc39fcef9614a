import os
import threading

import pytest

from bridge.sdk.threads.kept_threads import KEPT_THREADS, KeptThreads
from tests.support.kept import until


@pytest.fixture
def work():
    return Work()


class Work:
    """Says in which thread it is done."""

    def __init__(self):
        self.seen, self.done = [], threading.Semaphore(0)

    def __call__(self):
        me = threading.current_thread()
        self.seen.append((me.ident, me.name))
        self.done.release()


def idle(ident):
    return any(thread.ident == ident and thread.name == "idle" for thread in threading.enumerate())


def test_who_has_done_his_work_does_what_comes_next_under_its_name(work):
    threads = KeptThreads(idle=10)
    for name in ("source-crm", "source-erp"):
        threads.start(name, work)
        assert work.done.acquire(timeout=10)
        until(lambda: idle(work.seen[-1][0]))
    (first, second) = work.seen
    assert (first[1], second[1]) == ("source-crm", "source-erp")
    assert first[0] == second[0]


def test_no_more_threads_stay_than_are_needed_however_often_there_is_work(work):
    threads, gate, begun = KeptThreads(idle=0.2), threading.Event(), threading.Semaphore(0)
    for _ in range(20):
        threads.start("source-crm", lambda: (begun.release(), gate.wait(10)))
    for _ in range(20):
        assert begun.acquire(timeout=10)
    gate.set()
    until(lambda: sum(thread.name == "idle" for thread in threading.enumerate()) >= 20)

    def is_one_left():
        threads.start("source-crm", work)
        assert work.done.acquire(timeout=10)
        return len(threads._waiting) <= 1  # noqa: SLF001 - those of other tests have other names for a while

    until(is_one_left)


def test_nobody_waits_for_another_s_work(work):
    threads, gate = KeptThreads(idle=0.01), threading.Event()
    for _ in range(20):
        threads.start("source-crm", lambda: gate.wait(10))
        threads.start("source-crm", work)
        assert work.done.acquire(timeout=10)
    gate.set()


def test_who_waits_in_vain_ends(work):
    threads = KeptThreads(idle=0.01)
    threads.start("source-crm", work)
    assert work.done.acquire(timeout=10)
    until(lambda: work.seen[0][0] not in {thread.ident for thread in threading.enumerate()})
    threads.start("source-crm", work)
    assert work.done.acquire(timeout=10)


def test_work_that_comes_as_somebody_is_about_to_end_is_done(work):
    threads = KeptThreads(idle=0.0)
    for _ in range(500):
        threads.start("source-crm", work)
        assert work.done.acquire(timeout=10)


def test_a_bug_in_the_work_keeps_nobody_else_waiting(work, monkeypatch):
    threads, bugs = KeptThreads(idle=10), threading.Semaphore(0)
    monkeypatch.setattr(threading, "excepthook", lambda _: bugs.release())
    threads.start("source-crm", lambda: 1 / 0)
    assert bugs.acquire(timeout=10)
    threads.start("source-crm", work)
    assert work.done.acquire(timeout=10)


def test_a_process_that_is_forked_has_none_of_its_parent_s(work):
    KEPT_THREADS.start("source-crm", work)
    assert work.done.acquire(timeout=10)
    until(lambda: idle(work.seen[0][0]))
    child = os.fork()
    if not child:  # pragma: no cover - another process
        KEPT_THREADS.start("source-crm", work)
        os._exit(0 if work.done.acquire(timeout=10) else 1)
    assert os.waitpid(child, 0)[1] == 0
