"""What the processes of one machine tell each other: a page that one leaves for the next, a slip of each, and a duty.

Both stand in the file in memory that the master made (`machine`), so nothing is left of them when the service ends. A
page is written twice in turn and then turned over by one number: whoever is killed while writing leaves the one before.
A slip counts as long as its process lives, which the kernel knows by the lock that goes with it; a duty as long as its
holder goes on as well.
"""

import struct
import threading
import time
import zlib
from typing import NamedTuple

from bridge.sdk.deadline import Clock
from bridge.storage.machine import MachineMemory, region_of

_TURN, _HEAD, _HOLDER = struct.Struct("=Q"), struct.Struct("=II"), struct.Struct("=QdQ")
_SIDE = (1 << 19) - _TURN.size  # bytes of a page's side: two of them and the number fill a region
_MOST_SLIPS = 128
_TRIES = 5
_MOST_HOLDERS = 128
"""How many places there are for who has a duty: one who stands still keeps his."""

_STANDS_STILL = 5.0
"""Seconds without a sign of life."""

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
    """What one process of a machine does for all of them, until it leaves that to another one, dies or stands still.

    That it goes on, a process shows every second (`MachineMemory.beat`). From one that has not for some seconds another
    takes the duty over. Each holder has a number of his own: who goes on after that sees that it is not his any more.
    """

    def __init__(self, memory: MachineMemory, name: str, clock: Clock = time.monotonic) -> None:
        self._memory = memory
        self._name = f"duty {name}"
        self._clock = clock
        self._page = Page(memory, self._name)
        self._region = region_of(f"holder of {self._name}")
        self._lock = threading.RLock()
        self._held: tuple[int, int] | None = None  # the holder's number, and the place that he has locked

    @property
    def is_held(self) -> bool:
        """Whether it is this process that does it."""
        held = self._held
        return held is not None and self._holder().number == held[0]

    def is_ours(self) -> bool:
        """Tell whether it is for this process to do, which takes it if nobody has it."""
        with self._lock:
            self._beat()
            if self._held is None and not self.is_anothers():
                self._take()
            return self._held is not None

    def is_anothers(self) -> bool:
        """Tell whether another process has it, or another one of these in this process."""
        holder, held = self._holder(), self._held
        is_own = held is not None and held[0] == holder.number
        goes_on = self._clock() - holder.seen < _STANDS_STILL
        return not is_own and goes_on and self._memory.is_taken(self._name, holder.place)

    def say(self, why: str) -> None:
        """Tell the others why there is something to do."""
        self._page.write(why.encode("utf-8", "replace")[:LARGEST_PAGE])

    def said(self) -> str:
        """Return what was told last."""
        return self._page.read().decode("utf-8", "replace")

    def leave(self) -> None:
        """Leave it to another process, if it was ours."""
        with self._lock:
            self._beat(float("-inf"))
            self._forget()

    def _take(self) -> None:
        """Become the next holder, unless another process does at this moment."""
        changes = f"{self._name} changes"
        if self._memory.take(changes, 1) is None:
            return
        try:
            if not self.is_anothers() and (place := self._memory.take(self._name, _MOST_HOLDERS)) is not None:
                self._held = self._holder().number + 1, place
                self._write(_Holder(self._held[0], self._clock(), place))
                self._memory.beating.add(self._beat)
        finally:
            self._memory.leave(changes, 0)

    def _beat(self, seen: float | None = None) -> None:
        """Show that we go on, if it is ours still; if another has taken over, leave it to him."""
        with self._lock:
            if self.is_held:
                self._write(self._holder()._replace(seen=self._clock() if seen is None else seen))
            else:
                self._forget()

    def _forget(self) -> None:
        self._memory.beating.discard(self._beat)
        if self._held is not None:
            self._memory.leave(self._name, self._held[1])
            self._held = None

    def _holder(self) -> "_Holder":
        written = self._memory.read(_HOLDER.size, self._region)
        return _Holder(*_HOLDER.unpack(written)) if len(written) == _HOLDER.size else _NOBODY

    def _write(self, holder: "_Holder") -> None:
        self._memory.write(_HOLDER.pack(*holder), self._region)


class _Holder(NamedTuple):
    """Who has a duty: the how manyth, when he showed last that he is alive, and the place that he has locked."""

    number: int
    seen: float
    place: int


_NOBODY = _Holder(0, float("-inf"), 0)
