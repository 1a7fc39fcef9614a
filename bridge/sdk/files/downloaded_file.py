"""A file that lies at an address, as a file of this machine: asked for again and again, and kept while that fails.

One process of the machine asks for all; the others read its copy, which is readable by the service's user only. A
process that may not write (a command, a configuration that is just tried) has a copy of its own, until it may.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bridge.sdk.deadline import Clock
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.disk.unreadable_file import why_unreadable
from bridge.sdk.errors import SourceError, SourceUnavailable
from bridge.sdk.files.download import Downloader, Version
from bridge.sdk.files.downloaded_copy import CopyFacts, OwnCopy, SharedCopy
from bridge.sdk.files.place import LocalFile, Place
from bridge.sdk.files.settings import FileSettings
from bridge.sdk.files.share_links import Format
from bridge.sdk.settings import written_duration
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.sdk.threads.retrying import pause_after
from bridge.sdk.words import ago

_log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0


class DownloadedFile:
    """A `Place` of which the original lies at the `url` of the settings; `kept` gives what is kept of the list."""

    def __init__(
        self,
        settings: FileSettings,
        wanted: Format,
        kept: Callable[[], ListState],
        *,
        wait: Wait | None = None,
        clock: Clock = time.monotonic,
        wall_clock: Clock = time.time,
    ) -> None:
        self._source = Downloader(settings, wanted)
        self.name = self._source.host
        self.of = hashlib.sha256(self._source.address.encode()).hexdigest()
        self._refresh = settings.refresh
        self._kept = kept
        self._clock, self._wall_clock = clock, wall_clock
        self._loop = BackgroundLoop(f"download from {self.name}", self.round, wait=wait, at_end=self._let_go)
        self._own: OwnCopy | None = None
        self._shared: SharedCopy | None = None
        self._copy: OwnCopy | SharedCopy | None = None
        self._due = float("-inf")
        self._failures = 0

    @property
    def path(self) -> Path:
        """Where the copy is that this process reads."""
        return self._copy.path if self._copy else Path(self.name)

    @property
    def trouble(self) -> str:
        """Why the file could not be had the last time, or nothing."""
        return self._facts.trouble

    def why_missing(self, error: OSError) -> str:
        """Say why there is no copy."""
        if self._facts.digest:
            return f"{self.name}: its copy cannot be read: {why_unreadable(self.path, error)}"
        return self.trouble or f"{self.name}: has not been downloaded yet"

    def age(self, written: float | None) -> float | None:
        """Return how long ago the address was last asked with success; None if nothing is in force."""
        asked_at = self._facts.asked_at
        return None if written is None or not asked_at else max(0.0, self._wall_clock() - asked_at)

    def report(self) -> Sequence[str]:
        """Return when the file was asked for, and since when it is as it is."""
        facts, now = self._facts, self._wall_clock()
        if not facts.asked_at:
            return ()
        changed, asked = ago(now - facts.changed_at), ago(now - facts.asked_at)
        again = written_duration(self._refresh)
        return (f"{self.name}: a copy is in force that changed {changed}; asked {asked}, every {again}",)

    def start(self) -> None:
        """Take the copy that is kept, else ask for the file."""
        if not self._is_shared():
            self.round()

    def go_on(self) -> None:
        """Ask for it again and again, in a thread of its own."""
        self._loop.start(_LOOK_EVERY)

    def close(self) -> None:
        """Ask no more. What is under way is not waited for long."""
        self._loop.close()
        if not self._loop.is_running:
            self._let_go()

    def round(self) -> float:
        """Ask for the file if that is due and up to this process; return when to look again."""
        if self._is_up_to_us() and self._clock() >= self._due:
            self._ask(self._copy or self._own_copy())
            self._is_shared()
        return _LOOK_EVERY

    @property
    def _facts(self) -> CopyFacts:
        copy = self._copy or self._shared
        return copy.facts if copy else CopyFacts(self.of)

    def _is_up_to_us(self) -> bool:
        """Tell whether no other process asks for all; if one does, learn what it says."""
        if self._is_shared() and self._shared and not self._shared.may_ask():
            self._shared.look()
            return False
        return not (self._shared and self._shared.is_asked_for_elsewhere)

    def _is_shared(self) -> bool:
        """Change to the copy that all share, once this process may write, and there is one or it makes it."""
        shared = self._shared = self._shared or SharedCopy.of_list(self._kept(), self.of)
        if shared is None or self._copy is shared:
            return shared is not None
        if not shared.holds_it() and not (shared.may_ask() and self._has_shared(shared)):
            return False
        self._copy = shared
        if self._own:
            self._own.close()
        return True

    def _has_shared(self, shared: SharedCopy) -> bool:
        """Put what this process has alone where all have it; tell whether that is done."""
        own = self._own
        if own is None or not own.facts.digest:
            return False
        try:
            shared.store(own.path.read_bytes(), own.facts)
        except SourceUnavailable as error:
            own.tell(replace(own.facts, trouble=str(error)))
            shared.tell_trouble(str(error))
            return False
        except OSError:  # somebody has tidied up the folder: asked for anew
            own.facts, self._due = CopyFacts(self.of), float("-inf")
            return False
        return True

    def _own_copy(self) -> OwnCopy:
        self._own = self._copy = OwnCopy(self._kept().name, self.of)
        return self._own

    def _ask(self, copy: OwnCopy | SharedCopy) -> None:
        """Ask for the file, and keep what comes."""
        before = copy.facts
        known = Version(before.etag, before.modified) if copy.path.exists() else Version()
        try:
            self._take(copy, self._source.fetch(known))
        except SourceError as error:
            self._failures += 1
            self._due = self._clock() + pause_after(error, self._failures, self._refresh)
            if str(error) != before.trouble:
                _log.warning("%s%s", error, "; the copy stays in force" if before.digest else "")
            copy.tell(replace(before, trouble=str(error)))
            if copy is self._own and self._shared and self._shared.may_ask():
                self._shared.tell_trouble(str(error))  # to those who have no copy either
        else:
            self._failures, self._due = 0, self._clock() + self._refresh
            if before.trouble:
                _log.info("%s: can be downloaded again", self.name)

    def _take(self, copy: OwnCopy | SharedCopy, found: tuple[bytes, Version] | None) -> None:
        """Keep what was answered, if it is new. Raises SourceUnavailable if that cannot be written."""
        before, now = copy.facts, self._wall_clock()
        if found is None:
            copy.tell(replace(before, asked_at=now, trouble=""))
            return
        content, version = found
        digest = hashlib.sha256(content).hexdigest()
        changed_at = before.changed_at if digest == before.digest else now
        facts = CopyFacts(self.of, digest, version.etag, version.modified, changed_at, now)
        if digest == before.digest and copy.path.exists():
            copy.tell(facts)  # what reads the file need not read it again
        else:
            copy.store(content, facts)

    def _let_go(self) -> None:
        self._source.close()
        for copy in (self._own, self._shared):
            if copy:
                copy.close()


def place_of(settings: FileSettings, wanted: Format, kept: Callable[[], ListState], wait: Wait | None = None) -> Place:
    """Return where the file of the settings comes from, in the form that is wanted if there is a choice."""
    if settings.path is not None:
        return LocalFile(settings.path)
    return DownloadedFile(settings, wanted, kept, wait=wait)
