"""What is remembered, kept through a restart: written behind the calls' back and read before the first of them.

One thread does everything that touches the disk. A call only puts its answer into a queue that never blocks, so a slow,
full, hung or broken disk costs memory of the next restart and nothing else. A process that dies loses the last moment.

The file has the wall clock, the running service has not: stepping it matters at a start only. Whoever was remembered
"in the future" (the clock has been set back since) counts as just past his life: he is asked for again first, and used
only if the source fails. A clock that has leapt ahead makes rows old, and the service starts with fewer.
"""

import atexit
import gc
import logging
import threading
import time
from collections import deque
from functools import partial
from pathlib import Path

from bridge.sdk.background import BackgroundLoop
from bridge.sdk.connector import Call, Owners
from bridge.sdk.deadline import Clock
from bridge.storage.answer_table import AnswerTable, Kept, Key, Limits
from bridge.storage.cache import AnswerCache
from bridge.storage.sqlite_file import Damaged, SqliteFile, Unusable

_log = logging.getLogger(__name__)

_MOMENT = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
_TIDY_EVERY, _TIDY_AFTER = 3600.0, 20_000  # seconds, answers
_FROZEN_EVERY = 10_000
_MOST_UNWRITTEN = 20_000
_PATIENCE_AT_CLOSE = 2.0


class CacheFile:
    """The memory of a service's connectors in the file at `path`.

    `wall_clock` gives seconds since 1970. A file that cannot be used is tried again after `pause` seconds, doubled
    each time up to a minute.
    """

    def __init__(self, path: Path, wall_clock: Clock = time.time, *, pause: float = _FIRST_PAUSE) -> None:
        self.path = path
        self.trouble = ""
        """Why nothing is kept just now, or nothing if it is."""
        self._wall_clock = wall_clock
        self._first_pause = pause
        self._file = SqliteFile(path, AnswerTable)
        self._caches: dict[str, tuple[str, AnswerCache]] = {}
        self._to_load: deque[tuple[str, AnswerCache]] = deque()
        self._news: deque[tuple[Key, Kept]] = deque(maxlen=_MOST_UNWRITTEN)
        self._unwritten: dict[Key, Kept] = {}
        self._dropped = 0
        self._written, self._next_tidying = 0, 0.0
        self._pause = 0.0
        self._loaded = threading.Event()
        self._loop = BackgroundLoop("store", self._round, gather=_MOMENT, at_end=self._end)

    def keep(self, name: str, identity: str, cache: AnswerCache) -> None:
        """Fill the cache of the connector `name` from the file, and write what it learns from now on.

        What the file holds under another `identity` is left out, and deleted in time.
        """
        self._caches[name] = (identity, cache)
        self._loaded.clear()
        self._to_load.append((identity, cache))
        cache.tell(partial(self._hear, identity))
        self._loop.wake()

    def start(self) -> None:
        """Begin to load and to write, in a thread of its own."""
        if not self._loop.is_running:
            self._loop.start()
            atexit.register(self.close)

    def wait_until_loaded(self, seconds: float) -> bool:
        """Wait until what was kept is remembered again, or cannot be; tell whether that took less than `seconds`."""
        return self._loaded.wait(seconds)

    def close(self) -> None:
        """Write what is left, waiting no longer than two seconds."""
        atexit.unregister(self.close)
        self._loop.close(_PATIENCE_AT_CLOSE)

    def _hear(self, identity: str, call: Call, owners: Owners) -> None:
        """Take note of an answer, without waiting for anything."""
        if len(self._news) == _MOST_UNWRITTEN:
            self._dropped += 1
        self._news.append((Key(identity, call), Kept(owners, self._wall_clock())))
        if not self.trouble:
            self._loop.wake()

    def _round(self) -> float:
        self._try()
        self._pause = min(_LONGEST_PAUSE, self._pause * 2 or self._first_pause) if self.trouble else 0.0
        return self._pause or _TIDY_EVERY

    def _end(self) -> None:
        self._try()
        self._file.close()

    def _try(self) -> None:
        """Do all there is to do; if the file cannot be used, say so once, and keep the answers for the next time."""
        try:
            try:
                self._catch_up()
            except Damaged as damage:
                aside = self._file.set_aside()
                _log.warning("%s is damaged (%s): moved to %s, and a new one is begun", self.path, damage, aside)
                self._catch_up()
        except Exception as error:  # noqa: BLE001 - not even a bug may end the writing for good
            self._file.close()
            self._complain(error)
        else:
            if self.trouble:
                _log.info("%s is in use again; %d answers are missing in it", self.path, self._dropped)
            self.trouble, self._dropped = "", 0
        if self.trouble or not self._to_load:
            self._loaded.set()

    def _complain(self, error: Exception) -> None:
        expected = isinstance(error, Unusable)
        if not expected:  # the same would only bring the bug again
            self._unwritten = {}
            self._to_load.clear()
        trouble = f"{self.path}: {error if expected else f'a bug of omi-bridge: {type(error).__name__}'}"
        if trouble != self.trouble:
            _log.warning("what is remembered will not survive a restart: %s", trouble, exc_info=not expected)
        self.trouble = trouble

    def _catch_up(self) -> None:
        with self._file.table() as table:
            self._write(table)
            while self._to_load:
                self._load(table, *self._to_load[0])
                self._to_load.popleft()
            if self._written >= _TIDY_AFTER or time.monotonic() >= self._next_tidying:
                self._tidy(table)
                self._written, self._next_tidying = 0, time.monotonic() + _TIDY_EVERY

    def _write(self, table: AnswerTable) -> None:
        for _ in range(len(self._news)):
            key, kept = self._news.popleft()
            self._unwritten[key] = kept
        for key in list(self._unwritten)[:-_MOST_UNWRITTEN]:
            del self._unwritten[key]
            self._dropped += 1
        if self._unwritten:
            table.write(self._unwritten)
            self._written += len(self._unwritten)
            self._unwritten = {}

    def _load(self, table: AnswerTable, identity: str, cache: AnswerCache) -> None:
        now, started, count = self._wall_clock(), time.monotonic(), 0
        for call, kept in table.rows(identity, _limits(cache, now)):
            if self._loop.is_closing:
                return
            cache.restore(call, kept.owners, now - kept.stored_at if kept.stored_at <= now else cache.settings.ttl)
            count += 1
            if count % _FROZEN_EVERY == 0:
                gc.freeze()  # the collector, looking for garbage in what stays, would stop every call for up to seconds
        if count:
            _log.info("%d callers remembered from %s, read in %.1f s", count, self.path, time.monotonic() - started)

    def _tidy(self, table: AnswerTable) -> None:
        """Delete what nobody will ask for; the settings of memory are the same for all connectors."""
        if self._caches:
            identities, caches = zip(*self._caches.values(), strict=True)
            now = self._wall_clock()
            table.prune(identities, _limits(caches[-1], now), now, stamp=now - caches[-1].settings.ttl)


def _limits(cache: AnswerCache, now: float) -> Limits:
    settings = cache.settings
    return Limits(now - settings.ttl - settings.stale_ttl, settings.max_entries)
