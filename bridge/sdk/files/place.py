"""Where a file comes from that is read as a whole, apart from what stands in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bridge.sdk.disk.unreadable_file import why_unreadable


class Place(Protocol):
    """A file of this machine, which may be a copy of one that lies elsewhere. Nothing but `start` may wait."""

    of: str
    """What the file is a copy of, told from all else; nothing if it is no copy."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def path(self) -> Path:
        """Where it is on this machine, by now."""

    @property
    def trouble(self) -> str:
        """Why it cannot be brought here anew, or nothing."""

    def why_missing(self, error: OSError) -> str:
        """Say why it is not at its path, or cannot be looked at."""

    def age(self, written: float | None) -> float | None:
        """Return how many seconds ago it was known to be as it is, `written` seconds after it was written itself."""

    def report(self) -> Sequence[str]:
        """Return what `check` should tell of where it comes from."""

    def start(self) -> None:
        """Bring it here, if that is possible now."""

    def go_on(self) -> None:
        """Bring it here again and again, in a thread of its own."""

    def close(self) -> None:
        """Bring it here no more."""


class LocalFile:
    """A file of this machine itself."""

    of = ""
    trouble = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name

    def why_missing(self, error: OSError) -> str:
        """Say what lies there instead, and who may not read what."""
        return f"{self.name}: {why_unreadable(self.path, error)}"

    def age(self, written: float | None) -> float | None:
        """Return how long ago it was written."""
        return written

    def report(self) -> Sequence[str]:
        """Return nothing: all that there is to tell is in it."""
        return ()

    def start(self) -> None:
        """Do nothing, for it is here."""

    def go_on(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
