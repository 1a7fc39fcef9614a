"""Something written to a file behind the back of whoever has it to tell, so that a disk costs nobody's time.

One thread does everything that touches the disk. Who has news puts it into a queue that never blocks: a slow, full,
hung or broken disk costs the oldest of what it would have kept and nothing else. A process that dies loses the last
moment.
"""

import atexit
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from bridge.sdk.threads.background import BackgroundLoop
from bridge.storage.sqlite_file import Damaged, DatabaseTable, SqliteFile, Unusable

_log = logging.getLogger(__name__)

_PATIENCE_AT_CLOSE = 2.0

N = TypeVar("N")
T = TypeVar("T", bound=DatabaseTable)


@dataclass(frozen=True, slots=True)
class Terms:
    """How something is written: `most` news at once, `gather` seconds after the first and `idle` after the last.

    `lost` says what a file that cannot be used means; it is tried again after `pause` seconds, doubled each time up to
    `longest_pause`.
    """

    lost: str
    most: int
    gather: float
    pause: float
    longest_pause: float
    idle: float = math.inf


class WriteBehind(Generic[N, T]):
    """The file at `path` with one kind of table. `write` gets what is new, and does all else there is to do with it.

    `after` is told of each end of `write`, and of its failure.
    """

    def __init__(
        self,
        path: Path,
        kind: type[T],
        write: Callable[[T, Sequence[N]], None],
        terms: Terms,
        *,
        after: Callable[[Exception | None], None] = lambda _error: None,
    ) -> None:
        self.path = path
        self.trouble = ""
        """Why nothing is kept just now, or nothing if it is."""
        self._file = SqliteFile(path, kind)
        self._write, self._after, self._terms = write, after, terms
        self._news: deque[N] = deque(maxlen=terms.most)
        self._unwritten: deque[N] = deque(maxlen=terms.most)
        self._dropped = 0
        self._pause = 0.0
        self._loop = BackgroundLoop(f"write-{path.name}", self._round, gather=terms.gather, at_end=self._end)

    @property
    def is_closing(self) -> bool:
        """Whether it is to end, for work that takes long."""
        return self._loop.is_closing

    def hear(self, news: N) -> None:
        """Take note, without waiting for anything."""
        if len(self._news) == self._news.maxlen:
            self._dropped += 1
        self._news.append(news)
        self.wake()

    def wake(self) -> None:
        """Let the thread go on; while the file cannot be used, it does when its time has come."""
        if not self.trouble:
            self._loop.wake()

    def start(self, after: float = 0.0) -> None:
        """Begin to write, in a thread of its own; after so many seconds if nothing is heard before."""
        if not self._loop.is_running:
            self._loop.start(after)
            atexit.register(self.close)

    def close(self) -> None:
        """Write what is left, waiting no longer than two seconds."""
        atexit.unregister(self.close)
        self._loop.close(_PATIENCE_AT_CLOSE)

    def _round(self) -> float:
        self._try()
        longer = min(self._terms.longest_pause, self._pause * 2 or self._terms.pause)
        self._pause = longer if self.trouble else 0.0
        if self._news:  # heard while the trouble was about to end
            self.wake()
        return self._pause or self._terms.idle

    def _end(self) -> None:
        self._try()
        self._file.close()

    def _try(self) -> None:
        """Do all there is to do; if the file cannot be used, say so once, and keep the news for the next time."""
        failure: Exception | None = None
        self._collect()
        try:
            self._do()
        except Exception as error:  # noqa: BLE001 - not even a bug may end the writing for good
            failure = error
            self._file.close()
            self._complain(error)
        else:
            self._unwritten.clear()
            if self.trouble:
                _log.info("%s is in use again; %d entries are missing in it", self.path, self._dropped)
            self.trouble, self._dropped = "", 0
        self._after(failure)

    def _collect(self) -> None:
        for _ in range(len(self._news)):
            self._dropped += len(self._unwritten) == self._unwritten.maxlen
            self._unwritten.append(self._news.popleft())

    def _do(self) -> None:
        try:
            with self._file.table() as table:
                self._write(table, self._unwritten)
        except Damaged as damage:
            aside = self._file.set_aside()
            _log.warning("%s is damaged (%s): moved to %s, and a new one is begun", self.path, damage, aside)
            with self._file.table() as table:
                self._write(table, self._unwritten)

    def _complain(self, error: Exception) -> None:
        expected = isinstance(error, Unusable)
        if not expected:  # the same would only bring the bug again
            self._unwritten.clear()
        trouble = f"{self.path}: {error if expected else f'a bug of omi-bridge: {type(error).__name__}'}"
        if trouble != self.trouble:
            _log.warning("%s: %s", self._terms.lost, trouble, exc_info=not expected)
        self.trouble = trouble
