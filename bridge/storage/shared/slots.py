"""Answers that the processes of one machine tell each other, in the memory that they have together.

There is a fixed number of slots. Which one an answer has depends on its name alone, and who comes later takes it: so
nothing is ever searched for, nor tidied up. A slot is written at once, with what tells whether it is whole: of two who
write at the same instant, or of one who is killed meanwhile, nothing wrong is left.
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
_EMPTY = bytes(_HEAD.size)
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
        found = _unpacked(self._memory.read(SIZE, self._place(name)))
        return found[1] if found and found[0] == name else None

    def write(self, name: str, kept: Slot) -> None:
        """Put something; not if it is too long for a slot."""
        named = name.encode()
        length = _HEAD.size + len(named) + len(kept.content)
        if length <= SIZE:
            rest = _HEAD.pack(0, len(named), len(kept.content), kept.since, kept.until)[4:] + named + kept.content
            self._memory.write(struct.pack("=I", zlib.crc32(rest)) + rest, self._place(name))

    def clear(self, name: str) -> None:
        """Put nothing in its place."""
        self._memory.write(bytes(SIZE), self._place(name))

    def forget(self, matches: Callable[[str], bool]) -> None:
        """Leave nothing of what has such a name."""
        for first in range(0, SLOTS, _AT_ONCE):
            part = self._memory.read(SIZE * _AT_ONCE, self._region + first * SIZE)
            for at in range(0, len(part), SIZE):
                is_empty = part[at : at + _HEAD.size] == _EMPTY
                if not is_empty and (found := _unpacked(part[at : at + SIZE])) and matches(found[0]):
                    self.clear(found[0])

    def _place(self, name: str) -> int:
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        return self._region + int.from_bytes(digest) % SLOTS * SIZE


def _unpacked(slot: bytes) -> tuple[str, Slot] | None:
    if len(slot) < _HEAD.size:
        return None
    check, named, length, since, until = _HEAD.unpack_from(slot)
    end = _HEAD.size + named + length
    if not named or end > len(slot) or zlib.crc32(slot[4:end]) != check:
        return None
    name = slot[_HEAD.size : _HEAD.size + named].decode(errors="replace")
    return name, Slot(slot[_HEAD.size + named : end], since, until)
