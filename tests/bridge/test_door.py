import logging
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import pytest

from bridge.door import Door, Verdict
from bridge.wrong_keys import MOST_WRONG_KEYS

PEER = "203.0.113.7"


@dataclass
class Rules:
    api_keys = (b"right", b"second")
    trusted_proxies = (ip_network("127.0.0.0/8"),)
    allow: tuple = ()


@pytest.fixture
def rules():
    return Rules()


@pytest.fixture
def door(rules):
    return Door(lambda: rules)


@pytest.fixture
def besieged(door):
    for _ in range(MOST_WRONG_KEYS + 1):
        door.note_wrong_key(ip_address(PEER))
    return door


def head(*fields, path="/owner?phoneNumber=1", method="GET"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *fields]).encode("latin-1")


@pytest.mark.parametrize("key", [b"right", b"second"])
def test_every_configured_key_is_known(door, key):
    assert door.knows(key)


@pytest.mark.parametrize("key", [b"", b"righ", b"rightt", b"RIGHT", b" right", b"right,right", b"\xff"])
def test_no_other_key_is(door, key):
    assert not door.knows(key)


def test_everybody_may_come_in_as_long_as_nothing_is_wrong(door):
    assert door.judge(PEER, head()) is Verdict.COME_IN


@pytest.mark.parametrize(
    "fields", [(), ("X-API-KEY: wrong",), ("X-API-KEY:",), ("X-API-KEY: right", "x-api-key: right")]
)
def test_who_sends_too_many_wrong_keys_is_answered_late(besieged, fields):
    assert besieged.judge(PEER, head(*fields)) is Verdict.ANSWERED_LATE


@pytest.mark.parametrize("field", ["X-API-KEY: right", "x-api-key:second", "X-Api-Key:\t right \t"])
def test_a_right_key_is_never_kept_waiting_even_from_the_same_address(besieged, field):
    assert besieged.judge(PEER, head(field)) is Verdict.COME_IN


def test_others_behind_the_same_proxy_are_not_kept_waiting(besieged):
    assert besieged.judge("127.0.0.1", head(f"X-Forwarded-For: {PEER}")) is Verdict.ANSWERED_LATE
    assert besieged.judge("127.0.0.1", head("X-Forwarded-For: 198.51.100.1")) is Verdict.COME_IN
    assert besieged.judge("198.51.100.1", head(f"X-Forwarded-For: {PEER}")) is Verdict.COME_IN


@pytest.mark.parametrize("path", ["/healthz", "/readyz?x", "/metrics"])
def test_pages_that_need_no_key_are_shown_all_the_same(besieged, path):
    assert besieged.judge(PEER, head(path=path)) is Verdict.COME_IN


@pytest.mark.parametrize("path", ["/%6fwner", "//owner", "/healthz/../owner", "http://x/healthz", "*", ""])
def test_no_other_spelling_of_a_path_comes_in_without_a_key(besieged, path):
    assert besieged.judge(PEER, head(path=path)) is Verdict.ANSWERED_LATE


@pytest.mark.parametrize("nonsense", [b"", b"\r\n", b"\x00\xff", b"GET", b":\r\n:", b"X-API-KEY: right"])
def test_nonsense_is_judged_as_well(besieged, nonsense):
    assert besieged.judge(PEER, nonsense) is Verdict.ANSWERED_LATE


def test_networks_that_are_not_named_are_forbidden_whatever_their_key(door, rules):
    rules.allow = (ip_network("198.51.100.0/24"),)
    assert door.judge(PEER, head("X-API-KEY: right")) is Verdict.FORBIDDEN
    assert door.judge("127.0.0.1", head("X-API-KEY: right")) is Verdict.FORBIDDEN
    assert door.judge("198.51.100.9", head()) is Verdict.COME_IN
    assert door.judge("127.0.0.1", head("X-Forwarded-For: 198.51.100.9")) is Verdict.COME_IN


def test_a_forged_header_lets_nobody_in(door, rules):
    rules.allow = (ip_network("198.51.100.0/24"),)
    assert door.judge(PEER, head("X-Forwarded-For: 198.51.100.9")) is Verdict.FORBIDDEN
    assert door.judge("127.0.0.1", head(f"X-Forwarded-For: 198.51.100.9, {PEER}")) is Verdict.FORBIDDEN
    assert door.judge("127.0.0.1", head("X_Forwarded_For: 198.51.100.9")) is Verdict.FORBIDDEN
    assert door.judge("127.0.0.1", head("Forwarded: for=198.51.100.9")) is Verdict.FORBIDDEN


def test_this_machine_may_always_ask_for_the_pages(door, rules):
    rules.allow = (ip_network("198.51.100.0/24"),)
    assert door.judge("127.0.0.1", head(path="/healthz")) is Verdict.COME_IN
    assert door.judge(PEER, head(path="/healthz")) is Verdict.FORBIDDEN
    assert door.judge("127.0.0.1", head(f"X-Forwarded-For: {PEER}", path="/metrics")) is Verdict.FORBIDDEN


def test_who_was_forbidden_is_named_in_the_log(door, rules, caplog):
    rules.allow = (ip_network("198.51.100.0/24"),)
    with caplog.at_level(logging.WARNING):
        door.judge(PEER, head())
    assert [record.getMessage() for record in caplog.records] == [f"server.allow does not name {PEER}: turned away"]
