"""A sheet of a workbook as a table of people: which sheet it is, and in which of its rows the columns' names stand.

People put titles, an address and a date above a table, and begin it where it looks well. So the header is the row, of
the first ones, that has most names which are known; the rows above it are none of the table's. If nothing says which of
several sheets is meant, the only one with such a header is; whatever else is not clear is asked, and never guessed.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.suggestion import did_you_mean
from bridge.sdk.tables.any_table import AnyTable, Ending
from bridge.sdk.tables.columns import clean_cell, is_named, listed, looks_like_data, shown
from bridge.sdk.tables.lost_cells import yields_nothing
from bridge.sdk.tables.misread_headers import told_of_headers
from bridge.sdk.tables.row_signs import RowSigns
from bridge.sdk.tables.workbook import Head, Row, Workbook
from bridge.sdk.words import canonical

_NAMES_OF_A_HEADER = 2
_MOST_DATA_ABOVE = 2  # the telephone and the e-mail of whoever made the list
_LETTERS = 26


class Spreadsheet(AnyTable):
    """An open sheet of a workbook; a column without a name is called after its letter."""

    def __init__(self, book: Workbook, sheet: str | None, headings: Collection[str]) -> None:
        head, others = _chosen(book, sheet, headings)
        super().__init__(f"{book.name}, sheet {shown(head.name)}")
        self.beside = f"sheets that are not read: {listed(others)}" if others else ""
        self._book = book
        self._sheet = head.name
        self._count = 0
        at = _header_in(head.rows, headings)
        self.header, names = head.rows[at]
        self.columns = tuple(
            clean_cell(name) or f"column {_letters(head.left + column)}"
            for column, name in enumerate([*names, *[""] * (head.width - len(names))])
        )
        above = sum(any(map(looks_like_data, cells)) for _, cells in head.rows[:at])
        if any(map(looks_like_data, self.columns)) or above > _MOST_DATA_ABOVE:
            raise self.error(
                "one row has to hold the columns' names, above all others: add such a row, or delete what stands above "
                f"it; the file has: {listed(self.columns)}",
                self.header,
            )

    def rows(self, signs: RowSigns | None = None) -> Iterator[tuple[int, list[str]]]:
        """Give the rows, see `AnyTable`; a row's number is Excel's."""
        self._signs = signs
        blank = [""] * len(self.columns)
        for row, cells in self._book.rows(self._sheet):
            if row > self.header and not _is_filled_in_ahead(cells, signs):
                self._count += 1
                yield row, [*cells, *blank[len(cells) :]]

    @property
    def form(self) -> Mapping[str, str]:
        """Which sheet it is."""
        return {"sheet": self._sheet}

    @property
    def ending(self) -> Ending:
        """How the table ended: as it should, for half a workbook cannot be opened."""
        return Ending(self.name, self._count, last_row_whole=True, last_line_finished=True)

    def misread(self) -> str:
        """Say in which encoding the headers make sense."""
        why = told_of_headers(self.columns)
        return f"; {why}" if why else ""

    def close(self) -> None:
        """Close the workbook."""
        self._book.close()


def check_reader() -> None:
    """Raise ValueError, naming what to install, if the library that reads workbooks is not there."""
    if find_spec("python_calamine") is None:
        raise ValueError(
            "python-calamine, which reads workbooks, is not installed: in the folder of omi-bridge: "
            "make install EXTRAS=xlsx (for a service: docs/deploy.md, step 2)"
        )


def open_spreadsheet(path: Path, *, sheet: str | None, headings: Collection[str], name: str = "") -> Spreadsheet:
    """Open a sheet of the workbook in `path`, and find its header by `headings`, as `header_key` makes them.

    Without `sheet`, the only one that is shown and has a header is read. `name` is what the workbook is called if that
    is not the path's. Raises SourceUnavailable if the file cannot
    be read now, UnexpectedAnswer if it is no such workbook.
    """
    book = Workbook(path, name=name)
    try:
        return Spreadsheet(book, sheet, headings)
    except BaseException:
        book.close()
        raise


def _chosen(book: Workbook, sheet: str | None, headings: Collection[str]) -> tuple[Head, Sequence[str]]:
    """Return the sheet that is meant, and the names of others that are shown and hold something."""
    if sheet is not None:
        (head,) = book.heads([_called(book, sheet)])
        if not head.rows:
            raise UnexpectedAnswer(f"{book.name}: the sheet {shown(head.name)} is blank")
        return head, ()
    heads = [head for head in book.heads([name for name, is_shown in book.sheets if is_shown]) if head.rows]
    if not heads:
        hidden = [name for name, is_shown in book.sheets if not is_shown]
        told = f"; these are hidden: {listed(hidden)}: name one under `sheet: …`" if hidden else ""
        raise UnexpectedAnswer(f"{book.name}: holds no rows{told}")
    meant = [head for head in heads if _names_in(head, headings) >= _NAMES_OF_A_HEADER] if len(heads) > 1 else heads
    if len(meant) != 1:
        names = listed([head.name for head in meant or heads])
        example = json.dumps((meant or heads)[0].name, ensure_ascii=False)
        raise UnexpectedAnswer(
            f"{book.name}: several sheets could be meant: {names}: write which one, such as `sheet: {example}`; "
            "of customers in several sheets, each sheet takes a connector of its own"
        )
    return meant[0], [head.name for head in heads if head is not meant[0]]


def _called(book: Workbook, sheet: str) -> str:
    names = [name for name, _ in book.sheets]
    found = [name for name in names if name == sheet] or [name for name in names if canonical(name) == canonical(sheet)]
    if len(found) != 1:
        guess = did_you_mean(sheet, names)
        raise UnexpectedAnswer(f"{book.name}: there is no sheet {shown(sheet)}{guess}; the file has: {listed(names)}")
    return found[0]


def _names_in(head: Head, headings: Collection[str]) -> int:
    return max(_known(cells, headings) for _, cells in head.rows)


def _header_in(rows: Sequence[Row], headings: Collection[str]) -> int:
    """Return which of the rows has most names of columns; of equal ones the first that is more than a title."""
    return max(range(len(rows)), key=lambda at: (_known(rows[at][1], headings), _filled(rows[at][1]) > 1, -at))


def _known(cells: Sequence[str], headings: Collection[str]) -> int:
    return sum(is_named(cell, headings) for cell in cells)


def _filled(cells: Sequence[str]) -> int:
    return sum(map(bool, cells))


def _is_filled_in_ahead(cells: Sequence[str], signs: RowSigns | None) -> bool:
    """Tell whether nothing stands in a row but errors of formulas, which are often filled in far below the last one.

    An error where a row has what it is asked for by is somebody's, and is told.
    """
    if signs and any(cells[at] for at in signs.keys if at < len(cells)):
        return False
    return all(map(yields_nothing, filter(None, cells)))


def _letters(column: int) -> str:
    """Return what Excel calls a column, counted from 0: A to Z, AA and so on."""
    before, last = divmod(column, _LETTERS)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)
