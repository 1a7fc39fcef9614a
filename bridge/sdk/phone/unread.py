"""What cannot be read of a field, in words that may stand in a log, and who is told of it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_LONGEST_SHOWN = 40  # characters
_ALL_BUT_THREE_DIGITS = re.compile(r"[0-9](?=(?:[^0-9]*[0-9]){3})")


@dataclass(frozen=True, slots=True, repr=False)
class Unread:
    """A part of a field that seems to hold a number, and why none was read. `str` may stand in a log."""

    text: str
    reason: str

    @property
    def masked(self) -> str:
        """The part without its digits, but for the last three, and without words."""
        return _ALL_BUT_THREE_DIGITS.sub("•", re.sub(r"[^\W\d_]{2,}", "…", self.text))[:_LONGEST_SHOWN]

    def __str__(self) -> str:
        return f"'{self.masked}': {self.reason}"

    def __repr__(self) -> str:
        return f"Unread({self})"


_LISTENER: ContextVar[Callable[[Unread], None] | None] = ContextVar("unread", default=None)


@contextmanager
def unread_told_to(listener: Callable[[Unread], None]) -> Iterator[None]:
    """Let `listener` hear what cannot be read of any field that this thread reads meanwhile."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(unread: Unread) -> None:
    """Tell whoever listens in this thread."""
    if listener := _LISTENER.get():
        listener(unread)
