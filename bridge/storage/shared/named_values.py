"""What those who share a memory know under names, and the locks that keep them from finding it out at the same time.

The memory is a server that several machines ask (`namespace`), or that of one machine (`machine_namespace`).
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bridge.sdk.deadline import Deadline
from bridge.sdk.shared import Moments, Shared, SharedValue, Turns
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.backend import LIMIT, Silent

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.05


class Look(NamedTuple):
    """What is known under a name, and whether somebody is about to find it out."""

    value: SharedValue | None
    locked: bool


class OwnCount(Shared):
    """What a connector shares where it is alone: nothing but the count of what it does, which `memory` has anyway."""

    def __init__(self, memory: MachineMemory, name: str) -> None:
        self._memory = memory
        self._name = name

    def turns_here(self, name: str, count: int, seconds: float) -> Turns:
        """Return when the processes of this machine have made requests, for a limit of `count` in `seconds`."""
        return self._memory.turns(f"{self._name} {name}", count, seconds)

    def moments_here(self, name: str, kept: int) -> Moments:
        """Return when something has happened in the processes of this machine: the last `kept` times."""
        return self._memory.moments(f"{self._name} {name}", kept)


class NamedValues(OwnCount):
    """The part of one connector."""

    def __init__(self, memory: MachineMemory, name: str) -> None:
        super().__init__(memory, name)
        self._held: dict[str, str] = {}  # the tokens of the locks whose blocks are running

    @property
    def is_silent(self) -> bool:
        """Whether the memory is left alone just now."""
        return False

    @property
    def takes_values(self) -> bool:
        """Whether something can be put now."""
        return True

    @abstractmethod
    def look(self, name: str, patience: float) -> Look:
        """Return what is known at this moment; raises Silent."""

    @abstractmethod
    def take(self, name: str, seconds: float, patience: float) -> str:
        """Take the lock of a name for so many seconds; return its token, or nothing if it is taken. Raises Silent."""

    @abstractmethod
    def give_back(self, name: str, token: str) -> None:
        """Free a lock; never waits nor raises."""

    @abstractmethod
    def publish(self, name: str, content: bytes, seconds: float, token: str = "", *, wait: bool = False) -> None:
        """Put a content, and free the lock with that token at the same moment; never raises, nor waits unless told."""

    @abstractmethod
    def remove(self, name: str) -> bool:
        """Delete what is known under a name; tell whether anything was. Raises Silent."""

    def forget(self, matches: Callable[[str], bool]) -> None:
        """Leave nothing of the answers with such a name, if names can be read here."""

    def get(self, name: str) -> SharedValue | None:
        """Return what is known under a name, or None."""
        try:
            return self.look(name, LIMIT).value
        except Silent:
            return None

    def put(self, name: str, content: bytes, seconds: float, *, wait: bool = False) -> None:
        """Let the others know this for so many seconds; the lock of this name, if we hold it, is free then."""
        token = self._held.pop(name, "") if self.takes_values else ""
        self.publish(name, content, seconds, token, wait=wait)

    @contextmanager
    def lock(self, name: str, seconds: float, patience: float | None = None) -> Iterator[None]:
        """Hold the lock of this name for `seconds` at most, or until something is put under it."""
        token = self._wait_for(name, seconds, seconds if patience is None else patience)
        if token:
            self._held[name] = token
        try:
            yield
        finally:
            if token and self._held.get(name) == token:
                del self._held[name]
                self.give_back(name, token)

    def _wait_for(self, name: str, seconds: float, patience: float) -> str:
        end, pauses = Deadline.after(patience), growing_pauses()
        try:
            while not (token := self.take(name, seconds, LIMIT)) and not end.expired():
                time.sleep(min(next(pauses), end.remaining()))
        except Silent:
            return ""
        return token


def growing_pauses() -> Iterator[float]:
    """Give the seconds after which to look again, the longer the more often it was in vain."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(_LONGEST_PAUSE, pause * 1.5)
