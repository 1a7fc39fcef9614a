"""What the customers read ahead say about a caller, and how old that is: the door of this package.

What stands here counts like an answer of the age that it was read at. Every process looks once a second whether another
generation is in force; one of them reads (`keeper.py`), and all see.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.sdk.connector import AnyConnector, Owners
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import SourceError
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.forgotten import Forgotten
from bridge.storage.purges.purges import Purges
from bridge.storage.snapshot.generation import InForce, OwnersOfRank, facts_of, key_of, place_of
from bridge.storage.sqlite_file import Damaged

if TYPE_CHECKING:
    from bridge.sdk.connector import SnapshotSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Files:
    """Where the customers of one connector are kept."""

    folder: Path
    name: str

    @property
    def in_force(self) -> Path:
        """The generation in force."""
        return self.folder / f"{self.name}.snapshot"

    @property
    def reading(self) -> Path:
        """The one that is being read."""
        return self.folder / f"{self.name}.snapshot-reading"

    @property
    def stamp(self) -> Path:
        """Up to when nothing has changed."""
        return self.folder / f"{self.name}.snapshot-checked"

    @property
    def lock(self) -> Path:
        """Locked by the process that reads."""
        return self.folder / f"{self.name}.snapshot-lock"


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a caller, and of how many seconds ago; `owners` are those who count now."""

    owners: Owners
    age: float
    is_fresh: bool


class CustomerSnapshot:
    """The customers of one connector; `lives` are the seconds for which an answer is fresh, and used after that."""

    def __init__(  # noqa: PLR0913 - all that a snapshot joins
        self,
        connector: AnyConnector,
        files: Files,
        identity: str,
        lives: tuple[float, float],
        forgotten: Forgotten | None = None,
        wall_clock: Clock = time.time,
        *,
        purges: Purges | None = None,
    ) -> None:
        self._purges = purges or Purges()
        self.settings: SnapshotSettings = connector.config.snapshot
        self.files = files
        self.identity = identity
        self.wall_clock = wall_clock
        self.trouble = ""
        """Why the customers could not be read the last time, or nothing."""
        self._connector = connector
        self._fresh_for = max(lives[0], 2 * self.settings.every)
        self._used_for = self._fresh_for + lives[1]
        self._forgotten = forgotten or Forgotten()
        self._in_force: InForce | None = None
        self._damaged: tuple[int, int, int] | None = None
        self._lock = threading.Lock()

    @property
    def in_force(self) -> InForce | None:
        """What is in force, as this process knows by now."""
        return self._in_force

    @property
    def age(self) -> float | None:
        """How many seconds ago the customers were last known as a whole, None if they never were."""
        current = self._in_force
        if current is None:
            return None
        age = self.wall_clock() - current.done_at
        return age if age >= 0 else self._fresh_for  # the clock has been set back since

    @property
    def takes(self) -> float:
        """How many seconds the last reading of all customers took, 0 if there was none."""
        return float(self._in_force.facts.get("took", 0.0)) if self._in_force else 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether what is in force still answers without the source being asked."""
        return (age := self.age) is not None and age < self._fresh_for

    def look(self) -> None:
        """Take what is in force by now; what cannot be read is told."""
        current = self._in_force
        try:
            place = place_of(self.files.in_force)
            if place not in (current.place if current else None, self._damaged):
                with self._lock:
                    self._in_force = InForce.open(self.files.in_force, self.identity)
            if self._in_force:
                self._in_force.look(self.files.stamp)
                self._connector.kept.count(int(self._in_force.facts.get("seen", 0)))
        except (sqlite3.Error, OSError) as error:
            self._refuse(f"{self.files.in_force} cannot be read: {error}")

    def says(self, caller: PhoneNumber, explain: Any = None) -> Said | None:  # noqa: ANN401 - takes a line
        """Return what is known of a caller who is among the customers; None if nothing is, or nothing certain."""
        current, age = self._in_force, self.age
        if current is None or age is None or age >= self._used_for:
            return None
        if not self._forgotten.may_stay(caller, current.read_at):
            return None
        try:
            groups = current.find(key_of(caller))
            owners = self._counting(groups, explain) if groups else None
        except (Damaged, sqlite3.Error) as error:
            self._refuse(f"{self.files.in_force}: {error}: it is read anew")
            self._damaged, self._in_force = current.place, None
            return None
        if owners is None or not self._purges.allow_kept(caller, owners, current.read_at):
            return None
        return Said(owners, age, age < self._fresh_for)

    def callers_of(self, record: str) -> Sequence[PhoneNumber]:
        """Return the numbers of a record of the source, as they were read; none if that cannot be told."""
        try:
            found = self._in_force.numbers_of(record) if self._in_force else ()
        except sqlite3.Error:
            return ()
        return [PhoneNumber(f"+{number}") for number in found]

    def progress(self) -> str:
        """Say how far the reading under way is, whichever process reads, or nothing."""
        facts = facts_of(self.files.reading)
        return progress_of(facts) if facts and not facts.get("complete") else ""

    def counted(self) -> tuple[int, int]:
        """Return how many customers are read, of the reading under way if there is one, and how many there are."""
        facts = facts_of(self.files.reading) or (self._in_force.facts if self._in_force else {})
        return int(facts.get("seen", 0)), int(facts.get("total") or 0)

    def close(self) -> None:
        """Let go of the file."""
        current, self._in_force = self._in_force, None
        if current:
            current.close()

    def _counting(self, groups: Sequence[OwnersOfRank], explain: Any) -> Owners | None:  # noqa: ANN401 - takes a line
        """Return the owners of the first rank of whom somebody counts; None if a rank before them is not known."""
        for found in groups:
            counting = self._counting_of(found, explain) if found.is_known else None
            if counting is None:
                return None
            if counting:
                return counting
        return ()

    def _counting_of(self, found: OwnersOfRank, explain: Any) -> Owners | None:  # noqa: ANN401 - takes a line
        """Return who counts now, or did when the customers were read if that cannot be told; None if neither can."""
        ask = self._connector.counting
        try:
            return tuple(ask(found.owners, explain) if explain else ask(found.owners))
        except SourceError:
            return found.counted

    def _refuse(self, reason: str) -> None:
        if reason != self.trouble:
            _log.warning("snapshot: %s", reason)
        self.trouble = reason


def progress_of(facts: Mapping[str, Any]) -> str:
    """Say how far a reading is: `read 12,400 of 40,000, 3 min left`."""
    seen, total = int(facts.get("seen", 0)), int(facts.get("total") or 0)
    told = f"read {seen:,}" + (f" of {total:,}" if total >= seen else "")
    speed = float(facts.get("speed") or 0.0)
    if total > seen and speed > 0:
        told += f", {spoken((total - seen) / speed)} left"
    return told


def spoken(seconds: float) -> str:
    """Return a duration as one says it: `40 s`, `3 min`, `2.5 h`."""
    if seconds < 90:  # noqa: PLR2004 - below, minutes say too little
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004
