"""The places of one machine: what can wait leaves them to who cannot, whichever process holds them."""

from bridge.storage.machine import MachineMemory
from bridge.storage.shared import limits
from bridge.storage.shared.limits import Places
from tests.support.another_process import another_process

PLACES, FOR_WHAT_CAN_WAIT = 4, 3
TAKES = """
import sys
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.limits import Places
places = Places(MachineMemory(int(sys.argv[1])), "crm", 4)
held = [places.take(), places.take()]
print("taken", flush=True)
sys.stdin.read()
"""


def test_what_can_wait_takes_no_place_for_a_while_after_all_of_them_were_needed(monkeypatch):
    memory = MachineMemory.make()
    ours, theirs = Places(memory, "crm", PLACES), Places(memory, "crm", PLACES)
    refreshing = theirs.take(FOR_WHAT_CAN_WAIT)
    held = [ours.take() for _ in range(PLACES - 1)]
    assert refreshing
    assert all(held)
    for leave in (refreshing, *held):
        leave()
    assert theirs.take(FOR_WHAT_CAN_WAIT) is None
    assert Places(memory, "another", PLACES).take(FOR_WHAT_CAN_WAIT)
    leave = ours.take()
    assert leave
    leave()
    monkeypatch.setattr(limits, "_CROWDED", 0.0)
    assert theirs.take(FOR_WHAT_CAN_WAIT)


def test_what_can_wait_takes_places_as_long_as_the_others_are_not_needed():
    places = Places(MachineMemory.make(), "crm", PLACES)
    assert places.take()
    assert [places.take(FOR_WHAT_CAN_WAIT) is not None for _ in range(3)] == [True, True, False]
    assert places.take()
    assert places.take() is None


def test_places_are_counted_whichever_process_has_taken_them():
    memory = MachineMemory.make()
    places = Places(memory, "crm", PLACES)
    with another_process(memory, TAKES) as other:
        assert other.stdout.readline() == "taken\n"
        leave = places.take()
        assert (places.taken(), Places(memory, "another", PLACES).taken()) == (3, 0)
    leave()
    assert places.taken() == 0
