"""Columns that are not read although telephone numbers stand in them: probably a header that nobody has thought of.

A customer whose number stands only there would be nobody, without a word. Only the first rows are looked at.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import parse_all
from bridge.sdk.tables.table import clean_cell, shown

_ROWS = 200
_ENOUGH = 2
_LIKE_A_NUMBER = re.compile(r"[+(]{0,2}(?:[0-9][ ().-]*){9,15}", re.ASCII)


class UnreadColumns:
    """The columns of a table but those `used`; `look` is shown each row."""

    def __init__(self, columns: Sequence[str], used: Collection[int], region: str) -> None:
        self._columns = columns
        self._region = region
        self._cells = {at: 0 for at in range(len(columns)) if at not in used}
        self._numbers = dict(self._cells)
        self._left = _ROWS

    def look(self, cells: Sequence[str]) -> None:
        """Count what looks like a telephone number, as long as it matters."""
        if self._left <= 0:
            return
        self._left -= 1
        for at in self._cells:
            if text := clean_cell(cells[at]):
                self._cells[at] += 1
                self._numbers[at] += _is_number(text, self._region)

    def found(self) -> Iterator[str]:
        """Give the headers of those in which most cells are telephone numbers, for a message."""
        for at, count in self._numbers.items():
            if count >= _ENOUGH and 2 * count > self._cells[at]:
                yield shown(self._columns[at])


def _is_number(text: str, region: str) -> bool:
    if not _LIKE_A_NUMBER.fullmatch(text):
        return False
    try:
        return bool(parse_all(text, region))
    except InvalidNumber:
        return False
