"""What was read ahead of the calls and was good: it stays in force until something better was read.

A reading that fails takes nothing away, and why it failed is told once. One that has lost more than half of what was
there is not believed unless the next one says the same: whoever reads in the middle of a disturbance, or may read
himself alone, sees such a list.
"""

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Generic, TypeVar

from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import SourceUnavailable

T = TypeVar("T")


class LastGood(Generic[T]):
    """The content in force; one thread changes it, and any may look. `name` and `kept` are for the log."""

    def __init__(self, name: str, kept: str, log: logging.Logger) -> None:
        self.content: T | None = None
        self.trouble = ""
        """Why the last reading did not count, or nothing."""
        self.failures = 0
        """How many readings in a row did not count."""
        self._name, self._kept, self._log = name, kept, log
        self._doubted: object = None

    def current(self) -> T:
        """Return the content in force; raises SourceUnavailable if there never was a good one."""
        if self.content is None:
            raise SourceUnavailable(self._placed(self.trouble or "has not been read yet"))
        return self.content

    def put(self, new: T) -> None:
        """Put a content in force."""
        before = self.trouble
        self.content, self.trouble, self.failures = new, "", 0
        if before:
            self._log.info("%s: is good again", self._name)

    def refuse(self, reason: str) -> None:
        """Keep what is in force and say why, once as long as the reason stays the same."""
        before, self.trouble = self.trouble, reason
        self.failures += 1
        if reason != before:
            in_force = "" if self.content is None else f"; {self._kept}"
            self._log.warning("%s%s", self._placed(reason), in_force)

    def loss(self, new: T, parts: Callable[[T], frozenset[object]], kept: ListState | None = None) -> str:
        """Return `only 2 of 9` if so few parts are left and no reading before said the same, nothing if all is well.

        In `kept` others learn what is doubted, and may confirm it.
        """
        kept = kept or ListState()
        found = parts(new)
        said_before, self._doubted = found == self._doubted, found
        before = len(parts(self.content)) if self.content is not None else 0
        digest = sha256("\n".join(sorted(map(repr, found))).encode()).hexdigest()
        if said_before or 2 * len(found) >= before or kept.confirms(digest):
            kept.settle()
            return ""
        told = f"only {len(found)} of {before}"
        kept.doubt(digest, len(found), f"{self._name}: {told} are left")
        return told

    def _placed(self, reason: str) -> str:
        return reason if reason.startswith(self._name) else f"{self._name}: {reason}"
