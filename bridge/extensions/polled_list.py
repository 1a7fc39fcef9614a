"""One list of extensions that lies elsewhere, read again and again in the background; the last good one is in force.

Nobody who asks ever waits for the source. What it returns is judged before it counts: a list that names nobody never
takes the place of a good one, and one that has lost more than half of its names does only if the next reading says so
again, for whoever reads in the middle of a disturbance sees such a list. What was kept on disk serves a start while the
source is away.
"""

import logging
import threading
import time
import traceback
from collections.abc import Sequence

from bridge.config.loading import ConfiguredList
from bridge.extensions.content import ListContent, content_of, sanitised_entries
from bridge.extensions.index import ExtensionMap
from bridge.extensions.snapshot import ListSnapshot, as_text, from_text, is_text
from bridge.resilience.sanitizing import lines
from bridge.sdk.connector import Attention
from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.disk.last_good import LastGood
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import SourceError, UnexpectedAnswer
from bridge.sdk.extension_source import AnyExtensionSource, ExtensionEntry
from bridge.sdk.http.certificates import in_the_name_of
from bridge.sdk.shared import Shared, newer_than_seen
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.sdk.threads.retrying import pause_after

_log = logging.getLogger(__name__)

_LEAST_PAUSE = 5.0


class PolledList:
    """The list of one source."""

    def __init__(self, source: ConfiguredList, *, clock: Clock = time.monotonic, wait: Wait | None = None) -> None:
        self.settings = source
        self.name = f"extensions.{source.name}"
        self.of_the_pbx = source.source.of_the_pbx
        self._source: AnyExtensionSource | None = None  # made by the thread that reads: it may wait, and nobody else
        self._clock = clock
        self._loop = BackgroundLoop(self.name, self._round, at_end=self._release, wait=wait)
        self._tried = threading.Event()
        self.kept = ListState()
        """What is doubted, for other processes; given before `start`."""
        self._kept = ListSnapshot(source) if source.config.keep else None
        self._shared = Shared()
        self._writes = False
        self._unwritten: Sequence[ExtensionEntry] = ()
        self._good: LastGood[ListContent] = LastGood(self.name, "the last good list stays in force", _log)
        self._began: float | None = None
        self._read_at: float | None = None
        self._source_says: tuple[str, ...] = ()

    def share(self, shared: Shared) -> None:
        """Read what another instance has read within `refresh`, if there is such a list, and let others read ours."""
        self._shared = shared

    def start(self, *, writes: bool = True) -> None:
        """Take what was kept, and read in a thread of its own from now on; `writes` keeps each good list on disk."""
        if self._loop.is_running:
            return
        self._writes = writes
        if self._kept and (entries := self._kept.read()):
            self._good.put(content_of(entries, ("kept on disk, not read anew yet",), self.name))
        self._loop.start()

    def begin_writing(self) -> None:
        """Keep on disk from now on each good list, and the last one that was not kept."""
        self.kept.writes = self._writes = True
        unwritten, self._unwritten = self._unwritten, ()
        if self._kept and unwritten:
            self._kept.write(unwritten)

    def wait(self, seconds: float) -> None:
        """Wait until the source was read for the first time, with whatever result, `seconds` at most."""
        self._tried.wait(seconds)

    @property
    def ready(self) -> bool:
        """Tell whether there is a list in force."""
        return self._good.content is not None

    @property
    def is_tried(self) -> bool:
        """Tell whether the source was read once, with whatever result."""
        return self._tried.is_set()

    def content_age(self) -> float | None:
        """Return how many seconds ago the list in force was read; None if there is none, or it was kept on disk."""
        return None if self._read_at is None else self._clock() - self._read_at

    def current(self) -> ExtensionMap:
        """Return the list in force; raises SourceUnavailable if there never was a good one."""
        return self._good.current().entries

    @property
    def extensions(self) -> frozenset[str]:
        """All extensions of the list in force, also those of nobody who is named."""
        return self._good.content.extensions if self._good.content else frozenset()

    @property
    def failure(self) -> str:
        """Why the source could not be read the last time, or nothing; the last good list may be in force."""
        began, timeout = self._began, self.settings.config.timeout
        if began is not None and self._clock() - began > 2 * timeout:
            return f"has been read for more than {2 * timeout:.0f} s, and does not come to an end"
        return self._good.trouble or ("" if self.ready else "has not been read yet")

    @property
    def trouble(self) -> str:
        """What is wrong with the source or with the file that keeps its list, or nothing."""
        return "; ".join(filter(None, (self.failure, self._kept.trouble if self._kept else "")))

    @property
    def cannot_keep(self) -> str:
        """Why the list could not be kept on disk, as far as can be told without trying, or nothing."""
        return self._kept.obstacle() if self._kept else ""

    def report(self) -> tuple[str, ...]:
        """Return what was read; raises SourceUnavailable as `current` does."""
        return self._good.current().told

    def close(self) -> None:
        """Read no more. A reading that is under way is not waited for long."""
        self._loop.close()
        if not self._loop.is_running:
            self._release()

    def _round(self) -> float:
        """Read once; return after how many seconds to read again."""
        self._began = self._clock()
        try:
            self._take(self._read())
        except SourceError as error:
            self._good.refuse(str(error))
            return pause_after(error, self._good.failures, self.settings.config.refresh)
        finally:
            self._began = None
            self._tried.set()
        return max(_LEAST_PAUSE, self.settings.config.refresh - (self.content_age() or 0.0))

    def _read(self) -> Sequence[ExtensionEntry]:
        """Return the list, another instance's if it is younger than `refresh` and than what was read here last."""
        refresh, timeout = self.settings.config.refresh, self.settings.config.timeout
        deadline = Deadline.after(timeout, self._clock)
        seconds = newer_than_seen(refresh, self.content_age())
        found = self._shared.once(
            "list",
            lambda: as_text(self._asked(deadline)),
            seconds=seconds,
            patience=timeout,
            good=is_text,
            pause=lambda error: pause_after(error, self._good.failures + 1, refresh),
        )
        self._source_says = self._notes() if found.age == 0 else ("read by another instance",)
        self._read_at = self._clock() - found.age
        return sanitised_entries(from_text(found.content), deadline)

    def _asked(self, deadline: Deadline) -> Sequence[ExtensionEntry]:
        try:
            if self._source is None:
                with in_the_name_of(self.name):
                    self._source = self.settings.source(self.settings.config)
            return sanitised_entries(self._source.read(deadline), deadline)
        except SourceError:
            raise
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            _log.error("%s has a bug:\n%s", self.name, "".join(traceback.format_exception(error)))
            kind = type(error).__name__
        raise UnexpectedAnswer(f"a bug in the source: {kind}")

    def _take(self, entries: Sequence[ExtensionEntry]) -> None:
        """Put a list in force if it may be; raises UnexpectedAnswer if not."""
        new = content_of(entries, self._source_says, self.name)
        if loss := self._good.loss(new, _names_in, self.kept):
            raise UnexpectedAnswer(
                f"{loss} names are left: if the next reading says so again, or `omi-bridge confirm {self.name}`, it is "
                "believed"
            )
        if self._good.content is None or self._good.content.told != new.told:
            _log.info("read %s: %s", self.name, "; ".join(new.told))
        self._good.put(new)
        self.kept.count(len(_names_in(new)))
        if not self._writes:
            self._unwritten = entries
        elif self._kept:
            self._kept.write(entries)

    def _notes(self) -> tuple[str, ...]:
        try:
            return tuple(lines(self._source.report())) if self._source else ()
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            return (Attention(f"a bug in the source's report: {type(error).__name__}"),)

    def _release(self) -> None:
        try:
            if self._source:
                self._source.close()
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            _log.error("%s has a bug: %s when it is closed", self.name, type(error).__name__)


def _names_in(content: ListContent) -> frozenset[object]:
    return frozenset((name, row.extensions) for row in content.entries.rows for name in row.written)
