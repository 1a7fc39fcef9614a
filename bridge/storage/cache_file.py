"""What is remembered, kept through a restart: written behind the calls' back and read before the first of them.

The file has the wall clock, the running service has not: stepping it matters at a start only. Whoever was remembered
"in the future" (the clock has been set back since) counts as just past his life: he is asked for again first, and used
only if the source fails. A clock that has leapt ahead makes rows old, and the service starts with fewer.
"""

import gc
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bridge.sdk.connector import Call, Owners
from bridge.sdk.deadline import Clock
from bridge.storage.answer_table import AnswerTable, Kept, Key, Limits
from bridge.storage.cache import AnswerCache
from bridge.storage.forgotten import Forgotten
from bridge.storage.purges.purges import Purges
from bridge.storage.sqlite_file import Unusable
from bridge.storage.write_behind import Terms, WriteBehind

_log = logging.getLogger(__name__)

_LOST = "what is remembered will not survive a restart"
_MOMENT = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
_TIDY_EVERY, _TIDY_AFTER = 3600.0, 20_000  # seconds, answers
_FROZEN_EVERY = 10_000
_MOST_UNWRITTEN = 20_000


class _News(NamedTuple):
    key: Key
    kept: Kept
    at: float


class CacheFile:
    """The memory of a service's connectors in the file at `path`.

    `wall_clock` gives seconds since 1970. A file that cannot be used is tried again after `pause` seconds at first.
    """

    def __init__(
        self,
        path: Path,
        wall_clock: Clock = time.time,
        *,
        pause: float = _FIRST_PAUSE,
        forgotten: Forgotten | None = None,
        purges: Purges | None = None,
    ) -> None:
        self.path = path
        self._purges = purges or Purges()
        self._forgotten = forgotten or Forgotten()
        self._wall_clock = wall_clock
        self._caches: dict[AnswerCache, str] = {}
        self._to_load: deque[tuple[str, AnswerCache]] = deque()
        self._written, self._next_tidying = 0, 0.0
        self._loaded = threading.Event()
        self._behind: WriteBehind[_News, AnswerTable] = WriteBehind(
            path,
            AnswerTable,
            self._catch_up,
            Terms(_LOST, _MOST_UNWRITTEN, _MOMENT, pause, _LONGEST_PAUSE, _TIDY_EVERY),
            after=self._tell_loaded,
        )

    @property
    def trouble(self) -> str:
        """Why nothing is kept just now, or nothing if it is."""
        return self._behind.trouble

    def keep(self, identity: str, cache: AnswerCache) -> None:
        """Fill a connector's cache from the file, and write what it learns until `forget`.

        What the file holds under an `identity` that is kept for no cache is left out, and deleted in time.
        """
        self._caches[cache] = identity
        self._loaded.clear()
        self._to_load.append((identity, cache))
        cache.tell(partial(self._hear, identity))
        self._behind.wake()

    def forget(self, cache: AnswerCache) -> None:
        """Write no more of what a cache learns; nothing happens if it was not kept."""
        if self._caches.pop(cache, None) is not None:
            cache.tell(None)

    def start(self) -> None:
        """Begin to load and to write, in a thread of its own."""
        self._behind.start()

    def wait_until_loaded(self, seconds: float) -> bool:
        """Wait until what was kept is remembered again, or cannot be; tell whether that took less than `seconds`."""
        return self._loaded.wait(seconds)

    def close(self) -> None:
        """Write what is left, waiting no longer than two seconds."""
        self._behind.close()

    def _hear(self, identity: str, call: Call, owners: Owners, age: float) -> None:
        kept = Kept(owners, self._wall_clock() - age)
        self._behind.hear(_News(Key(identity, call), kept, self._forgotten.clock()))

    def _catch_up(self, table: AnswerTable, news: Sequence[_News]) -> None:
        if news:
            changes = {one.key: one for one in news}
            table.write({key: one.kept for key, one in changes.items()}, partial(self._judge, changes))
            self._written += len(changes)
        while self._to_load:
            self._load(table, *self._to_load[0])
            self._to_load.popleft()
        if self._written >= _TIDY_AFTER or time.monotonic() >= self._next_tidying:
            self._tidy(table)
            self._written, self._next_tidying = 0, time.monotonic() + _TIDY_EVERY

    def _judge(self, changes: Mapping[Key, _News]) -> Callable[[Key], bool]:
        """Look who is forgotten by now, and return what tells of each answer whether it was heard since."""
        self._forgotten.look()

        def may_stay(key: Key) -> bool:
            learnt = self._forgotten.learnt(key.call.caller)
            return learnt is None or changes[key].at > learnt

        return may_stay

    def _tell_loaded(self, failure: Exception | None) -> None:
        if failure and not isinstance(failure, Unusable):  # the same would only bring the bug again
            self._to_load.clear()
        if failure or not self._to_load:
            self._loaded.set()

    def _load(self, table: AnswerTable, identity: str, cache: AnswerCache) -> None:
        now, started, count = self._wall_clock(), time.monotonic(), 0
        for call, kept in table.rows(identity, _limits(cache, now)):
            if self._behind.is_closing:
                return
            if self._purges.allow_kept(call.caller, kept.owners, kept.stored_at):
                age = now - kept.stored_at if kept.stored_at <= now else cache.settings.ttl
                cache.restore(call, kept.owners, age)
            count += 1
            if count % _FROZEN_EVERY == 0:
                gc.freeze()  # the collector, looking for garbage in what stays, would stop every call for up to seconds
        if count:
            _log.info("%d callers remembered from %s, read in %.1f s", count, self.path, time.monotonic() - started)

    def _tidy(self, table: AnswerTable) -> None:
        """Delete what nobody will ask for; the settings of memory are the same for all connectors."""
        if kept := list(self._caches.items()):
            (newest, _), now = kept[-1], self._wall_clock()
            identities = [identity for _, identity in kept]
            stamp = min(now - newest.settings.ttl, self._purges.first())
            table.prune(identities, _limits(newest, now), now, stamp=stamp)


def _limits(cache: AnswerCache, now: float) -> Limits:
    settings = cache.settings
    return Limits(now - settings.ttl - settings.stale_ttl, settings.max_entries)
