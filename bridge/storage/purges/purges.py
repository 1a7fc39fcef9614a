"""What was purged, known at once to every process of the machine, kept through a restart, and told to other machines.

An answer is as old as the question that the source was asked: after a purge at T it may be used if it was asked for
after T, wherever it was remembered. That is looked at whenever an answer is taken, so nothing has to be searched for
and deleted, and a call pays a microsecond. The processes tell each other in the memory that they have together; the
file is read at a start alone. Other machines learn of it within two seconds, over the Redis that they share.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import inf
from pathlib import Path

from bridge.sdk.connector import Owners
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import SourceBusy
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.shared import Shared
from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Duty
from bridge.storage.purges.file import PurgeFile
from bridge.storage.purges.machine_log import MachineLog
from bridge.storage.purges.marks import (
    EVERYTHING,
    MOST,
    Entry,
    Marks,
    Purge,
    caller_digest,
    digests_of,
    nobody_digest,
    packed,
    told_by,
    unpacked,
)

_log = logging.getLogger(__name__)

_EVERY = 1.0
_ROUNDING = 0.1
"""Seconds by which a time of the wall clock may be wrong: a thread may stand still between two looks at a clock."""

_SKEW = 1.0
"""Seconds by which two machines may be wrong about the age of what one of them has told.

It was before now in any case: a time that is to come would hide what is purged until then.
"""

_FOR_EVER = 1e12
"""An age in seconds that is greater than that of any purge."""

_KEPT_FOR = 30 * 86400.0
_SHARED_AS = "purged"


class Purges:
    """What was purged on this machine and elsewhere; safe to use from many threads.

    `memory` is what the processes of this machine have together, `path` the file, none if nothing is to survive a
    restart. `secret` keeps whoever reads the file from telling whose hashes there are. `clock` is the one that all
    processes of the machine have.
    """

    def __init__(
        self,
        memory: MachineMemory | None = None,
        path: Path | None = None,
        secret: bytes = b"",
        *,
        clock: Clock = time.monotonic,
        wall_clock: Clock = time.time,
    ) -> None:
        self.shared = Shared()
        """What the instances of the service tell each other."""
        self.trouble = ""
        """Why a restart would not know what is purged now, or nothing."""
        memory = memory or MachineMemory()
        self._told = MachineLog(memory)
        self._duty = Duty(memory, "look what was purged")
        self._file = PurgeFile(path) if path else None
        self._key = _key(secret)
        self._clock, self._wall_clock = clock, wall_clock
        self._marks = Marks()
        self._lock = threading.RLock()
        self._untold: Mapping[bytes, float] = {}
        self._loop: BackgroundLoop | None = None
        self._seen = self._told.oldest(self._told.count())  # what was told before that, the file holds
        self._read_file()

    def start(self, *, wait: Wait | None = None) -> None:
        """Tell the other machines from now on, and hear what they tell, in a thread of its own."""
        if self._loop is None:
            self._loop = BackgroundLoop("tell-what-is-purged", self.exchange, wait=wait, at_end=self._tell_others)
            self._loop.start()

    def close(self) -> None:
        """Tell what is not told yet, waiting no longer than a second."""
        if self._loop:
            self._loop.close()
        self._duty.leave()

    def rekey(self, secret: bytes) -> None:
        """Go on with another secret: what was purged under the one before cannot be told any more, so all of it is."""
        if (key := _key(secret)) != self._key:
            with self._lock:
                self._key = key
                known, self._marks = self._marks.entries(), Marks()
                for entry in known.items():
                    self._marks.learn(*told_by(entry, key))

    def purge(self, purge: Purge) -> None:
        """Let nothing that was asked for before this moment answer any more, in any process of this machine.

        Raises SourceBusy or OSError if that could not be done, or not be written down, so that it is done again.
        """
        found = dict.fromkeys(purge.digests(self._key), self._clock())
        self._told.add(found)
        self._catch_up()
        self._tell_later(found)
        if self._loop:
            self._loop.wake()
        self._write(found)

    def allow(self, caller: PhoneNumber, owners: Owners, asked_at: float) -> bool:
        """Tell whether an answer may be used that the source was asked for at a time of the clock."""
        if not self._allow(caller, owners, asked_at):
            return False
        with self._lock:
            return owners != () or asked_at > self._marks.at(nobody_digest(self._key))

    def allow_kept(self, caller: PhoneNumber, owners: Owners, asked_at: float) -> bool:
        """Tell the same of what stands in a file, and was asked for at a time of the wall clock.

        Its caller has a record there, whether or not that has an owner. What seems to come from the future was written
        before the clock was set back, nobody knows when: any purge may have come later.
        """
        age = self._wall_clock() - asked_at
        return self._allow(caller, owners, self._clock() - (age + _ROUNDING if age >= 0 else _FOR_EVER))

    def first(self) -> float:
        """Return a time of the wall clock before which nothing was purged, as far as is known; infinity if nothing was.

        What is of an unknown age may be taken to be from then.
        """
        self._catch_up()
        with self._lock:
            moments = self._marks.entries().values()
            return min(moments, default=inf) + self._wall_clock() - self._clock() - _ROUNDING

    def moment(self, caller: PhoneNumber) -> float | None:
        """Return when something was purged last that may concern a caller; None if nothing was.

        Whoever calls later waits for no question that was asked before.
        """
        self._catch_up()
        if self._marks.latest == -inf:
            return None
        with self._lock:
            found = self._marks.of_caller(caller_digest(caller, self._key))
        return None if found == -inf else found

    def exchange(self) -> float:
        """Tell the other machines what is new here; one process hears for all what is new there."""
        self._catch_up()
        self._tell_others()
        if self._duty.is_ours() and (known := self.shared.get(_SHARED_AS)):
            now = self._clock()
            told = {digest: now - known.age - age for digest, age in unpacked(known.content)}
            with self._lock:
                new = {digest: min(at + _SKEW, now) for digest, at in told.items() if at > self._marks.at(digest)}
            if new:
                with suppress(OSError, SourceBusy):  # which `trouble` tells
                    self._told.add(new)
                    self._write(new)
        return _EVERY

    def _allow(self, caller: PhoneNumber, owners: Owners, asked_at: float) -> bool:
        self._catch_up()
        if asked_at > self._marks.latest:
            return True
        with self._lock:
            return all(asked_at > self._marks.at(digest) for digest in digests_of(caller, owners, self._key))

    def _catch_up(self) -> None:
        """Learn what the processes have told: a look at one number, if nothing is new."""
        if (count := self._told.count()) == self._seen:
            return
        with self._lock:
            oldest = self._told.oldest(count)
            if self._seen < oldest:  # some of it may be overwritten by now
                self._marks.learn(EVERYTHING, self._clock())
            for entry in self._told.read(max(self._seen, oldest), count):
                self._marks.learn(*told_by(entry, self._key))
            self._seen = max(self._seen, count)

    def _tell_later(self, untold: Mapping[bytes, float]) -> None:
        with self._lock:
            known = self._untold
            merged = {**known, **{digest: max(at, known.get(digest, at)) for digest, at in untold.items()}}
            self._untold = merged if len(merged) <= MOST else {EVERYTHING: max(merged.values())}

    def _tell_others(self) -> None:
        with self._lock:
            untold, self._untold = self._untold, {}
        if not untold or type(self.shared) is Shared:  # which nobody else has
            return
        with self.shared.lock(_SHARED_AS, _EVERY):
            known, now = self.shared.get(_SHARED_AS), self._clock()
            ages = [(digest, age + known.age) for digest, age in unpacked(known.content)] if known else []
            ages += [(digest, now - moment) for digest, moment in untold.items()]
            merged = Marks()
            for digest, age in sorted(ages, key=lambda one: -one[1]):  # the oldest first
                merged.learn(digest, -age)
            content = packed((digest, -moment) for digest, moment in merged.entries().items())
            self.shared.put(_SHARED_AS, content, _KEPT_FOR, wait=True)
        if not ((found := self.shared.get(_SHARED_AS)) and found.content == content):
            self._tell_later(untold)  # the server is away, or another machine came between

    def _read_file(self) -> None:
        """Learn what was purged before a restart; under another secret it cannot be told whose it was."""
        if self._file is None:
            return
        try:
            entries = self._file.read()
        except OSError as error:
            _log.warning("what was purged cannot be read in %s: %s", self._file.path, error.strerror or error)
            entries = [(EVERYTHING, self._wall_clock())]
        for digest, at in entries:  # what is to come, as the clock was set back, counts as now
            moment = self._clock() - max(0.0, self._wall_clock() - at)
            self._marks.learn(*told_by((digest, moment), self._key))

    def _write(self, found: Mapping[bytes, float]) -> None:
        if self._file is None:
            return
        try:
            with self._told.alone("written"):
                self._file.add(self._in_wall_time(found.items()), self._everything)
            self.trouble = ""
        except (OSError, SourceBusy) as error:
            why = f"{self._file.path}: {(isinstance(error, OSError) and error.strerror) or error}"
            if why != self.trouble:
                _log.warning("a restart will not know what is purged: %s", why)
            self.trouble = why
            raise

    def _everything(self) -> list[Entry]:
        self._catch_up()
        with self._lock:
            return self._in_wall_time(self._marks.entries().items())

    def _in_wall_time(self, entries: Iterable[Entry]) -> list[Entry]:
        step = self._wall_clock() - self._clock()
        return [(digest, moment + step) for digest, moment in entries]


def _key(secret: bytes) -> bytes:
    return hashlib.blake2b(secret, digest_size=32, person=b"purged").digest()
