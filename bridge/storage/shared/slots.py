"""Answers that the processes of one machine tell each other, in the memory that they have together.

There is a fixed number of slots. Its name alone says which four an answer may have, and of these it takes the one that
is of use for the shortest time: so nothing is ever searched for, nor tidied up, and callers who are known stay while
strangers come and go. A slot is written at once, with what tells whether it is whole: of two who write at the same
instant, or of one who is killed meanwhile, nothing wrong is left.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from bridge.storage.machine import MachineMemory, region_of

SLOTS, SIZE = 16_384, 1024
"""16 MB at most: what was never written takes no room."""

_HEAD = struct.Struct("=IHHdd")
_TOGETHER = 4
"""Slots that one name may have: a page of memory."""
_AT_ONCE = 1024  # slots that are read together when all of them are looked at


class Slot(NamedTuple):
    """A content, and from when until when it counts, in seconds of the machine's clock."""

    content: bytes
    since: float
    until: float


class Slots:
    """The slots of one machine."""

    def __init__(self, memory: MachineMemory) -> None:
        self._memory = memory
        self._region = region_of("answers")

    def read(self, name: str) -> Slot | None:
        """Return what has this name, if it is still there."""
        return next((slot for _, named, slot in self._choice(name) if slot and named == name), None)

    def write(self, name: str, kept: Slot) -> None:
        """Put something; not if it is too long for a slot, or all that it may have are of use for longer."""
        named = name.encode()
        length = _HEAD.size + len(named) + len(kept.content)
        place = self._place(name, kept.until)
        if length <= SIZE and place is not None:
            rest = _HEAD.pack(0, len(named), len(kept.content), kept.since, kept.until)[4:] + named + kept.content
            self._memory.write(struct.pack("=I", zlib.crc32(rest)) + rest, place)

    def clear(self, name: str) -> None:
        """Put nothing in its place."""
        for place, named, _ in self._choice(name):
            if named == name:
                self._memory.write(bytes(SIZE), place)

    def forget(self, matches: Callable[[str], bool]) -> None:
        """Leave nothing of what has such a name."""
        for first in range(0, SLOTS, _AT_ONCE):
            part = self._memory.read(SIZE * _AT_ONCE, self._region + first * SIZE)
            for at in range(0, len(part), SIZE):
                if (found := _unpacked(part[at : at + SIZE])) and matches(found[0]):
                    self.clear(found[0])

    def _place(self, name: str, until: float) -> int | None:
        """Return where to write: where the name stands, else what is empty, or ends first and before `until`."""
        choice = self._choice(name)
        for place, named, _ in choice:
            if named == name:
                return place
        place, _, slot = min(choice, key=lambda one: one[2].until if one[2] else 0.0)
        return place if slot is None or slot.until <= until else None

    def _choice(self, name: str) -> list[tuple[int, str, Slot | None]]:
        """Return the slots that a name may have: where they are, and whose they are."""
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        first = self._region + int.from_bytes(digest) % (SLOTS // _TOGETHER) * SIZE * _TOGETHER
        written = self._memory.read(SIZE * _TOGETHER, first)
        found = (_unpacked(written[at : at + SIZE]) for at in range(0, SIZE * _TOGETHER, SIZE))
        return [(first + number * SIZE, *(one or ("", None))) for number, one in enumerate(found)]


def _unpacked(slot: bytes) -> tuple[str, Slot] | None:
    if len(slot) < _HEAD.size:
        return None
    check, named, length, since, until = _HEAD.unpack_from(slot)
    end = _HEAD.size + named + length
    if not named or end > len(slot) or zlib.crc32(slot[4:end]) != check:
        return None
    name = slot[_HEAD.size : _HEAD.size + named].decode(errors="replace")
    return name, Slot(slot[_HEAD.size + named : end], since, until)
