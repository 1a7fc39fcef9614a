"""What processes tell each other, in real processes that inherit the memory."""

import pytest

from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import LARGEST_PAGE, Duty, Page, Slips
from tests.support.another_process import another_process
from tests.support.fakes import FakeClock

OTHER = """
import sys
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Page, Slips
memory = MachineMemory(int(sys.argv[1]))
Slips(memory, "test").write(b"other")
Page(memory, "test").write(b"left behind")
print(memory.take("leader", 1), flush=True)
sys.stdin.read()
"""

HOLDER = """
import sys
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Duty
print(Duty(MachineMemory(int(sys.argv[1])), "test").is_ours(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def memory():
    return MachineMemory.make()


def test_a_slip_counts_as_long_as_its_process_lives_and_a_page_goes_on(memory):
    own = Slips(memory, "test")
    own.write(b"own")
    with another_process(memory, OTHER) as other:
        assert other.stdout.readline() == "0\n"
        assert own.read() == [b"own", b"other"]
        assert memory.take("leader", 1) is None
        other.kill()
        other.wait(10)
    assert own.read() == [b"own"]
    assert memory.take("leader", 1) == 0
    assert Page(memory, "test").read() == b"left behind"


def test_what_is_withdrawn_is_said_no_more(memory):
    own, others = Slips(memory, "test"), Slips(memory, "test")
    own.write(b"own")
    others.write(b"")
    assert others.read() == [b"own"]
    own.withdraw()
    assert others.read() == []


@pytest.mark.parametrize("memory", [MachineMemory(), MachineMemory.make()], ids=["alone", "shared"])
def test_a_page_holds_what_was_written_last(memory):
    page = Page(memory, "test")
    assert page.read() == b""
    for content in (b"first", b"x" * LARGEST_PAGE, b"", b"last"):
        page.write(content)
        assert Page(memory, "test").read() == content
    with pytest.raises(ValueError, match="too long"):
        page.write(b"x" * (LARGEST_PAGE + 1))


def test_who_is_killed_while_writing_leaves_the_page_before(memory):
    page = Page(memory, "test")
    page.write(b"whole")
    turn = page._turn() + 1  # noqa: SLF001 - as a writer does who dies before he turns the page
    memory.write(b"half of a pa", page._side(turn))  # noqa: SLF001
    assert page.read() == b"whole"


@pytest.fixture(params=[MachineMemory, MachineMemory.make], ids=["alone", "shared"])
def two_duties(request):
    memory, clock = request.param(), FakeClock()
    return memory, clock, Duty(memory, "test", clock), Duty(memory, "test", clock)


def test_a_duty_is_ones_until_he_leaves_it(two_duties):
    _, _, ours, theirs = two_duties
    assert (ours.is_anothers(), ours.is_ours(), theirs.is_ours()) == (False, True, False)
    assert (ours.is_anothers(), theirs.is_anothers()) == (False, True)
    theirs.leave()
    assert ours.is_held
    ours.leave()
    assert (ours.is_held, theirs.is_anothers()) == (False, False)
    assert (theirs.is_ours(), ours.is_ours()) == (True, False)


def test_who_shows_that_he_goes_on_keeps_his_duty(two_duties):
    memory, clock, ours, theirs = two_duties
    assert ours.is_ours()
    for _ in range(20):
        clock.advance(1)
        memory.beat()
        assert not theirs.is_ours()


def test_the_duty_of_who_stands_still_goes_to_another_and_he_finds_that_out_when_he_goes_on(two_duties):
    memory, clock, ours, theirs = two_duties
    assert ours.is_ours()
    clock.advance(4.9)
    assert not theirs.is_ours()
    clock.advance(0.2)
    assert not theirs.is_anothers()
    assert theirs.is_ours()
    assert (ours.is_held, ours.is_anothers(), ours.is_ours()) == (False, True, False)
    ours.leave()
    memory.beat()
    assert (theirs.is_held, ours.is_ours()) == (True, False)
    theirs.leave()
    assert ours.is_ours()


def test_a_duty_is_free_at_once_when_its_holder_is_killed(memory):
    duty = Duty(memory, "test")
    with another_process(memory, HOLDER) as other:
        assert other.stdout.readline() == "True\n"
        assert not duty.is_ours()
        other.kill()
        other.wait(10)
        assert duty.is_ours()
