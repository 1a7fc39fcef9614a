"""What the processes of one machine count together: places in a source, requests made to it, and when a thing happened.

The master makes it before it has workers, as a file in memory without a name, which they inherit: so nothing has to be
found, and nothing is left when they end, however they end. A place is a lock on a byte that the kernel gives back when
its process dies; the file holds no counter that a killed process could leave wrong. Offsets come from a hash of the
name: a file in memory takes room only where something was written, so there is no table of who stands where.
"""

import bisect
import errno
import fcntl
import hashlib
import os
import secrets
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.shared import Moments, Turns
from bridge.storage.times import Figures, MachineMoments, Times

_REGION = 20  # bits: a region is larger than the times of 99999 requests
_PATIENCE, _PAUSE = 0.05, 0.0005
_TAKEN = {errno.EAGAIN, errno.EACCES}
_FLOCK = struct.Struct("@hhqqi")
"""What fcntl(2) takes to look at a lock: its kind, from where it is counted, begin and length, whose it is."""


class MachineMemory:
    """The memory of one machine; made once, and inherited by every process that is to count with the others.

    `file` is a descriptor, None where there are no such files: then each process counts for itself.
    """

    def __init__(self, file: int | None = None) -> None:
        self.machine = secrets.token_hex(8)
        """What other machines know this one by."""
        self._file = file
        self._lock = threading.Lock()
        self._held: set[int] = set()  # by this process: the kernel's locks are the process's, not a thread's
        self._own: dict[int, bytes] = {}  # what is written where there is no such file
        self._turns: dict[str, MachineTurns] = {}  # and so there is one of each name, with a lock for the threads
        self._moments: dict[str, Moments] = {}
        self.beating: set[Callable[[], object]] = set()
        """What shows that this process goes on with what it has taken on, by each of them."""

    @classmethod
    def make(cls) -> "MachineMemory":
        """Make one for the processes that start here from now on."""
        return cls(os.memfd_create("omi-bridge") if hasattr(os, "memfd_create") else None)

    def beat(self) -> None:
        """Show the other processes that this one goes on; to be called every second."""
        for beat in list(self.beating):
            beat()

    def turns(self, name: str, count: int, seconds: float) -> Turns:
        """Return when the processes of this machine have made requests, for a limit of `count` in `seconds`."""
        if self._file is None:
            return Turns(count, seconds)
        key = f"turns {name} {count} {seconds}"
        with self._lock:
            if key not in self._turns:
                self._turns[key] = MachineTurns(self._file, region_of(key), count, seconds)
            return self._turns[key]

    def take(self, name: str, limit: int) -> int | None:
        """Take one of the `limit` places of this name until it is left or this process ends: which, or None."""
        region = region_of(name)
        with self._lock:
            for place in range(region, region + limit):
                if place not in self._held and self._locks(place):
                    self._held.add(place)
                    return place - region
        return None

    def leave(self, name: str, place: int) -> None:
        """Give back a place that was taken."""
        at = region_of(name) + place
        with self._lock:
            self._held.discard(at)
            self._unlock(at)

    def is_taken(self, name: str, place: int) -> bool:
        """Tell whether a process that lives has taken that place. To look takes nothing: others may look meanwhile."""
        at = region_of(name) + place
        return at in self._held or self._is_locked(at)

    def read(self, size: int, at: int) -> bytes:
        """Return what was written there, less than `size` bytes if less was."""
        return os.pread(self._file, size, at) if self._file is not None else self._own.get(at, b"")[:size]

    def write(self, content: bytes, at: int) -> None:
        """Write there."""
        if self._file is not None:
            os.pwrite(self._file, content, at)
        else:
            self._own[at] = content

    def moments(self, name: str, kept: int = 1) -> Moments:
        """Return when what has this name has happened in any of the machine's processes: the last `kept` times."""
        with self._lock:
            if name not in self._moments:
                self._moments[name] = self._new_moments(name, kept)
            return self._moments[name]

    def figures(self, name: str, kept: int) -> Figures:
        """Return the last `kept` figures of this name, whichever of the machine's processes added them."""
        times = None if self._file is None else Times(self._file, region_of(f"figures {name} {kept}"), kept)
        return Figures(kept, times)

    def _new_moments(self, name: str, kept: int) -> Moments:
        if self._file is None:
            return Moments(kept)
        return MachineMoments(kept, Times(self._file, region_of(f"moments {name} {kept}"), kept))

    def _locks(self, place: int) -> bool:
        try:
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError as error:
            return error.errno not in _TAKEN  # a kernel without locks: then this process is alone
        return True

    def _is_locked(self, place: int) -> bool:
        if self._file is None:
            return False
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
        with suppress(OSError):  # a kernel without locks: then this process is alone
            return bool(_FLOCK.unpack(fcntl.fcntl(self._file, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK)
        return False

    def _unlock(self, place: int) -> None:
        if self._file is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)


class MachineTurns(Turns):
    """The requests of all processes that inherited the same file: how many were booked, and the times of the last.

    The clock is the machine's, and the same for all its processes.
    """

    def __init__(self, file: int, region: int, count: int, seconds: float, clock: Clock = time.monotonic) -> None:
        super().__init__(count, seconds, clock)
        self._file = file
        self._count = count
        self._region = region
        self._times = Times(file, region, count)

    def book(self, most: int, longest: float) -> float:
        """Return after how many seconds the next request may be made; see `Turns`."""
        with self._alone():
            now, made = self._clock(), self._times.number()
            turn = max(now, self._times.at(made - most) + self._seconds) if made >= most else now
            if turn - now <= longest:
                self._times.add(made, turn)
            return turn - now

    def note(self, wait: float) -> None:
        """Take note of a request that is made after so many seconds, whoever allowed it."""
        with self._alone():
            self._times.add(self._times.number(), self._clock() + wait)

    def made(self) -> int:
        """Return how many were made within the last `seconds`, as far as they are kept; nobody is waited for."""
        number, begin = self._times.number(), self._clock() - self._seconds
        kept = range(max(0, number - self._count), number)
        return len(kept) - bisect.bisect_right(kept, begin, key=self._times.at)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out other threads and processes. Raises SourceBusy if one that stands still keeps us out."""
        end = Deadline.after(_PATIENCE)
        if not self._lock.acquire(timeout=_PATIENCE):
            raise SourceBusy("the requests of this machine cannot be counted just now")
        try:
            while not self._locked():
                if end.expired():
                    raise SourceBusy("the requests of this machine cannot be counted just now")
                time.sleep(_PAUSE)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._region)
        finally:
            self._lock.release()

    def _locked(self) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._region)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            return False
        return True


def region_of(name: str) -> int:
    """Return where in the file stands what has this name: the chance that two meet is one in 2^40 for each pair."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:5]) << _REGION
