from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import pytest

from bridge.web.access import AccessControl

PEER = "203.0.113.7"
GUEST = "198.51.100.9"


@dataclass
class Rules:
    api_keys = (b"right", b"second")
    trusted_proxies = (ip_network("127.0.0.0/8"),)
    allow: tuple = ()


@pytest.fixture
def rules():
    return Rules()


@pytest.fixture
def access(rules):
    return AccessControl(rules)


@pytest.mark.parametrize("key", [b"right", b"second"])
def test_every_configured_key_is_known(access, key):
    assert access.knows(key)


@pytest.mark.parametrize("key", [b"", b"righ", b"rightt", b"RIGHT", b" right", b"right,right", b"\xff"])
def test_no_other_key_is(access, key):
    assert not access.knows(key)


def test_every_network_may_come_in_where_none_is_named(access):
    assert access.is_open_to_all()
    assert access.admits(ip_address(PEER), "/owner")


@pytest.mark.parametrize(
    ("peer", "forwarded", "admitted"),
    [
        (GUEST, [], True),
        ("127.0.0.1", [GUEST], True),
        (PEER, [], False),
        ("127.0.0.1", [], False),
        (PEER, [GUEST], False),
        ("127.0.0.1", [f"{GUEST}, {PEER}"], False),
    ],
)
def test_a_network_that_is_not_named_is_turned_away_and_a_forged_header_helps_nobody(
    access, rules, peer, forwarded, admitted
):
    rules.allow = (ip_network("198.51.100.0/24"),)
    assert access.admits(access.client(peer, forwarded), "/owner") is admitted


@pytest.mark.parametrize(
    ("client", "path", "admitted"),
    [
        ("127.0.0.1", "/healthz", True),
        ("127.0.0.1", "/metrics", True),
        ("127.0.0.1", "/owner", False),
        (PEER, "/healthz", False),
    ],
)
def test_this_machine_may_always_ask_for_the_pages(access, rules, client, path, admitted):
    rules.allow = (ip_network("198.51.100.0/24"),)
    assert access.admits(ip_address(client), path) is admitted
