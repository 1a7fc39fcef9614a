from ipaddress import ip_address, ip_network

import pytest

from bridge.web.client_address import UNKNOWN, client_address, is_in, parse_address

PROXIES = [ip_network(text) for text in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "2001:db8:ffff::/48")]


def client(peer, *forwarded):
    return str(client_address(peer, forwarded, PROXIES))


@pytest.mark.parametrize("peer", ["203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7", "11.0.0.1"])
def test_a_header_from_anybody_but_a_trusted_proxy_counts_for_nothing(peer):
    assert client(peer, "127.0.0.1", "198.51.100.1") == client(peer) == peer.removeprefix("::ffff:")


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (["127.0.0.1, 203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (["198.51.100.1,203.0.113.7 ,\t10.1.2.3, 127.0.0.1"], "203.0.113.7"),
        (["203.0.113.7", "10.1.2.3"], "203.0.113.7"),
        (["203.0.113.7, 10.1.2.3", "198.51.100.1"], "198.51.100.1"),
        (["2001:db8::7"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 2001:db8:ffff::1"], "198.51.100.1"),
        ([", 203.0.113.7, ,"], "203.0.113.7"),
    ],
)
def test_behind_a_trusted_proxy_it_is_the_rightmost_address_that_is_none(forwarded, found):
    assert client("127.0.0.1", *forwarded) == found


@pytest.mark.parametrize("forwarded", [[], [""], [" , ,"], ["unknown"], ["203.0.113.7, rubbish"], ["203.0.113.7, _x"]])
def test_without_an_address_at_the_right_end_it_is_the_proxy_s_own(forwarded):
    assert client("127.0.0.1", *forwarded) == "127.0.0.1"


def test_rubbish_further_left_ends_at_the_last_proxy_that_is_known():
    assert client("127.0.0.1", "198.51.100.1, rubbish, 10.1.2.3") == "10.1.2.3"


def test_if_all_are_trusted_the_leftmost_is_the_client():
    assert client("127.0.0.1", "10.0.0.9, 10.1.2.3") == "10.0.0.9"


def test_nothing_is_trusted_if_nobody_is():
    assert client_address("127.0.0.1", ["203.0.113.7"], []) == ip_address("127.0.0.1")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4:", "1.2.3.4:x", "01.2.3.4", "1.2.3.4/8", "16909060"),
        *(
            "[1.2.3.4",
            "[]",
            "[::1]x",
            "::1]:80",
            "fe80::1%eth0",
            "1:2:3",
            "localhost",
            '"::1"',
            "１.2.3.4",
            "for=1.2.3.4",
        ),
    ],
)
def test_what_is_no_address_is_none(text):
    assert parse_address(text) is None


def test_a_link_of_the_connection_s_own_address_does_not_matter():
    assert client("fe80::1%eth0") == "fe80::1"


def test_a_connection_without_an_address_is_nobody_s():
    assert client_address("", ["203.0.113.7"], PROXIES) == UNKNOWN


def test_a_thousand_forged_entries_change_nothing():
    assert client("127.0.0.1", "127.0.0.1," * 4000 + "203.0.113.7") == "203.0.113.7"


def test_four_and_six_are_kept_apart():
    assert not is_in(ip_address("::1"), [ip_network("0.0.0.0/0")])
    assert is_in(ip_address("10.255.0.1"), PROXIES)
