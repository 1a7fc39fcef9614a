"""Limits that hold for two machines with one Redis, and what each of them keeps to while it is away."""

import threading
import time

import pytest

from bridge.sdk import SourceBusy
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.client import SharedClient
from bridge.storage.shared.encryption import Encryption
from bridge.storage.shared.limits import Places
from bridge.storage.shared.namespace import Namespace
from tests.support.kept import until
from tests.support.redis_server import RunningRedis, needs_redis

pytestmark = needs_redis


@pytest.fixture
def redis():
    with RunningRedis() as running:
        yield running


class Machine:
    """One machine's part of what is counted for the connector crm."""

    def __init__(self, url: str, limit: int) -> None:
        self.client = SharedClient.at(url)
        memory = MachineMemory.make()
        self.namespace = Namespace(self.client, "omi-bridge", "crm", Encryption("planted-key", "crm"), memory)
        self.places = Places(memory, "crm", limit, self.namespace)
        self.turns = self.namespace.turns("max_rate", limit, 60.0)
        self.limit = limit
        self.held = []

    def is_allowed(self) -> bool:
        return self.turns.book(self.limit, 0.0) <= 0

    def allowed(self, tries: int) -> int:
        return sum(self.is_allowed() for _ in range(tries))

    def takes(self, seconds: float = 60.0) -> bool:
        """Begin a lookup, if there is a place, and hold it."""
        leave, lease = self.places.take(), self.places.lease(seconds)
        if leave is None:
            return False
        try:
            lease.__enter__()
        except SourceBusy:
            leave()
            return False
        self.held.append((leave, lease))
        return True

    def ends(self) -> None:
        leave, lease = self.held.pop()
        lease.__exit__(None, None, None)
        leave()


@pytest.fixture
def machine(redis):
    made = []

    def make(limit: int = 4) -> Machine:
        made.append(Machine(redis.url, limit))
        return made[-1]

    yield make
    for one in made:
        one.client.close()


def test_both_machines_together_make_no_more_requests_than_allowed(machine):
    ours, theirs = machine(), machine()
    assert [ours.allowed(3), theirs.allowed(3), ours.allowed(3)] == [3, 1, 0]
    assert 59 < theirs.turns.book(4, 0.0) <= 60


def test_a_turn_within_reach_is_booked_and_the_next_is_behind_it(machine):
    ours, theirs = (one.namespace.turns("another", 2, 1.5) for one in (machine(), machine()))
    assert [ours.book(2, 2.0), theirs.book(2, 2.0)] == [0, 0]
    assert all(0.3 < one.book(2, 2.0) <= 1.5 for one in (ours, theirs))
    assert 1.5 < ours.book(2, 0.0) <= 3.0


def test_both_machines_together_have_no_more_lookups_under_way_than_allowed(machine):
    ours, theirs = machine(), machine()
    assert [ours.takes(), ours.takes(), ours.takes(), theirs.takes(), theirs.takes(), ours.takes()] == [
        *[True] * 4,
        *[False] * 2,
    ]
    ours.ends()
    until(theirs.takes)
    assert not theirs.takes()


def test_the_places_of_a_machine_that_dies_come_back_when_its_lookups_must_have_ended(machine):
    ours, theirs = machine(1), machine(1)
    assert ours.namespace.take_place(1, 0.2, "a token that is never given back")
    assert not theirs.takes()
    until(theirs.takes)


def test_the_limits_of_another_connector_are_its_own(machine):
    ours, other = machine(), machine()
    other.namespace = Namespace(other.client, "omi-bridge", "erp", Encryption("planted-key", "erp"))
    assert ours.allowed(5) == 4
    assert other.namespace.turns("max_rate", 4, 60.0).book(4, 0.0) == 0


def test_while_the_redis_is_away_each_machine_keeps_to_its_share(machine, redis):
    ours, theirs = machine(8), machine(8)
    assert [ours.allowed(3), theirs.allowed(1), ours.allowed(0)] == [3, 1, 0]
    ours.is_allowed()  # it has heard of the other machine by now
    redis.kill()
    assert [ours.allowed(8), theirs.allowed(8)] == [0, 3]  # 4 and 1 were made before
    assert sum(ours.takes() for _ in range(9)) == 4
    assert sum(theirs.takes() for _ in range(9)) == 4


def test_a_redis_that_hangs_keeps_nobody_waiting_for_more_than_a_tenth_of_a_second(machine, redis):
    ours = machine(1000)
    assert ours.is_allowed()
    redis.freeze()
    waits = []
    for _ in range(8):
        began = time.monotonic()
        ours.is_allowed()
        waits.append(time.monotonic() - began)
    redis.thaw()
    assert max(waits) < 0.2
    assert waits[-1] < 0.05  # it is left alone by then


def test_when_the_redis_is_back_all_count_together_again(machine, redis):
    ours, theirs = machine(4), machine(4)
    ours.is_allowed()
    redis.kill()
    ours.is_allowed()
    redis.start()
    until(lambda: ours.takes() and ours.namespace.share(4) == 4)
    assert theirs.takes()


def test_a_place_that_was_given_too_late_is_given_back(machine, redis):
    ours, theirs = machine(1), machine(1)
    assert theirs.takes()
    theirs.ends()
    redis.freeze()
    assert ours.takes()
    redis.thaw()
    ours.ends()
    until(theirs.takes)


def test_a_redis_that_may_not_count_is_told_of_once_and_each_machine_counts_for_itself(machine, redis, caplog):
    with redis.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-zadd")
    ours = machine(4)
    assert ours.allowed(6) == 4
    assert [ours.takes() for _ in range(5)] == [True] * 4 + [False]
    ours.namespace.put("x", b"y", 10.0, wait=True)
    assert caplog.text.count("the shared memory counts nothing more") == 1
    assert "rights" in ours.client.trouble
    assert not ours.client.is_silent


def test_many_threads_of_two_machines_get_no_turn_twice(machine):
    both, allowed = (machine(40), machine(40)), []

    def ask(one: Machine) -> None:
        allowed.extend(one.is_allowed() for _ in range(15))

    threads = [threading.Thread(target=ask, args=(one,)) for one in both for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert allowed.count(True) == 40
