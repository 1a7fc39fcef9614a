"""Reading the customers ahead: one process of the machine does, again and again, behind all calls.

A reading that is ended, however that happens, goes on where it was; one that fails keeps its place and is tried again.
What is in force is replaced by a whole generation alone. One that has lost more than half of its numbers is doubted, as
any list is (`bridge.sdk.disk.list_state`).
"""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bridge.resilience.sanitizing import failure_of
from bridge.sdk.connector import AnyConnector, CustomerPage
from bridge.sdk.deadline import Clock
from bridge.sdk.disk.claim import Claim
from bridge.sdk.disk.list_state import FEWEST_DOUBTED
from bridge.sdk.errors import SourceError
from bridge.sdk.http.rate_limit import calls_come_first
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.shared import at_hand
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.storage.snapshot.generation import Generation, InForce, key_of, put_in_force, replace_changed
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Files, progress_of, spoken
from bridge.storage.sqlite_file import Unusable

_log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0
_OVERLAP = 300.0
"""Seconds of changes that are asked for once more: the clocks of two machines differ, and a CRM writes late."""

_OLDEST_READING = 86400.0
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
_TOLD_EVERY = 60.0


class Keeper:
    """Keeps a connector's customers: `why_not` says why the source cannot be asked yet, or nothing."""

    def __init__(
        self,
        name: str,
        connector: AnyConnector,
        snapshot: CustomerSnapshot,
        why_not: Callable[[], str],
        clock: Clock = time.monotonic,
        wait: Wait | None = None,
    ) -> None:
        self.snapshot = snapshot
        self._name = name
        self._connector = connector
        self._why_not = why_not
        self._clock = clock
        self._claim = Claim(snapshot.files.lock)
        self._loop = BackgroundLoop(f"snapshot-{name}", self.round, wait=wait, at_end=self.let_go)
        self._not_before = float("-inf")
        self._pause = _FIRST_PAUSE
        self._told_at = float("-inf")
        self._seen_at_begin, self._begun = 0, 0.0

    def start(self) -> None:
        """Look for what is in force, and read what is due, in a thread of its own."""
        self.snapshot.look()
        self._loop.start()

    def close(self) -> None:
        """Read no more; what was read by now is gone on with at the next start."""
        self._loop.close()
        self.snapshot.close()

    def round(self) -> float:
        """Take what is in force, and read if that is due and no other process does; return when to look again."""
        self.snapshot.look()
        kept = self._connector.kept
        is_time = self._clock() >= self._not_before or (kept.doubted and kept.is_confirmed())
        if is_time and not self._why_not() and self._claim.take():
            self._read_what_is_due()
        return _LOOK_EVERY

    def _read_what_is_due(self) -> None:
        try:
            with calls_come_first(), at_hand(self._connector.shared):
                if self._is_doubted():
                    return
                if self._needs_all():
                    self._read_all()
                elif (current := self.snapshot.in_force) and self._is_due():
                    self._read_changes(current)
        except (sqlite3.Error, OSError) as error:
            self._failed(f"{self.snapshot.files.folder}: {error}", None)
        except BaseException as error:  # noqa: BLE001 - a stranger's code
            failure = failure_of(self._name, error)
            self._failed(str(failure) or failure.reason, getattr(failure, "retry_after", None))

    def _needs_all(self) -> bool:
        """Tell whether all customers are to be read now: a reading has begun, or what is in force is too old."""
        current = self.snapshot.in_force
        if current is None or self.snapshot.files.reading.exists():
            return True
        settings = self.snapshot.settings
        every = max(settings.whole, settings.every) if self._connector.lists_changes else settings.every
        return self._now() - float(current.facts.get("whole_at", 0.0)) >= every

    def _is_due(self) -> bool:
        current = self.snapshot.in_force
        return current is None or self._now() - current.read_at >= self.snapshot.settings.every

    def _read_all(self) -> None:
        generation = self._begun_generation()
        try:
            self._begin_telling(int(generation.about("seen", 0)))
            for page in self._pages(generation.about("after", "")):
                self._take(generation, page)
                if self._loop.is_closing:
                    return
            self._complete(generation)
        finally:
            generation.close()
        self._put_in_force()

    def _begun_generation(self) -> Generation:
        """Return the generation to go on with, or a new one: another source's and one of long ago are left."""
        files, identity = self.snapshot.files, self.snapshot.identity
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        current = self.snapshot.in_force
        facts = current.facts if current else {}
        with suppress(sqlite3.DatabaseError):
            generation = Generation(files.reading)
            if generation.belongs_to(identity) and self._goes_on(generation):
                return generation
            generation.close()
        for ending in ("", "-journal"):
            files.reading.with_name(f"{files.reading.name}{ending}").unlink(missing_ok=True)
        generation = Generation(files.reading)
        now = self._now()
        generation.begin(identity, facts.get("salt"), read_at=now, whole_at=now, total=facts.get("seen", 0), seen=0)
        return generation

    def _goes_on(self, generation: Generation) -> bool:
        """Tell whether a reading can be gone on with."""
        is_new = self._now() - float(generation.about("read_at", 0.0)) < _OLDEST_READING
        has_place = bool(generation.about("after", "")) or not generation.about("seen", 0)
        return is_new and has_place and not generation.about("complete")

    def _pages(self, after: str, since: float | None = None) -> Iterator[CustomerPage]:
        return self._connector.list_customers(after, since)

    def _take(self, generation: Generation, page: CustomerPage) -> None:
        """Write a page, with how far the reading is behind it."""
        seen = int(generation.about("seen", 0)) + page.records
        took = max(self._clock() - self._begun, 1e-6)
        facts: dict[str, object] = {"seen": seen, "speed": (seen - self._seen_at_begin) / took}
        facts["pages"] = int(generation.about("pages", 0)) + 1
        if page.total is not None:
            facts["total"] = page.total
        generation.add(page, **facts)
        if self._clock() - self._told_at >= _TOLD_EVERY:
            self._told_at = self._clock()
            told = progress_of({"total": generation.about("total", 0), **facts})
            _log.info("snapshot of %s: %s", self._name, told)

    def _begin_telling(self, seen: int) -> None:
        self._seen_at_begin, self._begun, self._told_at = seen, self._clock(), self._clock()
        on = f", going on behind {seen:,}" if seen else ""
        _log.info("snapshot of %s: reading all customers%s", self._name, on)

    def _complete(self, generation: Generation) -> None:
        numbers, seen = generation.size(), generation.about("seen", 0)
        now = self._now()
        took = now - float(generation.about("read_at", 0.0))
        facts = {"numbers": numbers, "digest": generation.digest(), "took": took, "total": seen, "done_at": now}
        self._judge(generation)
        generation.tell(complete=1, **facts)

    def _judge(self, generation: Generation) -> None:
        """Have it known who counts, for a restart while the source is away; if that cannot be told, it is not."""
        with suppress(SourceError):
            generation.judge(self._connector.counting)

    def _put_in_force(self) -> None:
        """Put what was read as a whole in force, unless it has lost so much that it is doubted."""
        generation = Generation(self.snapshot.files.reading)
        try:
            numbers, digest = int(generation.about("numbers", 0)), str(generation.about("digest", ""))
            seen, took = int(generation.about("seen", 0)), float(generation.about("took", 0.0))
        finally:
            generation.close()
        current, kept = self.snapshot.in_force, self._connector.kept
        before = current.numbers() if current else 0
        if before >= FEWEST_DOUBTED and 2 * numbers < before and not kept.believes(digest, numbers):
            told = f"only {numbers:,} of {before:,} numbers are left among the customers read ahead"
            kept.doubt(digest, numbers, told)
            self._not_before = self._clock() + min(self.snapshot.settings.every, _LONGEST_PAUSE)
            self._refuse(f"{told}: if a later reading agrees, or `omi-bridge confirm {kept.name}`, it is believed")
            return
        kept.settle()
        with self._alone():
            put_in_force(self.snapshot.files.reading, self.snapshot.files.in_force)
        self._is_well()
        _log.info(
            "snapshot of %s: %s customers with %s numbers, read in %s",
            self._name,
            f"{seen:,}",
            f"{numbers:,}",
            spoken(took),
        )

    def _is_doubted(self) -> bool:
        """Tell whether a whole reading waits to be believed, and was not by now."""
        kept = self._connector.kept
        if not kept.doubted or not self.snapshot.files.reading.exists():
            return False
        if kept.is_confirmed():
            self._put_in_force()
        return not kept.is_confirmed() and not self._is_due()

    def _read_changes(self, current: InForce) -> None:
        """Read what has changed since the last reading, and put it in force with all the rest."""
        began = self._now()
        pages = [page for page in self._pages("", current.read_at - _OVERLAP) if page.customers]
        changed = 0

        def apply(generation: Generation) -> bool:
            nonlocal changed
            changed = sum(generation.add(page) for page in pages)
            generation.tell(
                read_at=began, done_at=self._now(), numbers=generation.size(), generation=os.urandom(8).hex()
            )
            return True

        with self._alone():
            if pages and not self._says_the_same(pages):
                replace_changed(self.snapshot.files.in_force, apply)
            else:
                current.stamp(self.snapshot.files.stamp, began)
        self._is_well()
        _log.info("snapshot of %s: %d customers changed", self._name, changed)

    def _says_the_same(self, pages: list[CustomerPage]) -> bool:
        """Tell whether all that came is known already, from the time that was asked for once more."""
        current = self.snapshot.in_force
        return current is not None and all(current.holds(customer) for page in pages for customer in page.customers)

    def _is_well(self) -> None:
        """Take what is in force now, which is all that there is to know."""
        self.snapshot.trouble, self._pause = "", _FIRST_PAUSE
        self.snapshot.look()

    def _failed(self, reason: str, pause: float | None) -> None:
        self._not_before = self._clock() + max(pause or 0.0, self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._refuse(f"the customers cannot be read: {reason}")

    def _refuse(self, reason: str) -> None:
        if reason != self.snapshot.trouble and not self._loop.is_closing:
            _log.warning("snapshot of %s: %s", self._name, reason)
        self.snapshot.trouble = reason

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out whoever forgets a number in the file in force meanwhile."""
        with changing(self.snapshot.files):
            yield

    def let_go(self) -> None:
        """Let another process read."""
        self._claim.let_go()

    def _now(self) -> float:
        return self.snapshot.wall_clock()


def forget_read_ahead(files: Files, caller: PhoneNumber) -> int:
    """Delete a number from the customers in force and from those being read; return in how many records it was.

    Raises Unusable.
    """
    count = 0

    def forget(generation: Generation) -> bool:
        nonlocal count
        found = generation.forget(key_of(caller))
        if found:
            generation.tell(generation=os.urandom(8).hex())
        count += found
        return bool(found)

    try:
        if files.in_force.exists():
            with changing(files):
                replace_changed(files.in_force, forget)
        if files.reading.exists():
            generation = Generation(files.reading)
            count += generation.forget(key_of(caller))
            generation.close()
    except sqlite3.Error as error:
        raise Unusable(f"{files.folder}: {error}") from error
    return count


@contextmanager
def changing(files: Files) -> Iterator[None]:
    """Keep out everybody else who puts another file in force. Raises OSError."""
    lock = os.open(f"{files.lock}ed", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
