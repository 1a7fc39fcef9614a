"""The last callers, in the memory that the processes of a machine have together."""

import os

import pytest

from bridge.sdk.connector import Call
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.forgotten import Forgotten
from bridge.storage.machine import MachineMemory
from bridge.storage.recent_callers import MOST, RecentCallers
from bridge.testing.fakes import FakeClock

HOTLINE = PhoneNumber("+842499950291")


@pytest.fixture(params=["shared by the machine's processes", "of one process"])
def memory(request):
    return MachineMemory.make() if request.param.startswith("shared") else MachineMemory()


def numbered(last: int) -> PhoneNumber:
    return PhoneNumber(f"+849012345{last:02d}")


def call(last: int, hotline: PhoneNumber | None = None) -> Call:
    return Call(numbered(last), hotline)


def remembering(memory, clock=None, forgotten=None):
    return RecentCallers(memory, forgotten or Forgotten(wall_clock=clock or FakeClock()), clock or FakeClock())


def test_the_newest_come_first_and_each_caller_once_for_each_hotline(memory):
    clock = FakeClock()
    recent = remembering(memory, clock)
    for one in (call(1), call(2), call(2, HOTLINE), call(1)):
        clock.advance(1)
        recent.note(one)
    assert [(one.caller, one.hotline) for one in recent.newest()] == [
        (numbered(1), None),
        (numbered(2), HOTLINE),
        (numbered(2), None),
    ]


def test_no_more_than_the_last_are_told_however_many_call(memory):
    clock = FakeClock()
    recent = remembering(memory, clock)
    assert recent.newest() == []
    for last in range(99):
        clock.advance(1)
        recent.note(call(last))
    assert [one.caller for one in recent.newest()] == [numbered(98 - at) for at in range(MOST)]


def test_who_is_forgotten_is_held_no_more(memory):
    clock = FakeClock()
    forgotten = Forgotten(wall_clock=clock)
    recent = remembering(memory, clock, forgotten)
    recent.note(call(1))
    recent.note(call(2))
    clock.advance(1)
    recent.forget(lambda caller: caller == numbered(1).e164)
    assert [one.caller for one in recent.newest()] == [numbered(2)]
    forgotten.forget(numbered(2))
    assert recent.newest() == []
    remembering(memory, FakeClock()).note(call(2))  # by a process that had begun with it before
    assert recent.newest() == []
    clock.advance(1)
    recent.note(call(2))
    assert [one.caller for one in recent.newest()] == [numbered(2)]


def test_what_another_process_notes_is_told_too():
    memory = MachineMemory.make()
    child = os.fork()
    if child == 0:
        remembering(memory).note(call(7))
        os._exit(0)
    os.waitpid(child, 0)
    assert [one.caller for one in remembering(memory).newest()] == [numbered(7)]
