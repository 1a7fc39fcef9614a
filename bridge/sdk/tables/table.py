"""Tables of people in CSV files, as Excel and CRMs write them: the door to everything about them.

Used by the CSV connector and by the directory of extensions. A table is read row by row and never held as a whole.
What makes a single row unusable is noted in `problems` and the reading goes on; what makes the file as a whole doubtful
(an open quote at its end, a quote that makes one cell of whole rows, bytes that are no text) is an exception, so that
neither half a file nor a damaged one is ever taken for a whole one.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.tables.any_table import AnyTable, Ending
from bridge.sdk.tables.columns import (
    clean_cell,
    extensions_in,
    find_columns,
    header_key,
    header_keys,
    listed,
    looks_like_data,
    only_column,
    several_in,
    shown,
)
from bridge.sdk.tables.lost_cells import is_shortened
from bridge.sdk.tables.misread_headers import misread
from bridge.sdk.tables.problems import Problems
from bridge.sdk.tables.row_signs import RowSigns, row_within
from bridge.sdk.tables.text_file import TextFile
from bridge.sdk.tables.whole_rows import WholeRows
from bridge.sdk.words import fold, is_nothing

__all__ = [
    "AnyTable",
    "Ending",
    "Problems",
    "Table",
    "clean_cell",
    "extensions_in",
    "find_columns",
    "fold",
    "header_key",
    "header_keys",
    "is_nothing",
    "is_shortened",
    "listed",
    "only_column",
    "read_table",
    "several_in",
    "shown",
]

_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*(?:"|$)')
_DECLARED = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)
_LINES_BELOW_A_TITLE = 10
_CELL_OF_SEVERAL = re.compile(r"[\r\n,;\t|]+")
_DOUBLED = 'a quote inside a cell has to be doubled ("")'


class Table(AnyTable):
    """An open CSV file.

    A row with too few cells is filled up, for Excel leaves out blanks at the end, unless it is half of one that a line
    break breaks, going by the signs of a row; one with too many is a problem, for its cells may stand in the wrong
    columns.
    """

    def __init__(self, file: TextFile, delimiter: str | None) -> None:
        super().__init__(file.name)
        self._file = file
        self._whole: WholeRows | None = None
        self._lines: list[str] = []
        lines = iter(file)
        first = next(lines, "")
        declared = _DECLARED.fullmatch(first)
        if declared:
            first = next(lines, "")
        while not first.strip() and not file.exhausted:
            first = next(lines, "")
        self.delimiter = delimiter or (declared[1] if declared else _most_frequent(first))
        self._lines_before = file.line - 1
        self.header = file.line
        # Strict: a quote in the wrong place makes the row a problem instead of letting it swallow the next ones.
        ahead = deque([first])
        self._blank_behind = re.compile(rf"{re.escape(self.delimiter)}[^\S\r\n]+\S")
        records = self._noted(ahead, lines)
        self._reader = csv.reader(records, delimiter=self.delimiter, strict=True, skipinitialspace=True)
        _, header = next(self._records(), (0, []))
        if self.problems.count or not any(header):
            raise UnexpectedAnswer(f"{self.name}: has no header: its first line has to hold the columns' names")
        self.columns = tuple(clean_cell(name) for name in header)
        if sum(map(bool, self.columns)) == 1:
            ahead.extend(islice(lines, _LINES_BELOW_A_TITLE))
        self._check_header(ahead)

    def rows(self, signs: RowSigns | None = None) -> Iterator[tuple[int, list[str]]]:
        """Give the rows, see `AnyTable`."""
        self._signs = signs or RowSigns.unknown(len(self.columns))
        self._whole = WholeRows(len(self.columns), self.delimiter, self._signs, self.reject)
        return self._whole.of(self._records())

    @property
    def form(self) -> Mapping[str, str]:
        """In which encoding it is, and what stands between two cells."""
        return {"encoding": self._file.encoding, "delimiter": "tab" if self.delimiter == "\t" else self.delimiter}

    @property
    def ending(self) -> Ending:
        """How the table ended, once all rows were read."""
        rows, last_is_whole = (self._whole.count, self._whole.last_is_whole) if self._whole else (0, True)
        return Ending(self.name, rows, last_is_whole, self._file.ends_with_newline)

    def misread(self) -> str:
        """Say what to do if the headers make sense in another encoding, to be added to a complaint about them."""
        why = misread(self._file.beginning, self._file.encoding)
        return f"; {why}" if why else ""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check_header(self, ahead: Iterable[str]) -> None:
        """Raise UnexpectedAnswer if the header is somebody's row or, given the lines below it, a title."""
        inside = [piece.strip() for name in self.columns if "\n" in name for piece in _CELL_OF_SEVERAL.split(name)]
        if any(map(looks_like_data, inside)):
            raise UnexpectedAnswer(f"{self.name}: a quote in the header makes one cell of it and of rows: {_DOUBLED}")
        if any(map(looks_like_data, self.columns)) or any(map(_has_several_cells, ahead)):
            raise UnexpectedAnswer(
                f"{self.name}: the first line has to hold the columns' names: delete what stands above it, or add such "
                f"a line; the file has: {listed(self.columns)}"
            )

    def _noted(self, ahead: deque[str], rest: Iterator[str]) -> Iterator[str]:
        """Give the lines that were read ahead, also those that come to be there meanwhile, and then the rest.

        Those of the record that is being read are kept: if it is damaged, they are all that is there of it.
        """
        while ahead:
            line = ahead.popleft()
            self._lines.append(line)
            yield line
        for line in rest:
            self._lines.append(line)
            yield line

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        reader, lines = self._reader, self._lines
        while True:
            lines.clear()
            line = self._lines_before + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._judge(line, error)
                continue
            if len(lines) > 1 and self._signs:
                self._check_several_lines(line, cells, self._signs)
            yield line, cells

    def _check_several_lines(self, line: int, cells: Sequence[str], signs: RowSigns) -> None:
        """Raise UnexpectedAnswer if a cell of this record, which goes over several lines, holds rows."""
        spaced = self._blank_behind.search(_QUOTED.sub("", "".join(self._lines))) is not None
        found = row_within(cells, len(self.columns), self.delimiter, signs, spaced=spaced)
        if found is not None:
            self._refuse_swallowed(line, line + len(self._lines) - 1)

    def _refuse_swallowed(self, first: int, last: int) -> None:
        raise self._file.error(
            f"a quote in this row makes one cell of it and the rows up to line {last}: {_DOUBLED}", line=first
        )

    def _judge(self, line: int, error: csv.Error) -> None:
        """Raise if the file is doubtful; else note that the row is."""
        if self._file.exhausted:
            raise self._file.error(
                f"the file looks half-written, or a quote is one too many: it is open at the file's end; {_DOUBLED}",
                line=line,
            ) from None
        if "field limit" in str(error):
            raise self._file.error(
                f"a cell is longer than {csv.field_size_limit()} characters: probably its quote is never closed",
                line=line,
            ) from None
        several = len(self._lines) > 1
        last = line + len(self._lines) - 1
        if several and any(map(self._is_a_row, self._lines[1:])):
            self._refuse_swallowed(line, last)
        goes_on = f" (the row goes on to line {last})" if several else ""
        remedy = ", and not escaped by a backslash" if any('\\"' in text for text in self._lines) else ""
        self.problems.add(line, f"a quote stands where none may be{goes_on}: {_DOUBLED}{remedy}")

    def _is_a_row(self, text: str) -> bool:
        """Tell whether a line is a row by itself, if its quotes are taken as they stand or as nothing special."""
        width = len(self.columns)
        signs = self._signs or RowSigns.unknown(width)
        readings = [text.rstrip("\r\n").split(self.delimiter)]
        with suppress(csv.Error):
            readings += csv.reader([text], delimiter=self.delimiter, skipinitialspace=True)
        return any(len(cells) == width > 1 and signs.are_a_row(cells, range(width)) for cells in readings)


def read_table(path: Path, *, encoding: str | None = None, delimiter: str | None = None, name: str = "") -> Table:
    """Open the table in `path` and read its header; `name` is what it is called if that is not the path's.

    What is not given is found out: UTF-8, UTF-16 or Windows-1258; comma, semicolon, tab or bar, or what a first line
    `sep=;` says. Raises SourceUnavailable if the file cannot be read now, UnexpectedAnswer if it is no table.
    """
    file = TextFile(path, encoding, name)
    try:
        return Table(file, delimiter)
    except BaseException:
        file.close()
        raise


def _most_frequent(header: str) -> str:
    bare = _QUOTED.sub("", header)
    return max(_DELIMITERS, key=bare.count)


def _has_several_cells(line: str) -> bool:
    cells = next(csv.reader([line], delimiter=_most_frequent(line)), [])
    return sum(map(bool, map(str.strip, cells))) > 1
