"""What a guard tells about its work: counted by `bridge.observability.metrics`, or by nobody."""

from typing import Protocol


class Meter(Protocol):
    """Is told what happens to one connector; must not wait."""

    def remembered(self, how: str) -> None:
        """Hear that a call asked the memory: `fresh`, `stale`, `nothing`, or `shared`: another instance knew."""

    def asked(self, seconds: float, failure: str = "") -> None:
        """Hear that the source was asked, how long that took, and of what kind the failure was, if it was one."""

    def refused(self, reason: str) -> None:
        """Hear that a call would have asked the source but might not, and why: the kind of the failure."""

    def unread(self) -> None:
        """Hear that a telephone number in the source cannot be read."""


class Unmetered:
    """Counts nothing."""

    def remembered(self, how: str) -> None:
        """Hear it."""

    def asked(self, seconds: float, failure: str = "") -> None:
        """Hear it."""

    def refused(self, reason: str) -> None:
        """Hear it."""

    def unread(self) -> None:
        """Hear it."""
