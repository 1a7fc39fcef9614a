"""What all tables of people have in common, wherever their rows come from."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.tables.columns import clean_cell, header_key
from bridge.sdk.tables.lost_cells import is_unfinished
from bridge.sdk.tables.problems import Problems
from bridge.sdk.tables.row_signs import RowSigns


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


class AnyTable(ABC):
    """An open table: `columns` are its headers, `rows()` gives the rest once; close it, or use it in `with`.

    `name` is what messages call it, `beside` what else lies there that is not read, `header` the line of its header.
    `problems` and `ending` are complete once all rows were read.
    """

    beside = ""

    def __init__(self, name: str) -> None:
        self.name = name
        self.columns: tuple[str, ...] = ()
        self.header = 0
        self.problems = Problems(name)
        self._signs: RowSigns | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def rows(self, signs: RowSigns | None = None) -> Iterator[tuple[int, list[str]]]:
        """Give the number of the line at which a row starts and its cells, as many as there are columns.

        Blank rows are left out. Cells are as written: `clean_cell` them. `signs` tell a row from what is none.
        Raises UnexpectedAnswer if the file is damaged or half-written, SourceUnavailable if it can be read no more.
        """

    def refuse_unfinished(self, line: int, cells: Iterable[str]) -> None:
        """Raise UnexpectedAnswer if one of these cells was not computed yet: what it will hold is not known.

        The list before it has it, and so stays in force until the table is whole.
        """
        if any(is_unfinished(clean_cell(cell)) for cell in cells):
            raise self.error(
                "Google Sheets was still computing this row (Loading…): the table is read again at its next turn; if "
                "that lasts, look at the formulas there",
                line,
            )

    def reject(self, line: int, cells: Sequence[str], reason: str) -> None:
        """Note that a row cannot be used, and why; a header in the middle is called by its name.

        Raises UnexpectedAnswer if it is another header than the first: whose columns would the next rows have?
        """
        if self._signs is None or not self._signs.are_headings(cells, self.columns):
            self.problems.add(line, reason)
        elif [*map(header_key, filter(None, cells))] == [*map(header_key, filter(None, self.columns))]:
            self.problems.add(line, "the header stands here once more")
        else:
            raise self.error(
                "another header stands here: these are several lists in one file, with other columns each: split it",
                line,
            )

    @property
    @abstractmethod
    def form(self) -> Mapping[str, str]:
        """How it was read, by the keys of the configuration that would say it otherwise."""

    @property
    @abstractmethod
    def ending(self) -> Ending:
        """How the table ended, once all rows were read."""

    @abstractmethod
    def misread(self) -> str:
        """Say what to do if the headers make sense in another encoding, to be added to a complaint about them."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def error(self, problem: str, line: int) -> UnexpectedAnswer:
        """Make an error located at a line."""
        return UnexpectedAnswer(f"{self.name}:{line}: {problem}")
