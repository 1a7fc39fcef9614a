"""Who answers for whom, from a file, kept up to date while the service runs.

A file in which nobody is away is a good one. Both columns of dates have to be there, though cells may be blank: a
header that nobody has thought of would send an owner away for ever.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bridge.config.extensions import DeputyFile
from bridge.config.moments import begins, ends, is_month_first, may_be_month_first, parse_moment
from bridge.extensions.deputies import Rule, named_in
from bridge.sdk.connector import Attention
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import SourceError, UnexpectedAnswer
from bridge.sdk.files.shrinking import Shrinking
from bridge.sdk.files.watched_file import WatchedFile
from bridge.sdk.tables.lost_cells import why_lost
from bridge.sdk.tables.problems import announce
from bridge.sdk.tables.row_signs import RowSigns
from bridge.sdk.tables.table import (
    AnyTable,
    Ending,
    Problems,
    clean_cell,
    find_columns,
    header_key,
    header_keys,
    is_nothing,
    listed,
    only_column,
    shown,
)
from bridge.sdk.threads.background import Wait
from bridge.sdk.words import fold

_log = logging.getLogger(__name__)

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "owner": (
        *("owner", "away", "absent", "absentee", "employee", "staff", "email", "name", "who is away"),
        *("người nghỉ", "nhân viên nghỉ", "người vắng", "người vắng mặt", "nhân viên vắng mặt", "nhân viên", "NV nghỉ"),
        *("người phụ trách", "họ tên", "họ và tên", "tên", "tên nhân viên", "mã nhân viên", "mã NV", "NV"),
    ),
    "deputy": (
        *("deputy", "deputies", "substitute", "stand-in", "replacement", "replaced by", "covered by", "backup"),
        *("người thay", "người thay thế", "nhân viên thay", "nhân viên thay thế", "NV thay", "NV thay thế"),
        *("thay bằng", "người trực thay", "người làm thay", "người nhận thay", "người nghe thay"),
        *("người tiếp nhận", "bàn giao cho"),
    ),
    "from": (
        *("from", "from date", "start", "start date", "first day", "begin", "begins", "since"),
        *("từ", "từ ngày", "ngày bắt đầu", "bắt đầu", "nghỉ từ", "nghỉ từ ngày"),
    ),
    "until": (
        *("until", "to", "till", "through", "to date", "end", "end date", "last day", "ends"),
        *("đến", "đến ngày", "tới ngày", "đến hết ngày", "hết ngày", "ngày kết thúc", "kết thúc", "nghỉ đến ngày"),
    ),
    "ring": ("ring", "rings", "how", "đổ chuông", "cách đổ chuông", "cách thay", "hình thức"),
}
_HEADINGS = frozenset(header_key(name) for names in _KNOWN.values() for name in names)
_WORDS = {
    "owner": "who is away",
    "deputy": "who answers",
    "from": "the first day",
    "until": "the last day",
    "ring": "how the deputy rings",
}
_BESIDE = {**dict.fromkeys(("instead", "thay", "thay the"), False), **dict.fromkeys(("beside", "cung", "kem"), True)}


@dataclass(frozen=True, slots=True)
class DeputyList:
    """The content of the file, how the file ended, and what was wrong in it."""

    rules: tuple[Rule, ...]
    ending: Ending
    problems: Problems
    read_as: str

    def summary(self) -> Iterator[str]:
        """Say what was read, and what of it cannot be used."""
        yield f"{self.ending.file}: {len(self.rules)} rule(s) about who answers for whom; {self.read_as}"
        if self.problems.count:
            rows = f"{self.problems.count} row(s) that cannot be used: their owners ring as always:"
            yield Attention(f"{self.ending.file}: {rows}")
            yield from map(Attention, self.problems.told())


class DeputyFileWatch:
    """The file of the configuration's `extensions.deputies`, with its last good content in force."""

    needs_network = False

    def __init__(self, settings: DeputyFile, *, kept: ListState | None = None, wait: Wait | None = None) -> None:
        """`wait` is how the watching thread waits; a test gives its own."""
        self._settings = settings
        self.kept = kept or ListState()
        self._file = WatchedFile(
            settings.path,
            self._read,
            accept=_accept,
            announce=_announce,
            shrinking=Shrinking(_however_few, lambda: self.kept, lambda read: read.ending),
            max_age=settings.max_age,
            wait=wait,
        )

    def start(self) -> None:
        """Read the file now, and again whenever it changes."""
        self._file.start()

    def wait(self, seconds: float) -> None:
        """Do nothing: whoever has started it has read it."""

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules in force, none while there never was a good file: the owners ring as always then."""
        try:
            return self._file.current().rules
        except SourceError:
            return ()

    @property
    def trouble(self) -> str:
        """What is wrong with the file as it is now, or nothing."""
        return self._file.trouble

    @property
    def unsettled(self) -> str:
        """The file's name while somebody is still writing it, before it was read as a whole for the first time."""
        return self._file.unsettled

    def content_age(self) -> float | None:
        """Return how many seconds ago the file in force was written, None if there is none."""
        return self._file.age()

    def report(self) -> tuple[str, ...]:
        """Return what was read, and what of it cannot be used; raises SourceError if there never was a good file."""
        return tuple(self._file.current().summary())

    def close(self) -> None:
        """Stop watching."""
        self._file.close()

    def _read(self, path: Path) -> DeputyList:
        chosen = self._settings.columns.model_dump(by_alias=True, exclude_none=True)
        configured = {meaning: [header] for meaning, header in chosen.items()}
        with self._settings.opened(path, _HEADINGS | header_keys(configured)) as table:
            return _read_rows(table, _columns(table, configured))


def _columns(table: AnyTable, configured: Mapping[str, list[str]]) -> Mapping[str, int]:
    try:
        found = find_columns(table.columns, _KNOWN, configured)
        only = {what: only_column(table.columns, found[what], what, words) for what, words in _WORDS.items()}
    except ValueError as error:
        raise UnexpectedAnswer(f"{table.name}: {error}") from None
    for meaning, words in _WORDS.items():
        if only[meaning] is None and meaning != "ring":
            blank = "; its cells may be blank" if meaning in {"from", "until"} else ""
            raise UnexpectedAnswer(
                f"{table.name}: no column is recognised as {words}: name it under `columns: {{{meaning}: 'Header'}}`, "
                f"or add one{blank}; the file has: {listed(table.columns)}"
            )
    return {meaning: at for meaning, at in only.items() if at is not None}


def _read_rows(table: AnyTable, columns: Mapping[str, int]) -> DeputyList:
    days, people = (columns["from"], columns["until"]), (columns["owner"], columns["deputy"])
    signs = RowSigns(days, people, _is_day, headings=_HEADINGS)
    rows = [
        (line, {meaning: clean_cell(cells[at]) for meaning, at in columns.items()}) for line, cells in table.rows(signs)
    ]
    dates = [(line, cells[meaning]) for line, cells in rows for meaning in ("from", "until")]
    american = next((line for line, text in dates if is_month_first(text)), 0)
    rules: list[Rule] = []
    for line, cells in rows:
        table.refuse_unfinished(line, cells.values())
        try:
            rules += _rules(cells, f"{table.name}:{line}", american)
        except ValueError as error:
            table.problems.add(line, str(error))
    read_as = "; ".join(
        [*(f"{meaning}: {shown(table.columns[at])}" for meaning, at in columns.items()), *filter(None, [table.beside])]
    )
    return DeputyList(tuple(rules), table.ending, table.problems, read_as)


def _is_day(text: str) -> bool:
    try:
        parse_moment(clean_cell(text))
    except ValueError:
        return False
    return True


def _rules(cells: Mapping[str, str], place: str, american: int) -> Iterator[Rule]:
    """Make the rules of a row, one for each who is away.

    `american` is a line whose date has its month first, if there is one.
    """
    for meaning, text in cells.items():
        if lost := why_lost(text):
            raise ValueError(f"{_WORDS[meaning]} cannot be repaired: {lost}")
    for meaning in ("owner", "deputy"):
        if is_nothing(cells[meaning]):
            raise ValueError(f"{_WORDS[meaning]} is missing")
    first, until = (_moment(cells[meaning], _WORDS[meaning], american) for meaning in ("from", "until"))
    if first and until and ends(until) <= begins(first):
        raise ValueError("the last day lies before the first")
    ring = fold(cells.get("ring", "")) or "instead"
    if ring not in _BESIDE:
        raise ValueError(f"{shown(cells['ring'])} is no way to ring: write instead or beside (thay, cùng)")
    deputies = named_in(cells["deputy"])
    for owner in named_in(cells["owner"]):
        yield Rule(owner, deputies, first, until, _BESIDE[ring], place)


def _moment(text: str, what: str, american: int) -> date | datetime | None:
    if is_nothing(text):
        return None
    if american and may_be_month_first(text):
        raise ValueError(
            f"{what} may be either of two, because line {american} has its month first: write days as 2026-12-31"
        )
    try:
        return parse_moment(text)
    except ValueError as error:
        raise ValueError(f"{what} {error}") from None


def _however_few(_read: DeputyList) -> int:
    """Count no row, so that none is missed: rules come and go as people do."""
    return 0


def _accept(old: DeputyList, new: DeputyList) -> None:
    if new.ending.rows:
        new.ending.check_against(old.ending)


def _announce(new: DeputyList) -> None:
    announce(_log, new.summary())
