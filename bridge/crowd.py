"""How many connections each client has: nobody may take all places, but a trusted proxy, who brings many clients."""

import logging
from collections import Counter
from functools import lru_cache

from bridge.client_address import UNKNOWN, Address, household, parse_address
from bridge.door import Door

_log = logging.getLogger(__name__)

MOST_OF_ONE = 500
"""Connections of one address at the same time; with IPv6, those of a network of 64 bits count together."""


class Crowd:
    """Counts those who are in; used by one thread."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._inside: Counter[Address] = Counter()

    def let_in(self, peer: str) -> bool:
        """Count one in from the address `peer`, unless there are too many already."""
        address = _address(peer)
        home = household(address)
        if self._inside[home] >= MOST_OF_ONE and not self._door.is_a_proxy(address):
            _log.warning("more than %d connections from %s: closed", MOST_OF_ONE, address)
            return False
        self._inside[home] += 1
        return True

    def count_out(self, peer: str) -> None:
        """Count out one who was let in."""
        home = household(_address(peer))
        self._inside[home] -= 1
        if not self._inside[home]:
            del self._inside[home]


@lru_cache(maxsize=4096)
def _address(peer: str) -> Address:
    return parse_address(peer.partition("%")[0]) or UNKNOWN
