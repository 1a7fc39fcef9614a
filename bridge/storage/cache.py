"""Remembered answers of one connector: owners for one life, "nobody" for another, errors never.

Owners are remembered, not extensions, so that a changed extension acts at once. Past its life an owner is kept for a
while longer for when the source fails (stale-if-error, RFC 5861), and at first is told without waiting for the source,
which is asked meanwhile (stale-while-revalidate, same place); "nobody" is neither (negative caching, RFC 2308). Bounded
in entries: what was used longest ago makes room.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TLRUCache

from bridge.config.sections import Cache
from bridge.sdk.connector import Call, Owners
from bridge.sdk.deadline import Clock
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.forgotten import Forgotten, Matches
from bridge.storage.purges.purges import Purges


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a source answered, and whether that is still to be believed (fresh) or about to end (due).

    `at_once` tells that no call waits for anything better.
    """

    owners: Owners
    fresh: bool
    due: bool
    at_once: bool
    age: float = 0.0
    """How many seconds ago the source was asked."""


@dataclass(frozen=True, slots=True)
class _Entry:
    owners: Owners
    asked_at: float


class AnswerCache:
    """Owners by call. Lives are in seconds of `clock`; safe to use from many threads.

    Of a caller who is `forgotten` nothing is taken that is from before that, nor what `purges` do not allow. An answer
    is as old as the question that the source was asked (RFC 9111, section 4.2.3): what it said may be from then.
    """

    def __init__(
        self,
        settings: Cache,
        clock: Clock = time.monotonic,
        forgotten: Forgotten | None = None,
        purges: Purges | None = None,
    ) -> None:
        self.settings = settings
        self._purges = purges or Purges(clock=clock)
        self._forgotten = forgotten or Forgotten()
        self._forgotten.join(self)
        self._clock = clock
        self._entries: TLRUCache[str, _Entry] = TLRUCache(settings.max_entries, ttu=self._end, timer=clock)
        self._lock = threading.Lock()
        self._tell: Callable[[Call, Owners, float], None] | None = None

    def get(self, call: Call) -> Remembered | None:
        """Return what is remembered, fresh or stale, or None."""
        with self._lock:
            entry = self._entries.get(_key(call))
        if entry is None or not self._purges.allow(call.caller, entry.owners, entry.asked_at):
            return None
        age = self._clock() - entry.asked_at
        left = self._life(entry.owners) - age
        longer = self.settings.revalidating if entry.owners else 0.0
        due = left <= (self.settings.refresh_ahead or 0)
        return Remembered(entry.owners, fresh=left > 0, due=due, at_once=left + longer > 0, age=age)

    def put(self, call: Call, owners: Owners, asked_at: float | None = None) -> bool:
        """Remember what the source answered, asked at a time of the clock; tell whether it may be used again.

        Not if the caller was forgotten since, or something of the answer purged. Asked just now, if no time is given.
        """
        moment = self._clock() if asked_at is None else asked_at
        with self._lock:
            if asked_at is not None and not self._may_use(call.caller, owners, asked_at):
                return False
            self._entries[_key(call)] = _Entry(owners, moment)
            if self._tell:
                self._tell(Call(call.caller, call.hotline), owners, self._clock() - moment)
        return True

    def restore(self, call: Call, owners: Owners, age: float) -> None:
        """Remember what the source was asked `age` seconds ago, unless more is known by now or no room is left."""
        with self._lock:
            room = _key(call) not in self._entries and len(self._entries) < self.settings.max_entries
            if room and self._forgotten.may_stay(call.caller, self._forgotten.wall_clock() - age):
                self._entries[_key(call)] = _Entry(owners, self._clock() - age)

    def adopt(self, call: Call, owners: Owners, age: float, since: float | None = None) -> None:
        """Remember what somebody else asked the source `age` seconds ago, unless something newer is known.

        That was its age `since` a time of the clock, if not just now.
        """
        asked_at = (self._clock() if since is None else since) - age
        if not self._forgotten.may_stay(call.caller, self._forgotten.wall_clock() - age):
            return
        with self._lock:
            known = self._entries.get(_key(call))
            if known is None or known.asked_at < asked_at:
                self._entries[_key(call)] = _Entry(owners, asked_at)

    def tell(self, listener: Callable[[Call, Owners, float], None] | None) -> None:
        """Have `listener`, or nobody, told of every answer that is put, in order, with its age; it must not wait."""
        self._tell = listener

    def forget(self, matches: Matches) -> None:
        """Remember nothing of these callers."""
        with self._lock:
            keys = list(self._entries)
        gone = [key for key in keys if matches(_caller(key))]
        with self._lock:
            for key in gone:
                self._entries.pop(key, None)

    def now(self) -> float:
        """Return the time of the clock."""
        return self._clock()

    def _may_use(self, caller: PhoneNumber, owners: Owners, asked_at: float) -> bool:
        learnt = self._forgotten.learnt(caller)
        return (learnt is None or asked_at > learnt) and self._purges.allow(caller, owners, asked_at)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def _life(self, owners: Owners) -> float:
        return self.settings.ttl if owners else self.settings.negative_ttl

    def _end(self, _key: str, entry: _Entry, _now: float) -> float:
        return entry.asked_at + self._life(entry.owners) + (self.settings.stale_ttl if entry.owners else 0)


def _key(call: Call) -> str:
    """Return what an answer depends on as one text: small, and hashed once. E.164 numbers begin with +, none blurs."""
    return f"{call.caller.e164}{call.hotline.e164}" if call.hotline else call.caller.e164


def _caller(key: str) -> str:
    return key if (end := key.find("+", 1)) < 0 else key[:end]
