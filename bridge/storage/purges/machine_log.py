"""What was purged, as the processes of a machine tell each other: a ring in the memory that they have together."""

import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy
from bridge.storage.machine import MachineMemory, region_of
from bridge.storage.purges.marks import ENTRY_SIZE, MOST, Entry, packed, unpacked

_COUNT = struct.Struct("=Q")
_READABLE = MOST // 2
"""How many of the last entries are surely not being overwritten while they are read."""

_PATIENCE, _PAUSE = 0.1, 0.0005


class MachineLog:
    """The last entries of the machine's processes; their number is looked at by every call."""

    def __init__(self, memory: MachineMemory) -> None:
        self._memory = memory
        self._region = region_of("purges")

    def count(self) -> int:
        """Return how many entries there were ever."""
        written = self._memory.read(_COUNT.size, self._region)
        return int(_COUNT.unpack(written)[0]) if len(written) == _COUNT.size else 0

    def oldest(self, count: int) -> int:
        """Return from which entry on, of so many, they can still be read."""
        return max(0, count - _READABLE)

    def read(self, first: int, count: int) -> Iterator[Entry]:
        """Give the entries from the first on, of so many."""
        for number in range(first, count):
            yield from unpacked(self._memory.read(ENTRY_SIZE, self._place(number)))

    def add(self, entries: Mapping[bytes, float]) -> None:
        """Tell all processes, from the next call on. Raises SourceBusy if somebody who does so stands still."""
        with self.alone("told"):
            count = self.count()
            for number, entry in enumerate(entries.items(), count):
                self._memory.write(packed([entry]), self._place(number))
            self._memory.write(
                _COUNT.pack(count + len(entries)), self._region
            )  # last: who dies before has told nothing

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Keep everybody else on the machine from doing the same. Raises SourceBusy if somebody stands still in it."""
        end, name = Deadline.after(_PATIENCE), f"purges are {what}"
        while self._memory.take(name, 1) is None:
            if end.expired():
                raise SourceBusy(f"what is purged cannot be {what}: somebody who does so stands still")
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            self._memory.leave(name, 0)

    def _place(self, number: int) -> int:
        return self._region + _COUNT.size + ENTRY_SIZE * (number % MOST)
