"""A copy of the last good version of a file, for a start at which the file itself is doubted.

It holds the file's bytes, readable by the service's user only, and beside it stands what the file looked like and how
many rows it had at most; a file that still looks so needs no copy and no doubt.
"""

import filecmp
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bridge.sdk.disk.list_state import ListState
from bridge.sdk.disk.own_file import WithFacts
from bridge.sdk.disk.replaced_file import replacing
from bridge.sdk.tables.table import Ending

_KIND, _FACTS = "good", "good.json"


@dataclass(frozen=True, slots=True)
class Facts:
    """Whose copy it is, and what the file looked like when it was taken."""

    of: str
    modified: int
    bytes: int
    rows: int
    last_row_whole: bool = False
    last_line_finished: bool = False


class _ChangedError(Exception):
    """The file is not any more what was read of it."""


class KeptCopy:
    """The copy of the file at `path`, which is a copy itself `of` an address, kept with what else is kept of it."""

    def __init__(self, path: Path, kept: ListState, of: str = "") -> None:
        self._path = path
        self._of = of or str(path.absolute())
        self._kept = kept

    def facts(self) -> Facts | None:
        """Return what is known of the copy, None if there is none of this file."""
        found = self._kept.read(_FACTS) or {}
        try:
            facts = Facts(**found)
        except TypeError:
            return None
        return facts if facts.of == self._of else None

    @property
    def path(self) -> Path | None:
        """Where the copy is, None if there is none."""
        return self._kept.path(_KIND)

    def keep(self, looks: tuple[int, int], rows: int, ending: Ending | None) -> None:
        """Take a copy of the file, which looks and ends so, unless it was taken; what stands in the way is told."""
        whole, finished = (ending.last_row_whole, ending.last_line_finished) if ending else (False, False)
        facts = Facts(self._of, *looks, rows, whole, finished)
        target = self.path
        if target is None or not self._kept.writes or self.facts() == facts:
            return
        try:
            self._copy(target, WithFacts(known=self._is_known(target)), looks)
        except _ChangedError:  # the copy before stays: what stands there by now was not read, and may not be good
            pass
        except OSError as error:
            self._kept.trouble = f"no copy is kept in {target.parent}: {error.strerror or error}"
            return
        self._kept.write(_FACTS, json.dumps({name: getattr(facts, name) for name in Facts.__slots__}))

    def _is_known(self, target: Path) -> bool:
        """Tell whether what stands there is ours: it may be the same copy, by a process that has no facts yet."""
        if self._kept.read(_FACTS) is not None:
            return True
        try:
            return filecmp.cmp(self._path, target, shallow=False)
        except FileNotFoundError:
            return False

    def _copy(self, target: Path, mark: WithFacts, looks: tuple[int, int]) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(target, mark) as new, self._path.open("rb") as file:
            shutil.copyfileobj(file, new, 1 << 20)
            by_now = os.fstat(file.fileno())
            if (by_now.st_mtime_ns, by_now.st_size) != looks:
                raise _ChangedError
