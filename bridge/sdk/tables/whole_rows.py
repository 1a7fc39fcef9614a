"""Which records of a table are whole rows: those broken in two by a line break without quotes are named and left out.

Excel leaves out blank cells at the end of a row, so a short one may be whole. One that has nothing where the number
belongs, or something else, is the rest of the row before or the beginning of the next: no owner is taken from a half.
A short one that stands alone among long ones may lack a cell in the middle: no owner is taken from it either.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter

from bridge.sdk.tables.columns import is_telephone
from bridge.sdk.tables.row_signs import RowSigns
from bridge.sdk.words import fold

Record = tuple[int, list[str]]
"""The line at which it starts, and its cells."""

Reject = Callable[[int, Sequence[str], str], None]
"""Notes that the row which starts at a line cannot be used, and why."""

_MOST_HALVES = 50
_ROWS_AHEAD = 50
_REMEDY = "a separator inside a cell has to stand in quotes"
_QUOTES = {
    "'": ("'",),
    "\N{LEFT SINGLE QUOTATION MARK}": ("\N{RIGHT SINGLE QUOTATION MARK}",),
    "\N{LEFT DOUBLE QUOTATION MARK}": ("\N{RIGHT DOUBLE QUOTATION MARK}",),
    "\N{DOUBLE LOW-9 QUOTATION MARK}": ("\N{RIGHT DOUBLE QUOTATION MARK}", "\N{LEFT DOUBLE QUOTATION MARK}"),
}
_FIRST, _LAST = itemgetter(slice(1)), itemgetter(slice(-1, None))
_FOOTER = re.compile(
    r"(?:\W|[0-9])*(?:(?:grand |sub)?total|sum|count|rows?|records?|page|generated|exported|printed|copyright|"
    r"confidential|tong|cong|so dong|trang|xuat|ngay|in luc|nguoi lap|het)\b"
)


@dataclass(slots=True)
class _Held:
    """A row that may go on in the next record. `is_whole` says that it can be asked for as it is."""

    line: int
    cells: list[str]
    size: int
    is_whole: bool
    lines: list[int]
    blank_behind: bool = False
    alone: bool = False


class WholeRows:
    """Sorts the records of one table, `width` cells each; what is no whole row is given to `reject`."""

    def __init__(self, width: int, delimiter: str, signs: RowSigns, reject: Reject) -> None:
        self.count = 0
        self.last_is_whole = True
        self._width = width
        self._others = [other for other in ",;\t|" if other != delimiter]
        self._signs = signs
        self._reject = reject
        self._held: _Held | None = None
        self._short_is_usual = False

    def of(self, records: Iterator[Record]) -> Iterator[Record]:
        """Give the rows that are whole, filled up to the width; blank ones are left out."""
        width = self._width
        ahead = list(islice(records, _ROWS_AHEAD))
        usual = _usual_size(ahead, width)
        self._short_is_usual = _are_usually_short(ahead, width)
        for line, record in chain(ahead, records):
            cells = record
            held = self._held
            if len(cells) == usual > width and not any(cells[width:]):
                cells = cells[:width]
            if not any(cells):
                if held:
                    held.blank_behind = True
            elif len(cells) <= width and (split := _split_in(cells)):
                yield from self._released()
                self.count += 1
                self._reject(line, cells, split)
            elif len(cells) == width and (held is None or (held.is_whole and len(held.lines) == 1)):
                self.count += 1
                self.last_is_whole = True
                if held and held.alone:
                    self._reject_alone(held)
                elif held:
                    yield held.line, held.cells
                self._held = _Held(line, cells, width, True, [line])
            else:
                yield from self._irregular(line, cells)
        yield from self._released()

    def _irregular(self, line: int, cells: list[str]) -> Iterator[Record]:
        width, held, size = self._width, self._held, len(cells)
        self.last_is_whole = size >= width
        padded = [*cells, *[""] * width][:width]
        stands = size >= width or self._signs.has_key(padded)
        if held and size <= width and self._goes_on(held, cells, stands=stands):
            held.lines.append(line)
            held.size += size - 1
            held.is_whole = False
            return
        self.count += 1
        is_short = 1 < size < width and stands
        alone = is_short and not self._short_is_usual and self._signs.may_be_shifted(cells)
        if held and is_short and held.size < width:
            held.alone = alone = False
        yield from self._released()
        if size > width:
            self._reject(line, cells, f"the row has {size} cells, but there are {width} columns: {_REMEDY}")
        else:
            whole = stands or (size > 1 and self._signs.lacks_key(cells))
            self._held = _Held(line, padded, min(size, width), whole, [line], alone=alone)

    def _goes_on(self, held: _Held, cells: Sequence[str], *, stands: bool) -> bool:
        """Tell whether a record is the rest of the row that is held."""
        if len(held.lines) > _MOST_HALVES or self._is_apart(cells):
            return False
        size, width = len(cells), self._width
        total = held.size + size - 1
        if size == width:
            begun = not held.is_whole and held.size == 1 and len(held.lines) == 1 and self._signs.reads(0)
            return begun and not held.blank_behind and not self._is_apart(held.cells)
        if held.size >= width:
            return size == 1 and not stands and width - 1 in self._signs.owners and not held.blank_behind
        if held.is_whole or len(held.lines) > 1:
            if not stands and self._signs.lacks_key(cells) and size > 1:
                return total == width and (bool(cells[-1]) or size != held.size)
            return not stands and total <= width
        return size > 1 and held.size > 1 and (total == width or (total < width and not stands))

    def _is_apart(self, cells: Sequence[str]) -> bool:
        """Tell whether a record of one cell is a footer, or a row with another separator: no part of its neighbours."""
        if sum(map(bool, cells)) != 1 or not cells[0]:
            return False
        return _FOOTER.match(fold(cells[0])) is not None or any(cells[0].count(other) for other in self._others)

    def _released(self) -> Iterator[Record]:
        """Give the row that is held, if it is whole, and hold none."""
        held, self._held = self._held, None
        if held is None:
            return
        if len(held.lines) > 1:
            places = f"lines {', '.join(map(str, held.lines[:-1]))} and {held.lines[-1]}"
            told = f"a line break without quotes breaks this row: {places} are one; nothing of it is used"
            self._reject(held.line, held.cells, told)
        elif held.alone:
            self._reject_alone(held)
        elif held.is_whole:
            yield held.line, held.cells
        else:
            self._reject(held.line, held.cells, self._told_of_rest(held))

    def _reject_alone(self, held: _Held) -> None:
        told = (
            f"the row has {held.size} cells, the others have {self._width}: one in the middle may be missing, "
            "and the owner may be another column's: write blank cells too"
        )
        self._reject(held.line, held.cells, told)

    def _told_of_rest(self, held: _Held) -> str:
        for other in self._others:
            if held.size == 1 and held.cells[0].count(other) >= self._width - 1 > 0:
                name = "a tab" if other == "\t" else f"'{other}'"
                return f"the row's cells are separated by {name}, unlike the header's"
        cells = "1 cell" if held.size == 1 else f"{held.size} cells"
        return f"the row has {cells}, but there are {self._width} columns: something is missing in it"


def _usual_size(records: Sequence[Record], width: int) -> int:
    """Return how many cells rows have if they end in more separators than the header; else the header's."""
    sizes = Counter(len(cells) for _, cells in records if len(cells) >= width)
    usual, count = max(sizes.items(), key=lambda item: item[1], default=(width, 0))
    return usual if count > sizes[width] else width


def _are_usually_short(records: Sequence[Record], width: int) -> bool:
    """Tell whether the file leaves out blank cells at the end of its rows: not one row alone, and a fifth of them."""
    sizes = [len(cells) for _, cells in records if any(cells)]
    short = sum(1 < size < width for size in sizes)
    return (short > 1 and 5 * short >= len(sizes)) or 2 * short >= len(sizes)


def _split_in(cells: Sequence[str]) -> str:
    """Say what shows that a cell was taken for several: signs that keep none together, as `"` does."""
    if "\\" in map(_LAST, cells[:-1]):
        return f"a backslash does not keep a separator inside its cell: {_REMEDY}"
    if _QUOTES.keys() & map(_FIRST, cells):
        for at, cell in enumerate(cells):
            first, rest = cell[:1], cell[1:]
            closing = _QUOTES.get(first, ())
            if is_telephone(rest) or any(sign in rest for sign in closing):
                continue
            if any(later.rstrip().endswith(closing) for later in cells[at + 1 :] if later[:1] != first):
                return f"{first} does not keep a separator inside its cell: {_REMEDY}"
    return ""
