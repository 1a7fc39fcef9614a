"""The last callers with their whole numbers, in the memory of the machine's processes and nowhere else.

A change of the configuration can be tried on them; the kept decisions mask numbers. They are gone when the service
ends.
"""

import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

from bridge.sdk.connector import Call
from bridge.sdk.deadline import Clock
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.forgotten import Forgotten, Matches
from bridge.storage.machine import MachineMemory, region_of

MOST = 20
"""How many callers are told."""

_PLACES = 64  # more than are told: one who calls again takes another one
_NUMBER, _RECORD = struct.Struct("=Q"), struct.Struct("=d20s20s")


class RecentCaller(NamedTuple):
    """Who called, which hotline if that is known, and when, in seconds of the wall clock."""

    caller: PhoneNumber
    hotline: PhoneNumber | None
    at: float

    @property
    def hotlines(self) -> list[str]:
        """The hotline as a lookup takes it: none if it is not known."""
        return [self.hotline.e164] if self.hotline else []


class RecentCallers:
    """Those who called any process of this machine; who is `forgotten` is told no more, and overwritten."""

    def __init__(self, memory: MachineMemory, forgotten: Forgotten, wall_clock: Clock = time.time) -> None:
        self._memory = memory
        self._region = region_of("recent callers")
        self._forgotten = forgotten
        self._wall_clock = wall_clock
        forgotten.join(self)

    def note(self, call: Call) -> None:
        """Take note of a call. Nobody waits: of two at the same instant one may be lost."""
        number = self._number()
        hotline = call.hotline.e164 if call.hotline else ""
        record = _RECORD.pack(self._wall_clock(), call.caller.e164.encode(), hotline.encode())
        self._memory.write(record, self._at(number))
        self._memory.write(_NUMBER.pack(number + 1), self._region)  # last: who is killed before has noted nothing

    def newest(self) -> list[RecentCaller]:
        """Return the last callers, each once for each hotline, the newest first."""
        found: dict[tuple[PhoneNumber, PhoneNumber | None], RecentCaller] = {}
        for _, one in sorted(self._all(), key=lambda placed: -placed[1].at):
            if not self._forgotten.was_before(one.caller, one.at):
                found.setdefault((one.caller, one.hotline), one)
        return list(found.values())[:MOST]

    def forget(self, matches: Matches) -> None:
        """Hold these callers no more."""
        for place, one in self._all():
            if matches(one.caller.e164):
                self._memory.write(bytes(_RECORD.size), place)

    def _all(self) -> Iterator[tuple[int, RecentCaller]]:
        for number in range(min(self._number(), _PLACES)):
            written = self._memory.read(_RECORD.size, place := self._at(number))
            if len(written) == _RECORD.size and written.strip(b"\0"):
                at, caller, hotline = _RECORD.unpack(written)
                dialled = hotline.rstrip(b"\0").decode()
                yield (
                    place,
                    RecentCaller(
                        PhoneNumber(caller.rstrip(b"\0").decode()), PhoneNumber(dialled) if dialled else None, at
                    ),
                )

    def _number(self) -> int:
        written = self._memory.read(_NUMBER.size, self._region)
        return int(_NUMBER.unpack(written)[0]) if len(written) == _NUMBER.size else 0

    def _at(self, number: int) -> int:
        return self._region + _NUMBER.size + _RECORD.size * (number % _PLACES)
