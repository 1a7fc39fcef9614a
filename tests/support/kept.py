"""What the tests of the store share, also those that run in a process of their own."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bridge.config.sections import Cache
from bridge.sdk import Call, Clock, Owner, PhoneNumber
from bridge.storage.cache import AnswerCache
from bridge.storage.cache_file import CacheFile
from bridge.storage.forgotten import Forgotten
from bridge.storage.purges.purges import Purges

SETTINGS = Cache.model_validate({"ttl": "10m", "stale_ttl": "1h"})
LAN = (Owner(id="7", email="lan@congty.example"), Owner(name="Bình", extension="0101"))


def call(number: int = 0, hotline: str | None = None) -> Call:
    return Call(PhoneNumber(f"+849{number:08}"), PhoneNumber(hotline) if hotline else None)


@contextmanager
def life(  # noqa: PLR0913 - all that a life may be given
    path: Path,
    wall_clock: Clock = time.time,
    *,
    identity: str = "crm",
    settings: Cache = SETTINGS,
    pause: float = 0.01,
    forgotten: Forgotten | None = None,
    purges: Purges | None = None,
) -> Iterator[tuple[AnswerCache, CacheFile]]:
    """Be a service from its start to its end, with one connector."""
    cache = AnswerCache(settings, forgotten=forgotten, purges=purges)
    store = CacheFile(path, wall_clock, pause=pause, forgotten=forgotten, purges=purges)
    store.keep(identity, cache)
    store.start()
    try:
        assert store.wait_until_loaded(30)
        yield cache, store
    finally:
        store.close()


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        threading.Event().wait(0.01)


def rows(path: Path) -> int:
    """Count what is in the file; nothing if it cannot be read at this moment."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM answers").fetchone()[0])
    except sqlite3.Error:
        return 0
