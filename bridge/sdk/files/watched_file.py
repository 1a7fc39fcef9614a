"""A file that is read again when it changes, whole or not at all: the last good content stays in force.

Nobody who asks ever waits for the file. A thread looks at its size, times and identity once a second; a change
is read only after the file has stood still for one whole second, for whoever writes it may be in the middle of it.
Looking beats being told (inotify): it works on network drives and through renames, and is the same everywhere.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from bridge.sdk.deadline import Clock
from bridge.sdk.disk.last_good import LastGood
from bridge.sdk.errors import SourceError, SourceUnavailable
from bridge.sdk.files.place import LocalFile, Place
from bridge.sdk.files.shrinking import Shrinking
from bridge.sdk.settings import written_duration
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.sdk.words import ago

_log = logging.getLogger(__name__)
_RESTLESS = 60
_INTERVAL = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Look:
    """What the file looks like from outside; `missing` says that it cannot be looked at, and `error` why not."""

    modified: int = 0
    changed: int = 0
    size: int = 0
    inode: int = 0
    missing: str = ""
    error: OSError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class _Content(Generic[T]):
    value: T
    modified: int


class WatchedFile(Generic[T]):
    """The content of the file at `place` as `load` makes it, kept up to date; a path is a file of this machine.

    `load` raises SourceError if the file cannot be used; its message is what the log says. `accept(old, new)`, if
    given, may refuse a new content by raising the same, for instance because it looks emptied. `announce` is told each
    content once it is in force, to log it. `shrinking` doubts what has lost too much. After `max_age` seconds a
    file that is not written any more is a trouble.
    """

    def __init__(  # noqa: PLR0913 - what is judged of a file, and what tests steer
        self,
        place: Path | Place,
        load: Callable[[Path], T],
        *,
        accept: Callable[[T, T], None] | None = None,
        announce: Callable[[T], None] | None = None,
        shrinking: Shrinking[T] | None = None,
        max_age: float | None = None,
        wait: Wait | None = None,
        wall_clock: Clock = time.time,
    ) -> None:
        self._place: Place = LocalFile(place) if isinstance(place, Path) else place
        self._load = load
        self._accept = accept
        self._announce = announce
        self._shrinking = shrinking
        self._max_age = max_age
        self._wall_clock = wall_clock
        self._loop = BackgroundLoop(f"watch {self._place.name}", self._watch, wait=wait)
        self._good: LastGood[_Content[T]] = LastGood(self._place.name, "the last good version stays in force", _log)
        self._seen: _Look | None = None
        self._moves = 0
        self._settled = False
        self._done: _Look | None = None
        self._fell_back = False

    def start(self) -> None:
        """Read the file at once, and go on watching it in a thread of its own, whether that worked or not."""
        if self._loop.is_running:
            return
        self._place.start()
        self._seen = look = self._look()
        self.poll()
        self._settled = self._look() == look and not 0 <= time.time() - look.modified / 1e9 < _INTERVAL
        self._loop.start(_INTERVAL)
        self._place.go_on()

    def current(self) -> T:
        """Return the content in force, without waiting; raises SourceUnavailable if there never was a good one."""
        return self._good.current().value

    @property
    def trouble(self) -> str:
        """What is wrong with the file as it is now, or nothing; the last good content may be in force all the same."""
        return "; ".join(dict.fromkeys(filter(None, (self._place.trouble, self._good.trouble, self._too_old()))))

    @property
    def unsettled(self) -> str:
        """Its name until it was read once while it stood still; nothing before `start`, and from then on."""
        return self._place.name if self._loop.is_running and not self._settled else ""

    def age(self) -> float | None:
        """Return how many seconds ago the content in force was known to be so, None if there is none.

        A file of this machine is known to be so when it is written, a copy when its original was last asked for.
        """
        return self._place.age(self._written_ago())

    def report(self) -> Sequence[str]:
        """Return what is to be told of where the file comes from."""
        return self._place.report()

    def poll(self) -> None:
        """Look at the file once, and read it if it has changed and stands still now: what the thread does each time."""
        look = self._look()
        moved, self._seen = look != self._seen, look
        self._moves = self._moves + 1 if moved else 0
        if moved:
            if self._moves >= _RESTLESS:
                self._refuse(f"{self._place.name}: keeps changing, and is not read before it stands still")
        elif look.error:
            self._done = None
            self._refuse(self._place.why_missing(look.error))
        elif look != self._done or (self._shrinking is not None and self._shrinking.is_confirmed()):
            self._read(look)
        elif self._shrinking is not None:
            self._shrinking.catch_up()
        self._settled = self._settled or (not moved and self._look() == look)

    def close(self) -> None:
        """Stop watching. A reading that is under way is not waited for long."""
        self._loop.close()
        self._place.close()

    def _too_old(self) -> str:
        """Say that nobody writes the file any more, if that is so."""
        age = self._written_ago()
        if age is None or self._max_age is None or age <= self._max_age:
            return ""
        return (
            f"{self._place.name}: was last written {ago(age)}, and max_age is "
            f"{written_duration(self._max_age)}: does what writes it still run? What it holds stays in force"
        )

    def _written_ago(self) -> float | None:
        content = self._good.content
        return None if content is None else max(0.0, self._wall_clock() - content.modified / 1e9)

    def _watch(self) -> float:
        self.poll()
        return _INTERVAL

    def _read(self, look: _Look) -> None:
        """Load the file that looks like `look` now, and put it in force if it is good."""
        path = self._place.path
        try:
            new = self._load(path)
            if self._look() != look:
                self._refuse(f"{self._place.name}: changed while it was being read")
                return
            self._judge(path, look, new)
        except SourceUnavailable as error:
            # What stands in the way may go without the file changing: it stays undone and is tried again.
            self._refuse(str(error))
        except SourceError as error:
            self._done = look
            self._refuse(str(error))
        except Exception:  # noqa: BLE001 - a bug in `load` must not end the watching
            # The same bytes would only bring it again.
            self._done = look
            _log.exception("%s: reading it failed", self._place.name)
            self._refuse(f"{self._place.name}: reading it failed")
        else:
            self._done = look
            self._good.put(_Content(new, look.modified))
            if self._shrinking is not None:
                self._shrinking.keep(path, (look.modified, look.size), new)
            if self._announce is not None:
                self._announce(new)

    def _judge(self, path: Path, look: _Look, new: T) -> None:
        """Raise UnexpectedAnswer if the content may not take the place of the one in force, or of the last good one."""
        in_force = None if self._good.content is None else self._good.content.value
        if self._accept is not None and in_force is not None:
            self._accept(in_force, new)
        if self._shrinking is not None:
            self._shrinking.check(path, (look.modified, look.size), new)

    def _refuse(self, reason: str) -> None:
        """Keep what is in force, or take the copy of the last good version, and say why."""
        if self._good.content is None and self._shrinking is not None and not self._fell_back:
            self._fell_back = True
            self._take_the_copy(self._shrinking, reason)
        self._good.refuse(reason)

    def _take_the_copy(self, shrinking: Shrinking[T], reason: str) -> None:
        """Put the last good version in force, as it was kept before this process began."""
        kept = shrinking.copy_of(self._place.path)
        try:
            if kept:
                copy = self._load(kept.path)
                self._good.content = _Content(copy, kept.modified)
                shrinking.stands_in(reason, copy)
        except SourceError as error:
            _log.warning("%s: the copy of its last good version cannot be used: %s", self._place.name, error)
        except Exception:  # noqa: BLE001 - as for the file itself
            _log.exception("%s: reading the copy of its last good version failed", self._place.name)

    def _look(self) -> _Look:
        try:
            seen = self._place.path.stat()
        except OSError as error:
            return _Look(missing=error.strerror or "cannot be read", error=error.with_traceback(None))
        return _Look(seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)
