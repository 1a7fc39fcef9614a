"""Whose request it is: the connection's other end or, behind a proxy that is trusted, the address that the proxy saw.

A proxy appends the address of whoever connected to it to `X-Forwarded-For`; what stands left of that, the client has
written himself. So the header counts from its right end, for as long as those who wrote it are trusted, and for
nothing at all if the connection comes from anybody else. `Forwarded` (RFC 7239) is not read: most proxies hand it on
as the client wrote it.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNKNOWN: Address = IPv6Address(0)
"""Stands for a connection whose other end has no address."""

_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](?::[0-9]+)?|(?P<four>[0-9.]+):[0-9]+", re.ASCII)


def client_address(peer: str, forwarded: Iterable[str], trusted: Sequence[Network]) -> Address:
    """Return the rightmost address of `forwarded`, the values of X-Forwarded-For, that is no trusted proxy.

    It is `peer`, the address of the connection, if that is no trusted proxy or the header is empty. Where an entry is
    no address, the proxy that handed it on is the last one who is known; if all entries are trusted, the leftmost is.
    """
    known = parse_address(peer.partition("%")[0]) or UNKNOWN
    entries = [entry for value in forwarded for entry in map(str.strip, value.split(",")) if entry]
    while entries and is_in(known, trusted):
        before = parse_address(entries.pop())
        if before is None:
            break
        known = before
    return known


def parse_address(text: str) -> Address | None:
    """Read an address, also with a port or in brackets; nothing if it is none."""
    found = _WITH_PORT.fullmatch(text)
    bare = (found["six"] or found["four"] or "") if found else text
    if "%" in bare:
        return None
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Tell whether one of the networks holds the address."""
    return any(address in network for network in networks)
