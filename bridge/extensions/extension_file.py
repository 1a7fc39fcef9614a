"""Owners and their extensions from a file, kept up to date while the service runs.

An owner may stand in several rows and rings on all their extensions; that is noted, for it may be a slip. A cell names
one owner here, whatever stands in it: were `Nguyen, Lan` and `Nguyen, Minh` split, `Nguyen` would ring at both.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.config.extensions import ExtensionFile
from bridge.extensions.index import ExtensionMap
from bridge.sdk.connector import Attention
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.files.downloaded_file import place_of
from bridge.sdk.files.shrinking import Shrinking
from bridge.sdk.files.watched_file import WatchedFile
from bridge.sdk.tables.doubtful_columns import RunningNumber
from bridge.sdk.tables.lost_cells import why_lost
from bridge.sdk.tables.problems import Lines, announce
from bridge.sdk.tables.row_signs import RowSigns
from bridge.sdk.tables.table import (
    AnyTable,
    Ending,
    Problems,
    clean_cell,
    extensions_in,
    find_columns,
    header_key,
    header_keys,
    is_nothing,
    listed,
    only_column,
    several_in,
    shown,
)
from bridge.sdk.threads.background import BackgroundLoop
from bridge.sdk.words import canonical, counted, fold

_log = logging.getLogger(__name__)

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "owner": (
        *("email", "e-mail", "mail", "login", "username", "user name", "user", "owner", "owner id", "owner email"),
        *("name", "full name", "work email", "company email", "email công ty", "mail công ty", "email nhân viên"),
        *("tên đăng nhập", "tài khoản", "tài khoản nhân viên", "họ tên", "họ và tên", "tên", "tên nhân viên"),
        *("họ tên nhân viên", "nhân viên", "mã nhân viên", "mã NV", "tên NV", "NV", "người dùng", "tên người dùng"),
    ),
    "extension": (
        *("extension", "extensions", "extension number", "ext", "ext no", "máy lẻ", "số máy lẻ", "số lẻ"),
        *("số nội bộ", "nội bộ", "máy nội bộ", "số máy nội bộ", "máy nhánh", "số máy nhánh", "nhánh"),
    ),
}

_NONE_ON_PURPOSE = frozenset(("-", "\N{EN DASH}", "\N{EM DASH}", "none", "khong", "khong co"))
"""What says of somebody that there is no extension, and none is missing; a blank cell says nothing."""

_HEADINGS = frozenset(header_key(name) for names in _KNOWN.values() for name in names)


@dataclass(frozen=True, slots=True)
class ExtensionList:
    """The content of the file, how the file ended, and what was wrong in it, worth a note or probably a slip."""

    entries: ExtensionMap
    ending: Ending
    problems: Problems
    notes: Problems
    slips: Problems
    without_extension: Lines
    read_as: str
    doubts: tuple[str, ...]
    useful: int
    """How many rows have an owner and an extension."""

    def summary(self) -> Iterator[str]:
        """Say what was read, what of it cannot be used, and what may be a slip."""
        file = self.ending.file
        yield f"{file}: {_rows(self.ending.rows)}, {counted(len(self.entries), 'name')} of owners; {self.read_as}"
        if self.without_extension.count:
            yield f"{file}: {_rows(self.without_extension.count)} without an extension ({self.without_extension})"
        if self.problems.count:
            yield Attention(f"{file}: {_rows(self.problems.count)} with something that cannot be used; the first ones:")
            yield from map(Attention, self.problems.told())
        yield from self.notes.told()
        yield from map(Attention, self.slips.told())
        yield from (Attention(f"doubtful: {file}: {doubt}") for doubt in self.doubts)


class ExtensionFileWatch:
    """The file of the configuration's `extensions`, with its last good content in force."""

    def __init__(
        self, settings: ExtensionFile, *, kept: ListState | None = None, wait: Callable[[float], bool] | None = None
    ) -> None:
        """`wait` is how the watching thread waits; a test gives its own."""
        self._settings = settings
        self.kept = kept or ListState()
        self.needs_network = settings.url is not None
        self._opening = BackgroundLoop("open the file of extensions", self._open)
        self._tried = threading.Event()
        place = place_of(settings, settings.form, lambda: self.kept, wait)
        self._file = WatchedFile(
            place,
            self._read,
            accept=_accept,
            announce=_announce,
            shrinking=Shrinking(
                lambda content: content.useful, lambda: self.kept, lambda content: content.ending, place.of
            ),
            max_age=settings.max_age,
            wait=wait,
        )

    def start(self) -> None:
        """Read the file now, and again whenever it changes; one that lies elsewhere in the background, see `wait`."""
        if self.needs_network:
            self._opening.start()
        else:
            self._open()

    def wait(self, seconds: float) -> None:
        """Wait until the file was read for the first time, with whatever result, `seconds` at most."""
        self._tried.wait(seconds)

    @property
    def is_tried(self) -> bool:
        """Whether it was read once, with whatever result."""
        return self._tried.is_set()

    def current(self) -> ExtensionMap:
        """Return the list in force; raises SourceUnavailable if there never was a good one."""
        return self._file.current().entries

    @property
    def trouble(self) -> str:
        """What is wrong with the file as it is now, or nothing."""
        return self._file.trouble

    @property
    def unsettled(self) -> str:
        """The file's name while somebody is still writing it, before it was read as a whole for the first time."""
        return self._file.unsettled

    def content_age(self) -> float | None:
        """Return how many seconds ago the list in force was written, or asked for; None if there is none."""
        return self._file.age()

    def report(self) -> tuple[str, ...]:
        """Return what was read, and what of it cannot be used; raises SourceUnavailable as `current` does."""
        return (*self._file.report(), *self._file.current().summary())

    def close(self) -> None:
        """Stop watching."""
        self._opening.close()
        self._file.close()

    def _open(self) -> None:
        try:
            self._file.start()
        finally:
            self._tried.set()

    def _read(self, path: Path) -> ExtensionList:
        chosen = self._settings.columns
        configured = {"owner": chosen.owner, "extension": [chosen.extension] if chosen.extension else []}
        with self._settings.opened(path, _HEADINGS | header_keys(configured)) as table:
            return _ExtensionReader(table, *_columns(table, configured)).all()


class _ExtensionReader:
    """One pass over a table."""

    def __init__(self, table: AnyTable, owners: tuple[int, ...], extension: int) -> None:
        self._table = table
        self._owners = owners
        self._extension = extension
        self._signs = RowSigns((extension,), owners, _is_extension, headings=_HEADINGS)
        self._notes, self._slips = Problems(table.name), Problems(table.name)
        self._without_extension = Lines()
        self._running = RunningNumber()

    def all(self) -> ExtensionList:
        rows = [row for line, cells in self._table.rows(self._signs) if (row := self._row(line, cells))]
        entries = ExtensionMap(
            of_any_kind=((row.owners, row.extensions) for row in rows),
            places=(f"{self._table.name}:{row.line}" for row in rows),
        )
        self._note(rows, entries)
        columns, ending, problems = self._table.columns, self._table.ending, self._table.problems
        if not len(entries):
            first = f"; {problems.first[0]}" if problems.first else ""
            raise UnexpectedAnswer(f"{ending.file}: no row has both an owner and an extension{first}")
        names = ", ".join(shown(columns[index]) for index in self._owners)
        read_as = f"owner: {names}; extension: {shown(columns[self._extension])}"
        doubts = tuple(self._running.told(columns[self._extension]))
        useful = sum(bool(row.extensions) for row in rows)
        if useful < len(rows):
            read_as += f"; {_rows(len(rows) - useful)} of people without an extension on purpose"
        read_as += f"; {self._table.beside}" if self._table.beside else ""
        return ExtensionList(
            entries, ending, problems, self._notes, self._slips, self._without_extension, read_as, doubts, useful
        )

    def _row(self, line: int, cells: list[str]) -> "_Row | None":
        cell = clean_cell(cells[self._extension])
        self._running.look(cell)
        self._table.refuse_unfinished(line, (cells[at] for at in (*self._owners, self._extension)))
        is_blank = is_nothing(cell) and not why_lost(cell)
        if is_blank and fold(cell) not in _NONE_ON_PURPOSE:
            self._without_extension.add(line)
            return None
        try:
            found = () if is_blank else extensions_in(cell)
        except ValueError as error:
            self._table.reject(line, cells, str(error))
            return None
        named = dict.fromkeys(clean_cell(cells[index]) for index in self._owners)
        owners = tuple(owner for owner in named if not is_nothing(owner))
        if lost := next(filter(None, map(why_lost, named)), ""):
            self._table.problems.add(line, f"the owner cannot be repaired: {lost}")
            return None
        if not owners:
            self._table.problems.add(line, "an extension without an owner")
        return _Row(line, owners, found) if owners else None

    def _note(self, rows: Sequence["_Row"], entries: ExtensionMap) -> None:
        """Note what may be a slip: an owner in several rows, and a cell that seems to name several owners."""
        seen: dict[str, tuple[int, tuple[str, ...]]] = {}
        for row in rows:
            for owner in row.owners:
                before, known = seen.setdefault(canonical(owner), (row.line, row.extensions))
                if not entries.leads(owner):
                    self._slips.add(row.line, f"{shown(owner)} is what several people are called: it leads to nobody")
                elif known != row.extensions:
                    told = f"{shown(owner)} has another extension in line {before}: all of them ring"
                    self._notes.add(row.line, told)
                elif len(several_in(owner)) > 1:
                    self._slips.add(row.line, f"{shown(owner)} is taken as one owner: give each owner a row of its own")


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    owners: tuple[str, ...]
    extensions: tuple[str, ...]


def _is_extension(cell: str) -> bool:
    try:
        return bool(extensions_in(cell))
    except ValueError:
        return False


def _columns(table: AnyTable, configured: Mapping[str, list[str]]) -> tuple[tuple[int, ...], int]:
    try:
        found = find_columns(table.columns, _KNOWN, configured)
        extension = only_column(table.columns, found["extension"], "extension", "the extension")
    except ValueError as error:
        raise UnexpectedAnswer(f"{table.name}: {error}{table.misread()}") from None
    if not found["owner"] or extension is None:
        missing = "extension" if found["owner"] else "owner"
        raise UnexpectedAnswer(
            f"{table.name}: no column is recognised as the {missing}: name it under "
            f"`columns: {{{missing}: 'Header'}}`; the file has: {listed(table.columns)}{table.misread()}"
        )
    return found["owner"], extension


def _rows(count: int) -> str:
    return counted(count, "row")


def _accept(old: ExtensionList, new: ExtensionList) -> None:
    new.ending.check_against(old.ending)


def _announce(new: ExtensionList) -> None:
    announce(_log, new.summary())
