"""A connector's own part of the shared memory: nobody finds, or can read, what another one has put.

Ages are told by the server's clock alone: a content carries the time that the server had when it was put, and each
reading brings the server's time along. So it does not matter what the machines' clocks say. If the server's own clock
has been set back, a content seems to come from the future: its age is unknown, and taken to be beyond every limit.
"""

import secrets
from collections.abc import Callable

from bridge.sdk.shared import Shared, SharedValue, Turns
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.backend import LIMIT, Counted, Silent, Window
from bridge.storage.shared.client import SharedClient
from bridge.storage.shared.encryption import Encryption
from bridge.storage.shared.limits import SharedTurns
from bridge.storage.shared.named_values import Look, NamedValues

_STEADY = 1000  # milliseconds that the server's clock may be corrected by


class Namespace(NamedValues):
    """The part of the connector `name`; `memory` is what this machine counts, for as long as the server does not.

    `here` is its part of what this machine's processes share.
    """

    def __init__(
        self,
        client: SharedClient,
        prefix: str,
        name: str,
        encryption: Encryption,
        memory: MachineMemory | None = None,
        here: Shared | None = None,
    ) -> None:
        super().__init__(memory or MachineMemory(), name)
        self._here = here or Shared()
        self.client = client
        self._machines, self._counts = 1, True
        self._encryption = encryption
        self._prefix = f"{prefix}:{name}"

    @property
    def here(self) -> Shared:
        """What the processes of this machine alone share."""
        return self._here

    @property
    def is_silent(self) -> bool:
        """Whether the server is left alone just now."""
        return self.client.is_silent

    @property
    def takes_values(self) -> bool:
        """Whether the server's time is known, which everything that is put carries."""
        return self.client.now() is not None

    def move_to(self, other: "Namespace") -> None:
        """Become the same as another one; what this one knew may be unknown there."""
        self.client, self._encryption, self._prefix = other.client, other._encryption, other._prefix  # noqa: SLF001 - another of us
        self._here = other._here  # noqa: SLF001 - another of us

    def look(self, name: str, patience: float = LIMIT) -> Look:
        """Return what is known at this moment; raises Silent."""
        encryption, key = self._encryption, self._key(name)
        reading = self.client.read([key, f"{key}:lock"], patience)
        content, lock = reading.contents
        value = _value(encryption.open(name, content), reading.now) if content else None
        if content and value and value.age == float("inf"):
            self.client.free(key, content)  # or it would become young again, when its time has come
        return Look(value, lock is not None)

    def take(self, name: str, seconds: float, patience: float = LIMIT) -> str:
        """Take the lock of a name for so many seconds; return its token, or nothing if it is taken. Raises Silent."""
        token = secrets.token_hex(8)
        return token if self.client.lock(f"{self._key(name)}:lock", token, seconds, patience) else ""

    def give_back(self, name: str, token: str) -> None:
        """Free a lock; never waits nor raises."""
        self.client.free(f"{self._key(name)}:lock", token)

    def publish(self, name: str, content: bytes, seconds: float, token: str = "", *, wait: bool = False) -> None:
        """Put a content, and free the lock with that token at the same moment; never raises, nor waits unless told."""
        now, key = self.client.now(), self._key(name)
        if now is None:  # the server was never reached: its time is not known
            return
        sealed = self._encryption.close(name, now, content)
        self.client.put(key, sealed, now, now + max(1, int(seconds * 1000)), (f"{key}:lock", token), wait=wait)

    def remove(self, name: str) -> bool:
        """Delete what is known under a name; tell whether anything was. Raises Silent."""
        key = self._key(name)
        content = self.client.read([key]).contents[0]
        if content is not None:
            self.client.remove(key, content)
        return content is not None

    def turns(self, name: str, count: int, seconds: float) -> Turns:
        """Return when all instances have made requests, for a limit of `count` in `seconds`."""
        return SharedTurns(self, name, self.turns_here(name, count, seconds), count, seconds)

    def book(self, name: str, most: int, seconds: float, longest: float) -> float:
        """Book the next turn of all instances, see `Turns.book`; raises Silent."""
        keys, token = (self._key(f"turns {name}"), self._key("machines")), secrets.token_hex(8)
        window, machine = Window(most, seconds, longest), self._memory.machine
        return self._counted(lambda: self.client.book(keys, window, token, machine))

    def take_place(self, limit: int, seconds: float, token: str) -> bool:
        """Take one of so many places of all instances, if one is free; raises Silent."""
        keys, machine = (self._key("places"), self._key("machines")), self._memory.machine
        return bool(self._counted(lambda: self.client.take_place(keys, limit, seconds, token, machine)))

    def leave_place(self, token: str) -> None:
        """Give a place back; never waits nor raises."""
        self.client.leave_place(self._key("places"), token)

    def share(self, limit: int) -> int:
        """Return this machine's share of a limit: all of it as long as the server counts for all."""
        return limit if self._counts else max(1, limit // self._machines)

    def _counted(self, command: Callable[[], Counted]) -> float:
        try:
            value, self._machines = command()
        except Silent:
            self._counts = False
            raise
        self._counts = True
        return value

    def _key(self, name: str) -> str:
        """Return the key on the server: which connector, the first word of the name, and the hash of all of it."""
        return f"{self._prefix}:{name.partition(' ')[0]}:{self._encryption.name(name)}"


def _value(opened: tuple[int, bytes] | None, now: int) -> SharedValue | None:
    if opened is None:
        return None
    stamp, content = opened
    return SharedValue(content, max(0, now - stamp) / 1000 if stamp <= now + _STEADY else float("inf"))
