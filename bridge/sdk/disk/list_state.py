"""A list that has lost more than half of what it had is doubted: until somebody confirms it, or a later one agrees.

What is doubted stands in a file of the service's folder, so that a restart still doubts it, and so that whoever runs
`omi-bridge confirm NAME` confirms the very list that was told, for all processes. Where nothing may be written, a list
is doubted as long as the process lives.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bridge.sdk.deadline import Clock
from bridge.sdk.disk.own_file import Beginning, refuse_foreign
from bridge.sdk.disk.replaced_file import replace_file

FEWEST_DOUBTED = 20
"""Fewer rows may come and go as they like."""

_LATER = 60.0
_LARGEST_FILE = 64 * 1024
_BEGINS = {"doubted": b'{"digest": ', "confirmed": b'{"digest": '}
_BEGINS |= dict.fromkeys(("good.json", "downloaded.json"), b'{"of": ')
"""How each kind of file begins, by which it is known as ours."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is doubted: its `digest`, how much is left in it, what is said of it, and since when."""

    digest: str
    size: int
    told: str
    since: float


class ListState:
    """What is kept of one list in `folder`, under its `name`; nothing without a folder, and only read if not `writes`.

    Nothing that the disk does raises: `trouble` says why something could not be kept.
    """

    def __init__(
        self, folder: Path | None = None, name: str = "", *, writes: bool = False, wall_clock: Clock = time.time
    ) -> None:
        self.name = name
        self.writes = writes
        self.trouble = ""
        self.stands_in = ""
        """Why a copy from before this process is in force, and not the list itself, or nothing."""
        self.rows: int | None = None
        """How many rows are in force that lead to somebody, None if that is not known."""
        self.rows_before: int | None = None
        """How many there were before that changed, as far as this process has seen it."""
        self._folder = folder
        self._wall_clock = wall_clock
        self._doubt: Doubt | None = None

    @property
    def doubted(self) -> str:
        """What is said of the list that is doubted just now, nothing if none is."""
        return self._doubt.told if self._doubt else ""

    def believes(self, digest: str, size: int) -> bool:
        """Tell whether a list that lost more than half is believed: it was confirmed, or is the second of its kind.

        The second is another one, of like size and a minute later at least: a file may be half-written twice.
        """
        past = self._doubt or self._read_doubt()
        if self.confirms(digest):
            return True
        if past is None or past.digest == digest or self._wall_clock() - past.since < _LATER:
            return False
        return max(past.size, size) <= 2 * min(past.size, size)

    def doubt(self, digest: str, size: int, told: str) -> None:
        """Doubt a list from now on, or go on doubting it."""
        past = self._doubt or self._read_doubt()
        since = past.since if past and past.digest == digest else self._wall_clock()
        self._doubt = Doubt(digest, size, told, since)
        if self.path("doubted") and self._read_doubt() != self._doubt:
            self.write("doubted", json.dumps(asdict(self._doubt)))

    def confirms(self, digest: str) -> bool:
        """Tell whether somebody has confirmed this very list."""
        return (self.read("confirmed") or {}).get("digest") == digest

    def count(self, rows: int) -> None:
        """Take note of how many rows are in force from now on."""
        if rows != self.rows:
            self.rows_before, self.rows = self.rows, rows

    def is_confirmed(self) -> bool:
        """Tell whether what is doubted was confirmed meanwhile."""
        return self._doubt is not None and self.confirms(self._doubt.digest)

    def confirm(self) -> str:
        """Confirm what the service doubts, or else this very process; return what is said of it, nothing if none does.

        Raises OSError if that cannot be read or written.
        """
        doubted, path = self.path("doubted"), self.path("confirmed")
        if doubted is None or path is None:
            return ""
        if doubted.exists():
            doubted.open("rb").close()  # another user's is told as that
        doubt = self._read_doubt() or self._doubt
        if doubt is None:
            return ""
        _replace(path, json.dumps({"digest": doubt.digest}), _BEGINS["confirmed"])
        path.chmod(0o644)  # whoever confirms need not be the service's user
        return doubt.told

    def settle(self) -> None:
        """Doubt nothing any more."""
        self._doubt = None
        path = self.path("doubted")
        if path and self.writes:
            with contextlib.suppress(OSError):
                refuse_foreign(path, Beginning(_BEGINS["doubted"]))
                path.unlink(missing_ok=True)

    def path(self, kind: str) -> Path | None:
        """Return where something is kept, None if nothing is."""
        return self._folder / f"{self.name}.{kind}" if self._folder else None

    def read(self, kind: str) -> Mapping[str, Any] | None:
        """Return what is kept in a file, None if it is not there or is damaged."""
        path = self.path(kind)
        try:
            with (path or Path(os.devnull)).open("rb") as file:
                found = json.loads(file.read(_LARGEST_FILE))
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def write(self, kind: str, text: str) -> None:
        """Replace a file, all of it or nothing; if that fails, say so in `trouble`."""
        path = self.path(kind)
        if path is None or not self.writes:
            return
        try:
            _replace(path, text, _BEGINS[kind])
        except OSError as error:
            self.trouble = f"{path.parent} cannot be written: {error.strerror or error}"
        else:
            self.trouble = ""

    def _read_doubt(self) -> Doubt | None:
        found = self.read("doubted")
        try:
            return Doubt(**found) if found and isinstance(found["since"], float) else None
        except (LookupError, TypeError):
            return None


def _replace(path: Path, text: str, begins: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(path, text.encode(), begins=begins)
