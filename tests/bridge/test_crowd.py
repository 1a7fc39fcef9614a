from ipaddress import ip_network

import pytest

from bridge.crowd import MOST_OF_ONE, Crowd
from bridge.door import Door


class Rules:
    api_keys = ()
    trusted_proxies = (ip_network("127.0.0.0/8"),)
    allow = ()


@pytest.fixture
def crowd():
    return Crowd(Door(Rules))


def fill(crowd, peer):
    return [crowd.let_in(peer) for _ in range(MOST_OF_ONE)]


def test_nobody_may_take_all_the_places(crowd):
    assert all(fill(crowd, "203.0.113.7"))
    assert not crowd.let_in("203.0.113.7")
    assert crowd.let_in("203.0.113.8")


def test_who_leaves_makes_room(crowd):
    fill(crowd, "203.0.113.7")
    crowd.count_out("203.0.113.7")
    assert crowd.let_in("203.0.113.7")
    assert not crowd.let_in("203.0.113.7")


def test_a_trusted_proxy_may_bring_any_number(crowd):
    fill(crowd, "127.0.0.1")
    assert crowd.let_in("127.0.0.1")


def test_a_network_of_64_bits_counts_as_one_address(crowd):
    for number in range(MOST_OF_ONE):
        crowd.let_in(f"2001:db8::{number:x}")
    assert not crowd.let_in("2001:db8::ffff")
    assert crowd.let_in("2001:db8:0:1::1")


def test_nothing_is_kept_of_those_who_left(crowd):
    crowd.let_in("203.0.113.7")
    crowd.count_out("203.0.113.7")
    assert not crowd._inside  # noqa: SLF001 - nothing else shows what is kept
