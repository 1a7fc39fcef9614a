"""Remembered answers of one connector: owners for one life, "nobody" for another, errors never.

Owners are remembered, not extensions, so that a changed extension acts at once. Remembering "nobody" is negative
caching in the words of RFC 2308. Bounded in entries: what was used longest ago makes room.
"""

import threading
import time

from cachetools import TLRUCache

from bridge.connector import Call, Owner
from bridge.deadline import Clock

Owners = tuple[Owner, ...]


class AnswerCache:
    """Owners by call. Lives are in seconds of `clock`; safe to use from many threads."""

    def __init__(self, ttl: float, negative_ttl: float, max_entries: int, clock: Clock = time.monotonic) -> None:
        def until(_call: Call, owners: Owners, now: float) -> float:
            return now + (ttl if owners else negative_ttl)

        self._entries: TLRUCache[Call, Owners] = TLRUCache(max_entries, ttu=until, timer=clock)
        self._lock = threading.Lock()

    def get(self, call: Call) -> Owners | None:
        """Return the remembered owners, `()` for a remembered "nobody", or None if nothing is remembered."""
        with self._lock:
            return self._entries.get(call)

    def put(self, call: Call, owners: Owners) -> None:
        """Remember what the source answered just now."""
        with self._lock:
            self._entries[Call(call.caller, call.hotline)] = owners

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
