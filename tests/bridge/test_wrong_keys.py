import logging
from ipaddress import ip_address

import pytest

from bridge.wrong_keys import MOST_WRONG_KEYS, WrongKeys

HERE, THERE = ip_address("203.0.113.7"), ip_address("198.51.100.1")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(clock):
    return WrongKeys(clock)


def offend(keys, address=HERE, times=MOST_WRONG_KEYS + 1):
    for _ in range(times):
        keys.note(address)


def test_a_few_wrong_keys_are_nothing(keys):
    offend(keys, times=MOST_WRONG_KEYS)
    assert not keys.are_too_many(HERE)
    assert not keys.has_offenders()


def test_too_many_within_a_minute_are_held_against_their_address_alone(keys):
    offend(keys)
    assert keys.has_offenders()
    assert keys.are_too_many(HERE)
    assert not keys.are_too_many(THERE)


def test_a_network_of_64_bits_counts_as_one_address(keys):
    for number in range(MOST_WRONG_KEYS + 1):
        keys.note(ip_address("2001:db8::") + number * 7)
    assert keys.are_too_many(ip_address("2001:db8::abcd"))
    assert not keys.are_too_many(ip_address("2001:db8:0:1::"))


def test_it_is_forgotten_after_a_minute(keys, clock):
    offend(keys)
    clock.now += 60
    assert not keys.are_too_many(HERE)
    assert not keys.has_offenders()


def test_who_goes_on_has_no_new_start_each_minute(keys, clock):
    offend(keys)
    clock.now += 60
    keys.note(HERE)
    assert keys.are_too_many(HERE)


def test_who_has_stopped_for_a_minute_has_a_new_start(keys, clock):
    offend(keys)
    clock.now += 120
    keys.note(HERE)
    assert not keys.are_too_many(HERE)


def test_slow_ones_never_come_to_too_many(keys, clock):
    for _ in range(10):
        offend(keys, times=MOST_WRONG_KEYS)
        assert not keys.are_too_many(HERE)
        clock.now += 60


def test_the_log_says_so_once_a_minute(keys, clock, caplog):
    with caplog.at_level(logging.WARNING):
        offend(keys, times=1000)
        clock.now += 60
        offend(keys, times=1000)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["more than 30 wrong keys in a minute from 203.0.113.7: its next ones are answered late"] * 2


def test_the_memory_of_addresses_is_bounded(keys):
    offend(keys)
    for number in range(10_000):
        keys.note(ip_address("10.0.0.0") + number)
    assert not keys.are_too_many(HERE)
    assert len(keys._minutes) == 10_000  # noqa: SLF001 - nothing else shows how much is kept
