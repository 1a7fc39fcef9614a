"""What the shared memory asks of a server, whichever it is, and how that may fail."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from bridge.sdk.errors import BridgeError

LIMIT = 0.1
"""Seconds that anybody waits for the server."""


class Silent(BridgeError):
    """The server did not answer in time, or nothing that could be understood; the message says it for the log."""


class Refused(Silent):
    """The server answers, but does not do what is asked: it is full, read-only, or wants other rights."""


class Reading(NamedTuple):
    """What is kept under each key, and the server's time, in milliseconds since 1970."""

    now: int
    contents: Sequence[bytes | None]


class Counted(NamedTuple):
    """What a limit says: `value` as the command tells, and how many machines have asked for it lately."""

    value: float
    machines: int


class Window(NamedTuple):
    """At most `most` requests in any `seconds`; the next turn is booked if it is no further away than `longest`."""

    most: int
    seconds: float
    longest: float


class Backend(Protocol):
    """One server, asked from many threads. Every method but `abort` raises Silent."""

    place: str
    """Where it is, for the log: without user and password."""

    def ping(self) -> None:
        """Ask for a sign of life."""

    def read(self, keys: Sequence[str]) -> Reading:
        """Return what is kept at one moment."""

    def put(self, key: str, content: bytes, stamp: int, until: int, lock: tuple[str, str]) -> None:
        """Keep a content of the time `stamp` until `until`, both the server's; free `lock` (key and token) with it."""

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Take a lock for so many seconds, if it is free; tell whether it was. One without an end is free."""

    def free(self, key: str, token: str | bytes) -> None:
        """Delete what is kept, if it still is this: to give a lock back, or to forget a content."""

    def book(self, keys: tuple[str, str], window: Window, token: str, machine: str) -> Counted:
        """Book the next turn; the value is how many seconds it is away. `keys` are those of turns and of machines."""

    def take_place(self, keys: tuple[str, str], limit: int, seconds: float, token: str, machine: str) -> Counted:
        """Take one of so many places, for so many seconds at most; the value is 1, or 0 if all are taken."""

    def leave_place(self, key: str, token: str) -> None:
        """Give a place back."""

    def abort(self) -> None:
        """Close every connection, also under the hands of who waits for an answer."""
