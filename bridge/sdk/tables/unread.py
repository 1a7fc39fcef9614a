"""Columns that are not read although telephone numbers stand in them: probably a header that nobody has thought of.

A customer whose number stands only there would be nobody, without a word. The whole file is looked at, for a column may
begin late; words for nothing do not count.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import parse_all
from bridge.sdk.tables.table import clean_cell, shown

_ENOUGH = 2
_MOST_READ = 1000
_SHORTEST, _LONGEST = 9, 30  # characters
_LIKE_A_NUMBER = re.compile(r"['+(]{0,2}(?:[0-9][ ().-]*){9,15}", re.ASCII)


class UnreadColumns:
    """The columns of a table but those `used`; `look` is shown each row."""

    def __init__(self, columns: Sequence[str], used: Collection[int], region: str) -> None:
        self._columns = columns
        self._region = region
        self._cells = {at: 0 for at in range(len(columns)) if at not in used}
        self._numbers = dict(self._cells)
        self._open = list(self._cells)
        self._read = dict(self._cells)

    def look(self, cells: Sequence[str]) -> None:
        """Count what looks like a telephone number. Reading a number costs most, so no column has too many read."""
        for at in self._open:
            if text := cells[at]:
                self._cells[at] += 1
                if _SHORTEST <= len(text) <= _LONGEST and _LIKE_A_NUMBER.fullmatch(text):
                    self._numbers[at] += _is_number(text, self._region)
                    self._read[at] += 1
                    if self._read[at] == _MOST_READ:
                        self._open = [other for other in self._open if other != at]

    def found(self) -> Iterator[str]:
        """Give the headers of those in which most cells are telephone numbers, for a message."""
        for at, count in self._numbers.items():
            if count >= _ENOUGH and 2 * count > self._cells[at]:
                yield shown(self._columns[at])


def _is_number(text: str, region: str) -> bool:
    try:
        return bool(parse_all(clean_cell(text), region))
    except InvalidNumber:
        return False
