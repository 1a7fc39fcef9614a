"""By what a row of a table is known, so that rows inside a cell and halves of rows are told from what people write.

A stray quote makes one cell of the rows up to the next quote, and the first of them would ring the last one's owner.
The text parses all the same: only what stands in the cell tells it from an address of several lines. A line of the cell
is a row if it has as many pieces as there are columns, and the piece where the number belongs is one or is left blank.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from bridge.sdk.tables.columns import header_key, is_email, is_telephone

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_FIGURES = re.compile(r"[0-9]+")
_LONGEST_HEADING = 60
_LOOKED_AT_FIRST = 3


@dataclass(frozen=True, slots=True)
class RowSigns:
    """What tells a row: the columns of `keys` hold what `is_key` recognises, those of `owners` name somebody.

    `is_owner` may know some of the owners; `headings` are keys of headers that a second header may have; without
    `needs_key` a row is one whatever it holds.
    """

    keys: Collection[int]
    owners: Collection[int]
    is_key: Callable[[str], bool]
    is_owner: Callable[[str], bool] = is_email
    headings: frozenset[str] = field(default=frozenset(), repr=False)
    needs_key: bool = True

    @classmethod
    def unknown(cls, width: int) -> "RowSigns":
        """Return the signs of a table whose columns nobody has told yet."""
        return cls(range(width), (), lambda text: is_telephone(text) or is_email(text), needs_key=False)

    def reads(self, column: int) -> bool:
        """Tell whether something is read from this column."""
        return column in self.keys or column in self.owners

    def has_key(self, cells: Sequence[str]) -> bool:
        """Tell whether a row has what a row is asked for by."""
        return not self.needs_key or any(self.is_key(cells[at]) for at in self.keys if at < len(cells))

    def lacks_key(self, cells: Sequence[str]) -> bool:
        """Tell whether a row leaves blank what a row is asked for by, as rows without a number do."""
        return all(at < len(cells) and not cells[at].strip() for at in self.keys)

    def may_be_shifted(self, cells: Sequence[str]) -> bool:
        """Tell whether a cell may be missing before the owner's, in a row that has too few: the key is in its place."""
        last = max((at for at in self.keys if at < len(cells) and self.is_key(cells[at])), default=len(cells))
        return any(last + 1 < at < len(cells) for at in self.owners)

    def are_a_row(self, pieces: Sequence[str], inside: range) -> bool:
        """Tell whether these are a row's cells, going by the `inside` of them that stand within one cell."""
        if any(is_telephone(pieces[at].strip()) for at in self.owners if at not in self.keys):
            return False
        keys = [pieces[at] for at in self.keys if at in inside]
        if any(map(self.is_key, keys)) or (keys and not any(map(str.strip, keys))):
            return True
        if not all(pieces[at].strip() for at in inside[:-1]):  # nobody writes two commas; one may end a line
            return True
        return any(self.is_owner(pieces[at].strip(' "')) for at in self.owners if at in inside)

    def are_of_a_row(self, pieces: Sequence[str]) -> bool:
        """Tell whether a number and an e-mail stand side by side as in cells, however many cells there are.

        Rows are shorter where Excel leaves out blanks at their end, and longer where a comma stands without quotes.
        """
        bare = [piece for piece in pieces if piece and not piece[0].isspace()]
        return any(map(is_email, bare)) and any(self.is_key(piece) for piece in bare if not is_email(piece))

    def are_headings(self, cells: Sequence[str], columns: Sequence[str]) -> bool:
        """Tell whether a row names columns instead of somebody.

        A known header where the key belongs is enough: nobody's number is `SĐT`. Else half of them have to be known.
        """
        known = self.headings.union(header_key(column) for column in columns if column) - {""}
        filled = [cell for cell in cells if cell]
        named = sum(1 for cell in filled if _key(cell) in known)
        if any(at < len(cells) and self._is_heading(cells[at], known) for at in self.keys):
            return not any(is_telephone(cell) or self.is_owner(cell) for cell in map(str.strip, filled))
        return any(_key(cell) in known for cell in filled[:_LOOKED_AT_FIRST]) and named > 1 and 2 * named >= len(filled)

    def _is_heading(self, cell: str, known: frozenset[str]) -> bool:
        """Tell whether this is a header and no key; a number in one (`Phone 2`) does not count."""
        key = _key(cell)
        return not self.is_key(cell) and (key in known or _FIGURES.sub("", key) in known)


def row_within(cells: Sequence[str], width: int, delimiter: str, signs: RowSigns, *, spaced: bool) -> int | None:
    """Return which line of a record that goes over several is a row of its own, counted from 0; None if none is.

    `spaced` says that the record itself has blanks behind its delimiters; else a line with them is prose.
    """
    line = 0
    for column, cell in enumerate(cells):
        parts = _LINE_BREAK.split(cell)
        for at, part in enumerate(parts if len(parts) > 1 else ()):
            pieces = part.split(delimiter)
            before = cells[:column] if at == 0 else []
            behind = cells[column + 1 :] if at == len(parts) - 1 else []
            inside = range(len(before), len(before) + len(pieces))
            if signs.are_of_a_row(pieces):
                return line + at
            if len(pieces) == 1 or len(before) + len(pieces) + len(behind) != width:
                continue
            if (spaced or not _is_prose(pieces)) and signs.are_a_row([*before, *pieces, *behind], inside):
                return line + at
        line += len(parts) - 1
    return None


def _key(cell: str) -> str:
    return header_key(cell) if len(cell) <= _LONGEST_HEADING else ""


def _is_prose(pieces: Sequence[str]) -> bool:
    return 2 * sum(piece[:1].isspace() for piece in pieces[1:]) >= len(pieces) - 1 > 0
