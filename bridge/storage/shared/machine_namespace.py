"""A connector's own part of what the processes of one machine know together, without any server.

All of it is in the memory that the master made, which no other user can read and which ends with the service: so
nothing is encrypted, and only who has the same name and the same configuration finds what another one has put. Times
are those of the machine's clock. A lock is the kernel's, which gives it back when its process dies.
"""

import hashlib
import struct
import time
from collections.abc import Callable

from bridge.sdk.deadline import Clock
from bridge.sdk.shared import SharedValue
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import LARGEST_PAGE, Page
from bridge.storage.shared.backend import LIMIT
from bridge.storage.shared.named_values import Look, NamedValues
from bridge.storage.shared.slots import Slot, Slots

_TIMES = struct.Struct("=dd")
_HELD = "held"


class MachineNamespace(NamedValues):
    """The part of the connector `name`, as long as its `identity` stays the same."""

    def __init__(self, memory: MachineMemory, name: str, identity: str, clock: Clock = time.monotonic) -> None:
        super().__init__(memory, name)
        part = f"{name} {identity}".encode("utf-8", "surrogatepass")
        self._part = hashlib.blake2b(part, digest_size=8).hexdigest()
        self._slots = Slots(memory)
        self._clock = clock

    def look(self, name: str, patience: float = LIMIT) -> Look:  # noqa: ARG002 - there is nothing to wait for
        """Return what is known at this moment."""
        kept, now = self._read(name), self._clock()
        value = SharedValue(kept.content, max(0.0, now - kept.since)) if kept and now < kept.until else None
        return Look(value, self._memory.is_taken(self._key(f"lock {name}"), 0))

    def take(self, name: str, seconds: float, patience: float = LIMIT) -> str:  # noqa: ARG002 - it is free when its holder dies
        """Take the lock of a name until it is given back or this process ends; return its token, nothing if taken."""
        return "" if self._memory.take(self._key(f"lock {name}"), 1) is None else _HELD

    def give_back(self, name: str, token: str) -> None:
        """Free a lock."""
        if token:
            self._memory.leave(self._key(f"lock {name}"), 0)

    def publish(self, name: str, content: bytes, seconds: float, token: str = "", *, wait: bool = False) -> None:  # noqa: ARG002 - it is there at once
        """Put a content, if there is room for it, and free the lock with that token."""
        now = self._clock()
        kept = Slot(content, now, now + seconds)
        if _is_answer(name):
            self._slots.write(self._key(name), kept)
        elif _TIMES.size + len(content) <= LARGEST_PAGE:
            self._page(name).write(_TIMES.pack(kept.since, kept.until) + content)
        self.give_back(name, token)

    def remove(self, name: str) -> bool:
        """Delete what is known under a name; tell whether anything was."""
        was_known = self._read(name) is not None
        if _is_answer(name):
            self._slots.clear(self._key(name))
        else:
            self._page(name).write(b"")
        return was_known

    def forget(self, matches: Callable[[str], bool]) -> None:
        """Leave nothing of the answers with such a name."""
        mine = self._key("")
        self._slots.forget(lambda key: key.startswith(mine) and matches(key.removeprefix(mine)))

    def _read(self, name: str) -> Slot | None:
        if _is_answer(name):
            return self._slots.read(self._key(name))
        written = self._page(name).read()
        if len(written) < _TIMES.size:
            return None
        return Slot(written[_TIMES.size :], *_TIMES.unpack_from(written))

    def _page(self, name: str) -> Page:
        return Page(self._memory, self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._part} {name}"


def _is_answer(name: str) -> bool:
    """Tell whether it is one of many small ones."""
    return name.startswith("answer ")
