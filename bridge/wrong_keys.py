"""Who sends wrong keys, and whether it is too many of them.

A minute begins with an address' first wrong key. Who sends too many within it counts as an offender until it is over,
and into the next one if he goes on. What is remembered is bounded: the address seen first makes room.
"""

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from bridge.client_address import Address, household
from bridge.deadline import Clock

_log = logging.getLogger(__name__)

MOST_WRONG_KEYS = 30
"""Wrong keys a minute that are answered like any call; with IPv6, those of a network of 64 bits count together."""

_MINUTE = 60.0
_MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class _Minute:
    since: float
    wrong: int = 0
    is_an_offender: bool = False


class WrongKeys:
    """Counts wrong keys for each address; used from many threads."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._minutes: OrderedDict[Address, _Minute] = OrderedDict()
        self._lock = threading.Lock()
        self._offences_until = 0.0

    def note(self, address: Address) -> None:
        """Count a wrong key; say so, once a minute, if they are too many."""
        home = household(address)
        with self._lock:
            minute = self._begun(home)
            minute.wrong += 1
            minute.is_an_offender |= minute.wrong > MOST_WRONG_KEYS
            if minute.is_an_offender:
                self._offences_until = max(self._offences_until, minute.since + _MINUTE)
            first = minute.wrong == MOST_WRONG_KEYS + 1
        if first:
            _log.warning(
                "more than %d wrong keys in a minute from %s: its next ones are answered late", MOST_WRONG_KEYS, address
            )

    def has_offenders(self) -> bool:
        """Tell whether there is anybody for whom `are_too_many` may be true; costs next to nothing."""
        return self._clock() < self._offences_until

    def are_too_many(self, address: Address) -> bool:
        """Tell whether so many came from the address that the next one need not be answered soon."""
        with self._lock:
            minute = self._minutes.get(household(address))
            return bool(minute and minute.is_an_offender and self._clock() - minute.since < _MINUTE)

    def _begun(self, home: Address) -> _Minute:
        """Return the minute that runs for an address, a new one if none does."""
        now = self._clock()
        minute = self._minutes.get(home)
        if minute is None or now - minute.since >= _MINUTE:
            goes_on = minute is not None and minute.wrong > MOST_WRONG_KEYS and now - minute.since < 2 * _MINUTE
            minute = self._minutes[home] = _Minute(now, is_an_offender=goes_on)
            self._minutes.move_to_end(home)
            if len(self._minutes) > _MOST_ADDRESSES:
                self._minutes.popitem(last=False)
        return minute
