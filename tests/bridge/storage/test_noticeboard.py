"""What processes tell each other, in real processes that inherit the memory."""

import pytest

from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import LARGEST_PAGE, Page, Slips
from tests.support.another_process import another_process

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
