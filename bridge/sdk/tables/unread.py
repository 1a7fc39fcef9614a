"""Columns that are not read although telephone numbers or their countries stand in them: a header nobody thought of.

A customer whose number stands only there would be nobody, without a word, and one in Thailand would pass for another in
Vietnam. The whole file is looked at, for a column may begin late; words for nothing do not count.
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import parse_all, region_named
from bridge.sdk.tables.table import clean_cell, is_nothing, shown

_ENOUGH = 2
_MOST_READ = 1000
_SHORTEST, _LONGEST = 9, 30  # characters
_LIKE_A_NUMBER = re.compile(r"['+(]{0,2}(?:[0-9][ ().-]*){9,15}", re.ASCII)
_MOST_OTHERS = 100
_CALLING_CODE = re.compile(r"\(?\+[1-9][0-9]{0,2}\)?", re.ASCII)
_SHORTEST_NAME, _LONGEST_NAME = 5, 40  # characters; Anh, Nga and Đức are people as well


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


class UnreadCountries:
    """The columns of a table but those `used`; `look` is shown each row, and counts cells that are countries.

    Those of `region` alone say nothing new; a column that is mostly something else is looked at no more.
    """

    def __init__(self, columns: Sequence[str], used: Collection[int], region: str) -> None:
        self._columns = columns
        self._region = region
        self._countries = {at: 0 for at in range(len(columns)) if at not in used}
        self._others = dict(self._countries)
        self._foreign: set[int] = set()

    def look(self, cells: Sequence[str]) -> None:
        """Count what is a country, and what is not."""
        for at in [*self._others]:
            text = cells[at].strip()
            if region := _country_in(text):
                self._countries[at] += 1
                if region != self._region:
                    self._foreign.add(at)
            elif text and not is_nothing(text):
                self._others[at] += 1
                if self._others[at] > self._countries[at] + _MOST_OTHERS:
                    del self._others[at]

    def told(self) -> Iterator[str]:
        """Tell of those in which most cells are countries, and some not the region, and what to write of them."""
        for at, others in self._others.items():
            if at in self._foreign and self._countries[at] > others:
                header, quoted = shown(self._columns[at]), json.dumps(self._columns[at], ensure_ascii=False)
                yield (
                    f"{header} holds countries and is not read: if it says whose the numbers are, write "
                    f"`columns: {{country: {quoted}}}`, else `columns: {{country: false}}`"
                )


@lru_cache(maxsize=1000)
def _country_in(text: str) -> str:
    is_code = _CALLING_CODE.fullmatch(text) is not None
    is_name = _SHORTEST_NAME <= len(text) <= _LONGEST_NAME and not any(map(str.isdigit, text))
    return region_named(text) if is_code or is_name else ""
