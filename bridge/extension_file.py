"""Owners and their extensions from a CSV file, kept up to date while the service runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.directory import ExtensionMap
from bridge.errors import UnexpectedAnswer
from bridge.sections import ExtensionFile
from bridge.table import (
    Ending,
    Table,
    clean_cell,
    extensions_in,
    find_columns,
    is_nothing,
    listed,
    only_column,
    read_table,
)
from bridge.watch import WatchedFile

_OWNER_HEADERS = (
    *("email", "e-mail", "mail", "login", "username", "user name", "user", "owner", "owner id", "owner email", "name"),
    *("full name", "tên đăng nhập", "tài khoản", "họ tên", "họ và tên", "tên nhân viên", "nhân viên", "người dùng"),
)
_EXTENSION_HEADERS = ("extension", "ext", "extensions", "máy lẻ", "số máy lẻ", "số nội bộ", "nội bộ", "máy nhánh")


@dataclass(frozen=True, slots=True)
class ExtensionList:
    """The content of the file, how the file ended, and what was wrong in it."""

    entries: ExtensionMap
    ending: Ending
    problems: tuple[str, ...]


class ExtensionFileWatch:
    """The file of the configuration's `extensions.csv`, with its last good content in force."""

    def __init__(self, settings: ExtensionFile) -> None:
        self._settings = settings
        self._file = WatchedFile(settings.path, self._read, accept=_accept)

    def start(self) -> None:
        """Read the file now, and again whenever it changes."""
        self._file.start()

    def current(self) -> ExtensionMap:
        """Return the list in force; raises SourceUnavailable if there never was a good one."""
        return self._file.current().entries

    @property
    def trouble(self) -> str:
        """What is wrong with the file as it is now, or nothing."""
        return self._file.trouble

    def report(self) -> tuple[str, ...]:
        """Return what is wrong with single rows."""
        return self._file.current().problems

    def close(self) -> None:
        """Stop watching."""
        self._file.close()

    def _read(self, path: Path) -> ExtensionList:
        with read_table(path, encoding=self._settings.encoding, delimiter=self._settings.delimiter) as table:
            entries = ExtensionMap(self._entries(table))
            more = table.problems.count - len(table.problems.first)
            problems = (*table.problems.first, *([f"and {more} more rows"] if more else []))
            return ExtensionList(entries, table.ending, problems)

    def _entries(self, table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
        owners, extension = self._columns(table)
        for line, cells in table.rows():
            if is_nothing(cells[extension]):
                continue
            try:
                found = extensions_in(cells[extension])
            except ValueError as error:
                table.problems.add(line, str(error))
                continue
            for owner in dict.fromkeys(clean_cell(cells[index]) for index in owners):
                if not is_nothing(owner):
                    yield owner, found

    def _columns(self, table: Table) -> tuple[tuple[int, ...], int]:
        chosen = self._settings.columns
        known = {"owner": _OWNER_HEADERS, "extension": _EXTENSION_HEADERS}
        configured = {"owner": chosen.owner, "extension": [chosen.extension] if chosen.extension else []}
        try:
            found = find_columns(table.columns, known, configured)
            extension = only_column(table.columns, found["extension"], "extension", "the extension")
        except ValueError as error:
            raise UnexpectedAnswer(f"{table.name}: {error}") from None
        if not found["owner"] or extension is None:
            missing = "the extension" if found["owner"] else "the owner"
            raise UnexpectedAnswer(
                f"{table.name}: no column is recognised as {missing}; name it under `columns:`; "
                f"the file has: {listed(table.columns)}"
            )
        return found["owner"], extension


def _accept(old: ExtensionList, new: ExtensionList) -> None:
    new.ending.check_against(old.ending)
