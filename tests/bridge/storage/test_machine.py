"""What several processes count together, in real processes: each is a Python of its own that inherits the file."""

import subprocess
import threading
from contextlib import contextmanager
from functools import partial

import pytest

from bridge.sdk import SourceBusy
from bridge.sdk.shared import Turns
from bridge.storage.machine import MachineMemory, MachineTurns
from tests.support.another_process import another_process
from tests.support.fakes import FakeClock

OTHER = """
import sys
from bridge.storage.machine import MachineMemory
memory = MachineMemory(int(sys.argv[1]))
turns = memory.turns("crm max_rate", 5, 60.0)
for line in sys.stdin:
    what, limit = line.split()
    if what == "place":
        print(memory.take("crm", int(limit)) is not None, flush=True)
    elif what == "look":
        print(any(memory.is_taken("nobody's", 0) for _ in range(int(limit))), flush=True)
    else:
        print(turns.book(int(limit), 0.0) <= 0, flush=True)
"""


class Other:
    """Another process with the same memory."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def does(self, what: str, limit: int) -> bool:
        self.begins(what, limit)
        return self.ends()

    def begins(self, what: str, limit: int) -> None:
        self._process.stdin.write(f"{what} {limit}\n")
        self._process.stdin.flush()

    def ends(self) -> bool:
        return self._process.stdout.readline() == "True\n"


@contextmanager
def another(memory: MachineMemory):
    with another_process(memory, OTHER) as process:
        yield Other(process)


def test_places_are_taken_for_all_processes():
    memory = MachineMemory.make()
    with another(memory) as other:
        assert other.does("place", 3)
        assert [memory.take("crm", 3) is not None for _ in range(3)] == [True, True, False]
        assert not other.does("place", 3)
        assert memory.take("another", 3) == 0


def test_a_place_that_is_given_back_is_free_for_all():
    memory = MachineMemory.make()
    with another(memory) as other:
        assert memory.take("crm", 1) == 0
        assert not other.does("place", 1)
        memory.leave("crm", 0)
        assert other.does("place", 1)


def test_the_places_of_a_process_that_is_killed_come_back():
    memory = MachineMemory.make()
    with another(memory) as other:
        assert [other.does("place", 2) for _ in range(2)] == [True, True]
        assert memory.take("crm", 2) is None
    assert [memory.take("crm", 2) is not None for _ in range(3)] == [True, True, False]


def test_two_who_look_at_the_same_place_take_neither_each_other_for_its_holder_nor_it():
    memory = MachineMemory.make()
    with another(memory) as other:
        assert not other.does("look", 1)
        other.begins("look", 20_000)
        assert not any(memory.is_taken("nobody's", 0) for _ in range(20_000))
        assert not other.ends()
        assert memory.take("nobody's", 1) == 0
        assert other.does("look", 1)


def test_in_no_window_do_all_processes_together_make_more_requests_than_allowed():
    memory = MachineMemory.make()
    turns = memory.turns("crm max_rate", 5, 60.0)
    with another(memory) as other:
        assert [other.does("request", 5) for _ in range(3)] == [True, True, True]
        assert [turns.book(5, 0.0) <= 0 for _ in range(3)] == [True, True, False]
        assert not other.does("request", 5)
        assert 59 < turns.book(5, 0.0) <= 60


def test_what_a_killed_process_has_asked_counts_on():
    memory = MachineMemory.make()
    turns = memory.turns("crm max_rate", 5, 60.0)
    with another(memory) as other:
        assert all(other.does("request", 5) for _ in range(5))
    assert turns.book(5, 0.0) > 50


def test_turns_are_as_many_as_allowed_in_any_window_and_booked_only_within_reach():
    clock, file = FakeClock(), MachineMemory.make()._file  # noqa: SLF001
    turns = MachineTurns(file, 0, 3, 10.0, clock)
    waits = []
    for _ in range(5):
        waits.append(turns.book(3, 1.0))
        clock.advance(0.5)
    assert waits == [0, 0, 0, 8.5, 8.0]
    clock.advance(7.5)
    assert [turns.book(3, 1.0) for _ in range(3)] == [0, 0.5, 1.0]
    assert turns.book(3, 20.0) == 10.0
    assert turns.book(1, 0.0) == 20.0


@pytest.mark.parametrize("make", [Turns, partial(MachineTurns, MachineMemory.make()._file, 0)])  # noqa: SLF001
def test_it_is_known_how_many_were_made_within_the_window_and_are_kept(make):
    clock = FakeClock()
    turns = make(3, 10.0, clock)
    made = []
    for seconds in (0, 4, 4, 4, 4, 6, 4):
        clock.advance(seconds)
        made.append(turns.made())
        if len(made) <= 5:
            turns.note(0.0)
    assert made == [0, 1, 2, 2, 2, 1, 0]
    for _ in range(5):
        turns.note(0.0)
    assert turns.made() == 3


def test_a_request_that_somebody_else_allowed_is_noted():
    clock = FakeClock()
    turns = MachineTurns(MachineMemory.make()._file, 0, 2, 10.0, clock)  # noqa: SLF001
    turns.note(0.5)
    turns.note(0.7)
    assert turns.book(2, 0.0) == 10.5


def test_many_threads_book_no_turn_twice():
    turns = MachineMemory.make().turns("crm max_rate", 50, 60.0)
    booked = []

    def book() -> None:
        booked.extend(turns.book(50, 0.0) <= 0 for _ in range(20))

    threads = [threading.Thread(target=book) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert booked.count(True) == 50


STANDING_STILL = """
import fcntl, sys, threading
fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX, 1, int(sys.argv[2]))
print("locked", flush=True)
threading.Event().wait()
"""


def test_a_process_that_stands_still_while_it_counts_keeps_nobody_waiting():
    memory = MachineMemory.make()
    with another_process(memory, STANDING_STILL, "0") as process:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(SourceBusy, match="cannot be counted"):
            MachineTurns(memory._file, 0, 2, 10.0).book(2, 0.0)  # noqa: SLF001


def test_where_there_is_no_file_each_process_counts_for_itself():
    memory = MachineMemory()
    assert [memory.take("crm", 1) is not None for _ in range(2)] == [True, False]
    turns = memory.turns("crm max_rate", 1, 60.0)
    assert [turns.book(1, 0.0) <= 0 for _ in range(2)] == [True, False]
