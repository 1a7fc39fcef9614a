"""Tables of people in CSV files, as Excel and CRMs write them: the door to everything about them.

Used by the CSV connector and by the directory of extensions. A table is read row by row and never held as a whole.
What makes a single row unusable is noted in `problems` and the reading goes on; what makes the file as a whole doubtful
(an open quote at its end, bytes that are no text) is an exception, so that half a file is never taken for a whole one.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.tables.columns import (
    clean_cell,
    extensions_in,
    find_columns,
    header_key,
    is_shortened,
    listed,
    looks_like_data,
    only_column,
    several_in,
    shown,
)
from bridge.sdk.tables.text_file import TextFile
from bridge.sdk.words import fold, is_nothing

__all__ = [
    "Ending",
    "Problems",
    "Table",
    "clean_cell",
    "extensions_in",
    "find_columns",
    "fold",
    "header_key",
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
_MOST_NAMED = 10
_LINES_BELOW_A_TITLE = 10
_REMEDY = "a separator inside a cell has to stand in quotes"


class Problems:
    """Rows that cannot be used: counted, and the first ones kept with their place and reason."""

    def __init__(self, file: str) -> None:
        self.count = 0
        self.first: list[str] = []
        self._file = file

    def add(self, line: int, reason: str) -> None:
        """Note what is wrong with the row that starts at `line`. No secret, no full telephone number."""
        self.count += 1
        if len(self.first) < _MOST_NAMED:
            self.first.append(f"{self._file}:{line}: {reason}")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a table ended: half-written ones end worse than the whole ones before them."""

    file: str
    rows: int
    last_row_whole: bool
    last_line_finished: bool

    def check_against(self, before: "Ending") -> None:
        """Raise UnexpectedAnswer if a file that ended like `before` seems to have been emptied or cut off."""
        if before.rows and not self.rows:
            raise UnexpectedAnswer(f"{self.file}: holds no rows any more: it looks emptied")
        if before.last_line_finished and not self.last_line_finished:
            raise UnexpectedAnswer(
                f"{self.file}: ends without the line break that it had before: it looks half-written"
            )
        if before.last_row_whole and not self.last_row_whole:
            raise UnexpectedAnswer(f"{self.file}: its last row has too few cells: it looks half-written")


class Table:
    """An open table: `columns` are its headers, `rows()` gives the rest once; close it, or use it in `with`.

    `problems` and `ending` are complete once all rows were read.
    """

    def __init__(self, file: TextFile, delimiter: str | None) -> None:
        self.name = file.name
        self.problems = Problems(file.name)
        self._file = file
        self._rows = 0
        self._last_row_whole = True
        lines = iter(file)
        first = next(lines, "")
        declared = _DECLARED.fullmatch(first)
        if declared:
            first = next(lines, "")
        while not first.strip() and not file.exhausted:
            first = next(lines, "")
        self.delimiter = delimiter or (declared[1] if declared else _most_frequent(first))
        self._lines_before = file.line - 1
        # Strict: a quote in the wrong place makes the row a problem instead of letting it swallow the next ones.
        ahead = deque([first])
        self._reader = csv.reader(_chained(ahead, lines), delimiter=self.delimiter, strict=True, skipinitialspace=True)
        _, header = next(self._records(), (0, []))
        if self.problems.count or not any(header):
            raise UnexpectedAnswer(f"{self.name}: has no header: its first line has to hold the columns' names")
        self.columns = tuple(clean_cell(name) for name in header)
        if sum(map(bool, self.columns)) == 1:
            ahead.extend(islice(lines, _LINES_BELOW_A_TITLE))
        self._check_header(ahead)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Give the number of the line at which a row starts and its cells, as many as there are columns.

        Blank rows are left out. A row with too few cells is filled up, for Excel leaves out blanks at the end; one with
        too many is a problem, for its cells may stand in the wrong columns. Cells are as written: `clean_cell` them.
        Raises UnexpectedAnswer if the file is damaged or half-written, SourceUnavailable if it can be read no more.
        """
        width = len(self.columns)
        for line, cells in self._records():
            if not any(cells):
                continue
            self._rows += 1
            self._last_row_whole = len(cells) >= width
            if len(cells) == width:
                yield line, cells
            elif any(cells[width:]):
                self.problems.add(line, f"the row has {len(cells)} cells, but there are {width} columns: {_REMEDY}")
            else:
                yield line, [*cells, *[""] * width][:width]

    @property
    def ending(self) -> Ending:
        """How the table ended, once all rows were read."""
        return Ending(self.name, self._rows, self._last_row_whole, self._file.ends_with_newline)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check_header(self, ahead: Iterable[str]) -> None:
        """Raise UnexpectedAnswer if the header is somebody's row or, given the lines below it, a title."""
        if any(map(looks_like_data, self.columns)) or any(map(_has_several_cells, ahead)):
            raise UnexpectedAnswer(
                f"{self.name}: the first line has to hold the columns' names: delete what stands above it, or add such "
                f"a line; the file has: {listed(self.columns)}"
            )

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        reader = self._reader
        while True:
            line = self._lines_before + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._judge(line, error)
                continue
            yield line, cells

    def _judge(self, line: int, error: csv.Error) -> None:
        """Raise if the file is doubtful; else note that the row is."""
        if self._file.exhausted:
            raise self._file.error("the file looks half-written: a quote is open at its end", line=line) from None
        if "field limit" in str(error):
            raise self._file.error(
                f"a cell is longer than {csv.field_size_limit()} characters: probably its quote is never closed",
                line=line,
            ) from None
        self.problems.add(line, "a quote stands where none may be")


def read_table(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """Open the table in `path` and read its header.

    What is not given is found out: UTF-8, UTF-16 or Windows-1258; comma, semicolon, tab or bar, or what a first line
    `sep=;` says. Raises SourceUnavailable if the file cannot be read now, UnexpectedAnswer if it is no table.
    """
    file = TextFile(path, encoding)
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


def _chained(ahead: deque[str], rest: Iterator[str]) -> Iterator[str]:
    """Give the lines that were read ahead, also those that come to be there meanwhile, and then the rest."""
    while ahead:
        yield ahead.popleft()
    yield from rest
