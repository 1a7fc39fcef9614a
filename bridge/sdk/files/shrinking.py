"""A file that has lost more than half of its rows is doubted, as a list that is read from elsewhere is.

So is, at a start, one that ends in the middle where the last good version did not.

The last good version stays in force: the one that is in the memory, or after a restart the copy that was kept of it.
What counts is the most that it had since half of it was last lost with somebody's word: a file that is being emptied
loses it in steps.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from bridge.sdk.disk.list_state import FEWEST_DOUBTED, ListState
from bridge.sdk.errors import SourceUnavailable, UnexpectedAnswer
from bridge.sdk.files.kept_copy import Facts, KeptCopy
from bridge.sdk.tables.table import Ending

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Copy:
    """A version of the file that was kept, and when it was written."""

    path: Path
    modified: int


class Shrinking(Generic[T]):
    """Judges each version of a file by its `rows`; `kept` is what is kept of the file.

    `ending` says how a version ended: one that ends worse than the copy of the last good one looks half-written, also
    to a process that has just begun. `of` is the address of which the file is a copy.
    """

    def __init__(
        self,
        rows: Callable[[T], int],
        kept: Callable[[], ListState],
        ending: Callable[[T], Ending] | None = None,
        of: str = "",
    ) -> None:
        self._rows = rows
        self._ending = ending
        self._kept = kept
        self._of = of
        self._most = 0
        self._has_kept = False
        self._postponed: tuple[Path, tuple[int, int], Ending | None] | None = None

    def is_confirmed(self) -> bool:
        """Tell whether the version that is doubted was confirmed meanwhile."""
        return self._kept().is_confirmed()

    def check(self, path: Path, looks: tuple[int, int], new: T) -> None:
        """Raise UnexpectedAnswer if more than half is lost, and nobody has said that this is right.

        `looks` are the time and the size of the file: one that looks like the last good one is that one. Until a
        version of this process's own was good, what was kept of those before is what counts.
        """
        kept, left = self._kept(), self._rows(new)
        worse = ""
        if not self._has_kept:
            facts = KeptCopy(path, kept, self._of).facts()
            self._most = facts.rows if facts else 0
            if facts and (facts.modified, facts.bytes) == looks:
                return
            worse = self._ends_worse(new, facts) if facts else ""
        before = self._most
        if not worse and (before < FEWEST_DOUBTED or 2 * left >= before):
            return
        digest = _digest_of(path)
        if kept.believes(digest, left):
            return
        by_hand = f"`omi-bridge confirm {kept.name}`" if kept.path("doubted") else "a restart"
        loss = worse or f"{path.name}: only {left} of {before} rows are left that lead to somebody"
        kept.doubt(digest, left, loss)
        raise UnexpectedAnswer(f"{loss}: not believed before {by_hand}, or another version of like size a minute later")

    def copy_of(self, path: Path) -> Copy | None:
        """Return the last good version that was kept, None if there is none."""
        copy = KeptCopy(path, self._kept(), self._of)
        facts = copy.facts()
        return Copy(copy.path, facts.modified) if facts and copy.path else None

    def stands_in(self, words: str, copy: T) -> None:
        """Say for whoever checks that a copy is in force, and the file itself cannot be."""
        self._kept().stands_in = words
        self._kept().count(self._rows(copy))

    def _ends_worse(self, new: T, facts: Facts) -> str:
        """Say why a version looks half-written beside the one of which a copy is kept, or nothing."""
        ending = self._ending(new) if self._ending else None
        if ending is None or not (ending.rows or facts.rows):
            return ""
        before = Ending(ending.file, facts.rows, facts.last_row_whole, facts.last_line_finished)
        try:
            ending.check_against(before)
        except UnexpectedAnswer as error:
            return str(error)
        return ""

    def keep(self, path: Path, looks: tuple[int, int], new: T) -> None:
        """Doubt nothing any more, and keep a copy of the version that is in force now."""
        rows, self._has_kept = self._rows(new), True
        self._kept().count(rows)
        self._most = max(rows, self._most) if 2 * rows >= self._most else rows
        self._keep(path, looks, self._ending(new) if self._ending else None)

    def catch_up(self) -> None:
        """Keep the copy that could not be taken yet, if it may be by now; the file still looks as it did then."""
        if self._postponed and self._kept().writes:
            self._keep(*self._postponed)

    def _keep(self, path: Path, looks: tuple[int, int], ending: Ending | None) -> None:
        kept = self._kept()
        said = kept.trouble
        self._postponed = None if kept.writes else (path, looks, ending)
        kept.settle()
        kept.stands_in = ""
        KeptCopy(path, kept, self._of).keep(looks, self._most, ending)
        if kept.trouble and kept.trouble != said:
            _log.warning("%s: %s: after a restart nobody can tell whether it has shrunk", path.name, kept.trouble)


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceUnavailable(f"{path.name}: cannot be read: {error.strerror or error}") from None
