"""What the processes of one machine know together without a server: in memory, for as long as it counts."""

from functools import partial

import pytest

from bridge.config.sections import Cache
from bridge.lookup.answer import Freshness
from bridge.lookup.guard import Guard
from bridge.sdk import Call, ConnectorConfig, Deadline, Owner, PhoneNumber, SourceBusy
from bridge.sdk.threads.cancellation import Cancelled
from bridge.sdk.threads.single_flight import SingleFlight
from bridge.storage.cache import AnswerCache
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import LARGEST_PAGE
from bridge.storage.shared.answers import SharedAnswers
from bridge.storage.shared.machine_namespace import MachineNamespace
from bridge.storage.shared.slots import SIZE, SLOTS, Slots
from tests.support.another_process import another_process
from tests.support.fakes import FakeClock, FakeConnector
from tests.support.kept import until

HOLDS = """
import sys
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.machine_namespace import MachineNamespace
place = MachineNamespace(MachineMemory(int(sys.argv[1])), "crm", "crm")
print(place.take("token", 10), flush=True)
sys.stdin.read()
"""
ANSWER = "answer +84901234567 "


@pytest.fixture
def memory():
    return MachineMemory.make()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def place(memory, clock):
    return partial(MachineNamespace, memory, "crm", "crm", clock)


@pytest.mark.parametrize("name", ["token", ANSWER])
def test_what_one_puts_another_gets_with_its_age_until_its_end(place, clock, name):
    assert place().get(name) is None
    place().put(name, b"planted", 60)
    clock.advance(20)
    assert (place().get(name).content, place().get(name).age) == (b"planted", 20)
    place().put(name, b"newer", 60)
    assert place().get(name).content == b"newer"
    clock.advance(60)
    assert place().get(name) is None


@pytest.mark.parametrize("name", ["token", ANSWER])
def test_another_connector_or_the_same_with_other_settings_finds_nothing(memory, place, name):
    place().put(name, b"planted", 60)
    assert MachineNamespace(memory, "erp", "crm").get(name) is None
    assert MachineNamespace(memory, "crm", "another path").get(name) is None


@pytest.mark.parametrize("name", ["token", ANSWER])
def test_what_is_removed_is_unknown(place, name):
    place().put(name, b"planted", 60)
    assert place().remove(name)
    assert place().get(name) is None
    assert not place().remove(name)


def test_a_list_has_room_and_what_has_none_is_unknown(place):
    place().put("list", b"x" * (LARGEST_PAGE - 16), 60)
    assert len(place().get("list").content) == LARGEST_PAGE - 16
    place().put("longer", b"x" * LARGEST_PAGE, 60)
    place().put(ANSWER, b"x" * SIZE, 60)
    assert place().get("longer") is place().get(ANSWER) is None


def test_a_slot_that_is_written_by_halves_is_empty(memory, place):
    place().put(ANSWER, b"planted answer", 60)
    at = Slots(memory)._place(place()._key(ANSWER), 0.0)  # noqa: SLF001 - to damage it
    written = memory.read(SIZE, at)
    for cut in range(1, written.index(b"planted answer") + len(b"planted answer")):
        memory.write(bytes([written[cut] ^ 1]), at + cut)
        assert place().get(ANSWER) is None
        memory.write(written, at)
    assert place().get(ANSWER).content == b"planted answer"


def test_more_answers_than_slots_displace_each_other_and_none_is_taken_for_another(memory):
    place = MachineNamespace(memory, "crm", "crm")
    numbers = range(2 * SLOTS)
    for number in numbers:
        place.put(f"answer +849{number:08} ", b"%d" % number, 60)
    found = {number: place.get(f"answer +849{number:08} ") for number in numbers}
    assert all(value is None or value.content == b"%d" % number for number, value in found.items())
    assert SLOTS / 2 < sum(value is not None for value in found.values()) <= SLOTS


def test_strangers_who_come_and_go_displace_nobody_who_is_known_for_longer(memory):
    place = MachineNamespace(memory, "crm", "crm")
    known, strangers = range(500), range(1000, 1000 + SLOTS)
    for number in known:
        place.put(f"answer +849{number:08} ", b"known", 3600)
    for number in strangers:
        place.put(f"answer +849{number:08} ", b"nobody", 60)
    assert all(place.get(f"answer +849{number:08} ") for number in known)


def test_who_is_forgotten_stands_nowhere_any_more(memory, place):
    other = "answer +84907654321 "
    for name in (ANSWER, other):
        place().put(name, b"planted", 60)
    place().forget(lambda name: name.startswith("answer +84901234567"))
    assert place().get(ANSWER) is None
    assert place().get(other)
    slots = Slots(memory)
    everything = memory.read(SLOTS * SIZE, slots._region)  # noqa: SLF001 - all there is
    assert b"+84907654321" in everything
    assert b"+84901234567" not in everything


def test_a_lock_is_one_process_s_until_that_dies(memory, place):
    with another_process(memory, HOLDS) as other:
        assert other.stdout.readline() == "held\n"
        assert place().look("token").locked
        assert place().take("token", 10) == ""
        other.kill()
        other.wait(10)
        assert not place().look("token").locked
    with place().lock("token", 10):
        assert place().take("token", 10) == ""
    assert place().take("token", 10)


def guard(memory, clock, answer):
    connector = FakeConnector(ConnectorConfig(), answer)
    cache = AnswerCache(Cache(ttl="10m", negative_ttl="60s", stale_ttl="1h", stale_while_revalidate=0), clock)
    shared = SharedAnswers(MachineNamespace(memory, "crm", "crm", clock), cache)
    made = Guard("crm", connector, cache, clock=clock, wait=lambda _seconds: True, shared=shared)
    made.opening.attempt()
    return made


@pytest.mark.parametrize("owners", [(Owner(id="7", email="lan@congty.example"),), ()])
def test_what_one_process_has_heard_is_another_s_answer_with_its_age(memory, clock, owners):
    ours, theirs = guard(memory, clock, lambda *_: owners), guard(memory, clock, lambda *_: pytest.fail("asked"))
    call = Call(PhoneNumber("+84901234567"))
    seen = []
    for one, later in ((ours, 30), (theirs, 0)):
        pending = one.begin(call)
        pending.wait(10)
        seen.append((pending.answer().owners, pending.answer().freshness))
        clock.advance(later)
    assert seen == [(owners, Freshness.LIVE), (owners, Freshness.CACHED)]
    assert theirs.cache.get(call).age == 30
    theirs.forget(lambda number: number == call.caller.e164)
    assert MachineNamespace(memory, "crm", "crm", clock).get("answer +84901234567 ") is None


@pytest.fixture
def answers(place, clock):
    return partial(SharedAnswers, place(), AnswerCache(Cache(), clock))


def test_what_another_process_asks_already_is_not_asked_for_ahead(answers, place):
    call = Call(PhoneNumber("+84901234567"))
    assert place().take(ANSWER, 10)
    with pytest.raises(SourceBusy), answers().turn(call, 10, ahead=True):
        pytest.fail("asked")


def test_who_waits_for_another_process_is_cut_off_if_nobody_waits_for_him(answers, place):
    assert place().take(ANSWER, 10)

    def waits():
        with answers().turn(Call(PhoneNumber("+84901234567")), 30):
            pytest.fail("asked")

    flight = SingleFlight[None]("source-crm", 1).start("key", waits, Deadline.after(30))
    until(lambda: flight.cancellation.can_cut)
    flight.cancellation.cancel()
    with pytest.raises(Cancelled):
        flight.result.result(10)
