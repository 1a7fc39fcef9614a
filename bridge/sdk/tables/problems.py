"""What of a table cannot be used, counted and told: the first rows with the reason, the others by their lines."""

import logging
from collections.abc import Iterable, Iterator, Sequence

from bridge.sdk.connector import Attention

_MOST_NAMED = 10
_MOST_LINES = 1000
_MOST_LISTED = 40


class Lines:
    """Rows of one kind: counted, and the first lines kept."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[int] = []

    def add(self, line: int) -> None:
        """Count the row that starts at `line`."""
        self.count += 1
        if self.count <= _MOST_LINES:
            self.first.append(line)

    def told(self, what: str) -> str:
        """Say how many there are, of what, and in which lines."""
        return f"{self.count} {what} ({self})" if self.count else f"0 {what}"

    def __str__(self) -> str:
        """Say which lines these are: `lines 3, 7-9 and more`."""
        runs = list(_runs(self.first))
        more = len(runs) > _MOST_LISTED or self.count > len(self.first)
        named = ", ".join(runs[:_MOST_LISTED])
        return f"line{'s' if self.count > 1 else ''} {named}{' and more' if more else ''}"


class Problems:
    """Rows that cannot be used: counted, and the first ones kept with their place and reason."""

    def __init__(self, file: str) -> None:
        self.count = 0
        self.first: list[str] = []
        self._others = Lines()
        self._file = file

    def add(self, line: int, reason: str) -> None:
        """Note what is wrong with the row that starts at `line`. No secret, no full telephone number."""
        self.count += 1
        if len(self.first) < _MOST_NAMED:
            self.first.append(f"{self._file}:{line}: {reason}")
        else:
            self._others.add(line)

    def told(self) -> Iterator[str]:
        """Give the first ones, and the lines of the others."""
        yield from self.first
        if self._others.count:
            yield f"{self._file}: and {self._others.count} more: {self._others}"


def announce(log: logging.Logger, summary: Iterable[str]) -> None:
    """Log what was read, in one line: as a warning if something of it asks somebody to act."""
    lines = list(summary)
    level = logging.WARNING if any(isinstance(line, Attention) for line in lines) else logging.INFO
    log.log(level, "read %s", "; ".join(lines))


def _runs(numbers: Sequence[int]) -> Iterator[str]:
    """Give numbers for a message, those that follow one another as `3-7`."""
    at = 0
    while at < len(numbers):
        end = at
        while end + 1 < len(numbers) and numbers[end + 1] == numbers[end] + 1:
            end += 1
        yield str(numbers[at]) if end == at else f"{numbers[at]}-{numbers[end]}"
        at = end + 1
