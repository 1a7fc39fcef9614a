"""The databases that this process has open, which nobody opens beside SQLite.

Whoever closes a descriptor of a file gives up all locks that his process has on it, SQLite's as well
(https://sqlite.org/howtocorrupt.html, section 2.2). Another process then takes itself for the last one that uses the
database, and deletes what is not in the file yet, though it is still written here.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

Place = tuple[int, int]
"""The device and the number of a file."""

_locks = [threading.Lock() for _ in range(64)]  # a file on a drive that hangs does not keep all others waiting
_open: dict[Place, list[bytes]] = {}


def place_of(status: os.stat_result) -> Place:
    """Return which file it is."""
    return status.st_dev, status.st_ino


def begin(place: Place, head: bytes) -> None:
    """Take note that a database that begins like `head` is going to be opened by SQLite: call it before that."""
    with _lock_of(place):
        _open.setdefault(place, []).append(head)


def end(place: Place) -> None:
    """Take note that it is closed again: call it after that."""
    with _lock_of(place):
        _open[place].pop()
        if not _open[place]:
            del _open[place]


@contextmanager
def kept_closed(place: Place) -> Iterator[bytes | None]:
    """Give how the file begins if it is open here; else None, and nobody opens it while the block looks into it."""
    with _lock_of(place):
        yield _open[place][0] if place in _open else None


def _lock_of(place: Place) -> threading.Lock:
    return _locks[hash(place) % len(_locks)]
