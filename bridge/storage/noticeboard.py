"""What the processes of one machine tell each other: a page that one leaves for the next, a slip of each, and a duty.

Both stand in the file in memory that the master made (`machine`), so nothing is left of them when the service ends. A
page is written twice in turn and then turned over by one number: whoever is killed while writing leaves the one before.
A slip counts as long as its process lives, which the kernel knows by the lock that goes with it.
"""

import struct
import zlib

from bridge.storage.machine import MachineMemory, region_of

_TURN, _HEAD = struct.Struct("=Q"), struct.Struct("=II")
_SIDE = (1 << 19) - _TURN.size  # bytes of a page's side: two of them and the number fill a region
_MOST_SLIPS = 128
_TRIES = 5

LARGEST_PAGE = _SIDE - _HEAD.size
"""Bytes."""


class Page:
    """What one process leaves for whoever comes after it. One at a time writes; any reads."""

    def __init__(self, memory: MachineMemory, name: str) -> None:
        self._memory = memory
        self._region = region_of(f"page {name}")

    def write(self, content: bytes) -> None:
        """Replace what stands there. Raises ValueError if it is too long."""
        if len(content) > LARGEST_PAGE:
            raise ValueError("too long for a page")
        turn = self._turn() + 1
        self._memory.write(_HEAD.pack(len(content), zlib.crc32(content)) + content, self._side(turn))
        self._memory.write(_TURN.pack(turn), self._region)

    def read(self) -> bytes:
        """Return what stands there, nothing if nobody has written."""
        for _ in range(_TRIES):  # whoever writes twice meanwhile has changed the side that was being read
            turn = self._turn()
            if not turn:
                return b""
            side = self._side(turn)
            length, check = _HEAD.unpack(self._memory.read(_HEAD.size, side))
            content = self._memory.read(_HEAD.size + min(length, LARGEST_PAGE), side)[_HEAD.size :]
            if zlib.crc32(content) == check:
                return content
        return b""

    def _turn(self) -> int:
        written = self._memory.read(_TURN.size, self._region)
        return int(_TURN.unpack(written)[0]) if len(written) == _TURN.size else 0

    def _side(self, turn: int) -> int:
        return self._region + _TURN.size + _SIDE * (turn % 2)


class Slips:
    """What each process that lives says of itself under one name."""

    def __init__(self, memory: MachineMemory, name: str) -> None:
        self._memory = memory
        self._name = f"slips {name}"
        self._own: int | None = None

    def write(self, content: bytes) -> None:
        """Say something, instead of what this process said before; if there is no room for one more, nothing."""
        if self._own is None:
            self._own = self._memory.take(self._name, _MOST_SLIPS)
        if self._own is not None:
            self._page(self._own).write(content)

    def read(self) -> list[bytes]:
        """Return what those say that live, one's own included."""
        found = ((place, self._page(place).read()) for place in range(_MOST_SLIPS))
        return [content for place, content in found if content and self._memory.is_taken(self._name, place)]

    def withdraw(self) -> None:
        """Say nothing any more."""
        if self._own is not None:
            self._memory.leave(self._name, self._own)
        self._own = None

    def _page(self, place: int) -> Page:
        return Page(self._memory, f"{self._name} {place}")


class Duty:
    """What one process of a machine does for all of them, until it leaves that to another one, or dies."""

    def __init__(self, memory: MachineMemory, name: str) -> None:
        self._memory = memory
        self._name = f"duty {name}"
        self._page = Page(memory, self._name)
        self._is_held = False

    @property
    def is_held(self) -> bool:
        """Whether it is this process that does it."""
        return self._is_held

    def is_ours(self) -> bool:
        """Tell whether it is for this process to do, which takes it if nobody has it."""
        self._is_held = self._is_held or self._memory.take(self._name, 1) is not None
        return self._is_held

    def is_anothers(self) -> bool:
        """Tell whether another process has it, or another one of these in this process."""
        return not self._is_held and self._memory.is_taken(self._name, 0)

    def say(self, why: str) -> None:
        """Tell the others why there is something to do."""
        self._page.write(why.encode("utf-8", "replace")[:LARGEST_PAGE])

    def said(self) -> str:
        """Return what was told last."""
        return self._page.read().decode("utf-8", "replace")

    def leave(self) -> None:
        """Leave it to another process, if it was ours."""
        if self._is_held:
            self._is_held = False
            self._memory.leave(self._name, 0)
