"""From the rows of a list of customers to the index of who owns which number.

A row that cannot be used is noted and left out; a row without a number or without an owner is no fault, only counted.
The same few owners stand in row after row, so what an owner's cells mean is worked out once for equal cells.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from phonenumbers import country_code_for_region

from bridge.sdk.connector import Attention, Owner
from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.namesakes import told_apart
from bridge.sdk.phone import FieldReading, read_field, region_named
from bridge.sdk.tables.columns import is_email
from bridge.sdk.tables.doubtful_columns import RunningNumber, told_of_telephones
from bridge.sdk.tables.headers import HEADINGS
from bridge.sdk.tables.layout import Layout
from bridge.sdk.tables.lost_cells import why_lost
from bridge.sdk.tables.number_index import OwnerIndex
from bridge.sdk.tables.owners import owners_of
from bridge.sdk.tables.problems import Lines
from bridge.sdk.tables.row_signs import RowSigns
from bridge.sdk.tables.table import AnyTable, Ending, Problems, clean_cell, is_nothing, shown
from bridge.sdk.tables.unread import UnreadColumns, UnreadCountries
from bridge.sdk.words import canonical, counted

_MOST_REMEMBERED = 50_000
_MOST_NAMED = 40
_FEWEST_DIGITS = 7
_MOST_OWNERS = 10


@dataclass(frozen=True, slots=True)
class Customers:
    """A list of customers, read as a whole."""

    index: OwnerIndex
    ending: Ending
    problems: Problems
    without_phone: Lines
    without_owner: Lines
    read_as: str
    unread: tuple[str, ...]
    assumed: tuple[str, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    useful: int
    """How many rows have a number and an owner."""
    rows_of: Mapping[Owner, int]
    """How many of these rows are an owner's."""
    layout: Layout
    """Which columns were read."""
    first: tuple[tuple[int, Sequence[str]], ...]
    """The first rows that were read, each with its line, if somebody wants to see them."""

    def summary(self) -> Iterator[str]:
        """Say what was read, and what of it cannot be used."""
        file = self.ending.file
        read = f"{counted(self.ending.rows, 'row')}, {counted(len(self.index), 'telephone number')}"
        yield f"{file}: {read}; {self.read_as}"
        if not self.ending.rows:
            yield Attention(f"empty: {file}: holds a header and no customers: everybody who calls is nobody's")
        if self.without_phone.count or self.without_owner.count:
            rows = self.without_phone
            without = f"{counted(rows.count, 'row')} without a number{f' ({rows})' if rows.count else ''}"
            yield f"{file}: {without}, {self.without_owner.told('without an owner')}"
        if self.problems.count:
            told = f"{counted(self.problems.count, 'row')} with something that cannot be used"
            yield Attention(f"{file}: {told}; the first ones:")
            yield from map(Attention, self.problems.told())
        if self.assumed:
            more = ", …" if len(self.assumed) > _MOST_NAMED else ""
            yield Attention(
                f"assumed: {file}: {len(self.assumed)} numbers without + are not Vietnam's and valid elsewhere: "
                f"{', '.join(self.assumed[:_MOST_NAMED])}{more}: write + in front, or correct them"
            )
        yield from self._told_of_names()
        yield from (Attention(f"set aside: {file}: {note}") for note in self.notes)
        yield from (Attention(f"doubtful: {file}: {doubt}") for doubt in self.doubts)
        if self.unread:
            yield Attention(
                f"unread: {file}: {', '.join(self.unread)} seem to hold telephone numbers, and are not read: "
                "if they are the customer's, name all such columns under `columns: {phone: […]}`"
            )

    def _told_of_names(self) -> Iterator[str]:
        """Tell of names that several have: no matter where an e-mail or an id stands in each of their rows."""
        shared = self.index.shared_names
        lost = {canonical(owner.name or "") for owner in self.rows_of if not told_apart((owner,), shared)}
        if lost:
            told = "rows with nothing but a name that several owners have lead to nobody, write the e-mail"
            yield Attention(f"{self.ending.file}: {told}: {_some_of(lost)}")
        if harmless := shared - lost:
            told = "names that several owners have lead to nobody (the e-mails and ids beside them do)"
            yield f"{self.ending.file}: {told}: {_some_of(harmless)}"


def read_customers(
    table: AnyTable, configured: Mapping[str, Sequence[str]], region: str, *, countries: bool = True, keep: int = 0
) -> Customers:
    """Read all rows; numbers without a country are of `region`, unless a column says whose they are.

    Without `countries` no column does. So many of the first rows are kept as they are as `keep` says. Raises
    SourceError as `bridge.sdk.tables` does.
    """
    layout = Layout.of(table, configured, countries=countries)
    used = range(len(table.columns)) if configured.get("phone") else (*layout.phones, *layout.owner.values())
    unread = UnreadColumns(table.columns, used, region)
    # A column that says so is read, or the admin has said that none does: all are used then.
    known = range(len(table.columns)) if layout.countries or not countries else (*layout.phones, *layout.owner.values())
    return _CustomerReader(table, layout, unread, UnreadCountries(table.columns, known, region), region).all(keep)


class _CustomerReader:
    """One pass over a table."""

    def __init__(
        self, table: AnyTable, layout: Layout, unread: UnreadColumns, unread_countries: UnreadCountries, region: str
    ) -> None:
        self._table = table
        self._unread = unread
        self._unread_countries = unread_countries
        self._layout = layout
        self._region = region
        self._regions: dict[str, str] = {}
        self._index = OwnerIndex()
        self._owner_cells = itemgetter(*layout.owner.values())
        self._judged: dict[str | tuple[str, ...], tuple[int, str]] = {}
        self._nobody = self._index.place(())
        self._useful: Counter[int] = Counter()  # rows by the place of their owners
        self._without_phone = Lines()
        self._without_owner = Lines()
        self._assumed: list[str] = []
        self._extension = layout.owner.get("extension")
        self._running = RunningNumber()

    def all(self, keep: int) -> Customers:
        kept: list[tuple[int, list[str]]] = []
        for line, cells in self._table.rows(self._signs()):
            if len(kept) < keep:
                kept.append((line, cells))
            self._row(line, cells)
            self._unread.look(cells)
            self._unread_countries.look(cells)
            if self._extension is not None:
                self._running.look(cells[self._extension])
        self._index.sort()
        ending, problems = self._table.ending, self._table.problems
        if ending.rows and not len(self._index):
            first = f"; the first: {problems.first[0]}" if problems.count else ""
            raise UnexpectedAnswer(
                f"{ending.file}: none of its {ending.rows} rows has a usable telephone number{first}"
            )
        return Customers(
            self._index,
            ending,
            problems,
            self._without_phone,
            self._without_owner,
            self._read_as(),
            tuple(self._unread.found()),
            tuple(self._assumed),
            (*self._layout.notes, *self._unread_countries.told()),
            tuple(self._doubts()),
            self._useful.total(),
            self._rows_of(),
            self._layout,
            tuple(kept),
        )

    def _rows_of(self) -> Mapping[Owner, int]:
        rows: Counter[Owner] = Counter()
        for place, count in self._useful.items():
            rows.update(dict.fromkeys(self._index.at(place), count))
        return rows

    def _row(self, line: int, cells: list[str]) -> None:
        numbers: list[int] = []
        complaint = ""
        countries = self._layout.countries
        country = self._country([cells[at] for at in countries]) if countries else ""
        for column in self._layout.phones:
            if cells[column]:
                found, objection = self._numbers_in(line, clean_cell(cells[column]), country)
                numbers += found
                complaint = objection or complaint
        if numbers:
            place, objection = self._place(self._owner_cells(cells))
            complaint = complaint or objection
            if place == self._nobody:
                self._without_owner.add(line)
            else:
                self._useful[place] += 1
            for number in numbers:
                self._index.add(number, place, line)
        elif not complaint:
            self._without_phone.add(line)
        if complaint:
            used = (*self._layout.phones, *self._layout.owner.values())
            self._table.refuse_unfinished(line, (cells[at] for at in used))
        if complaint and numbers:
            self._table.problems.add(line, complaint)
        elif complaint:
            self._table.reject(line, cells, complaint)

    def _doubts(self) -> Iterator[str]:
        """Give what is read as it was told, and may not be meant so."""
        columns = self._table.columns
        yield from told_of_telephones(columns, self._layout.phones)
        if self._extension is not None:
            yield from self._running.told(columns[self._extension])
        if crowded := self._index.crowded(_MOST_OWNERS):
            yield (
                f"{len(crowded)} number(s), such as …{str(crowded[0])[-3:]}, have more than {_MOST_OWNERS} owners, "
                "and all of them ring: is it a customer's?"
            )

    def _signs(self) -> RowSigns:
        """Return by what a row is known: a number where the numbers are, an owner who was named before or an e-mail."""
        owners = tuple(self._layout.owner.values())
        return RowSigns(self._layout.phones, owners, _is_like_a_number, self._is_owner, HEADINGS)

    def _is_owner(self, text: str) -> bool:
        place, _ = self._judged.get(text, (self._nobody, ""))
        return is_email(text) or place != self._nobody

    def _country(self, cells: Sequence[str]) -> str:
        """Return what a row says about its numbers' country, nothing if it says nothing.

        Two cells that contradict each other are the name of no country, and so is an unknown word.
        """
        named = {text for cell in cells if not is_nothing(text := clean_cell(cell))}
        if len(named) < 2:  # noqa: PLR2004 - one, which most rows have
            return next(iter(named), "")
        codes = {country_code_for_region(self._region_of(text)) for text in named}
        return next(iter(named)) if len(codes) == 1 else " and ".join(sorted(named))

    def _region_of(self, country: str) -> str:
        region = self._regions.get(country)
        if region is None:
            region = region_named(country)
            if len(self._regions) < _MOST_REMEMBERED:
                self._regions[country] = region
        return region

    def _read(self, text: str, country: str) -> FieldReading:
        """Read a cell; beside its own country a number is read the quick way, if it can only be of there."""
        if country and self._region_of(country) != self._region:
            return read_field(text, self._region, country)
        reading = read_field(text, self._region)
        return read_field(text, self._region, country) if country and reading.assumed else reading

    def _numbers_in(self, line: int, text: str, country: str) -> tuple[list[int], str]:
        """Return the numbers of a cell, and what is wrong with it, if anything."""
        reading = self._read(text, country)
        self._assumed += [f"line {line} is taken for {number.country}" for number in reading.assumed]
        objection = ""
        if reading.unread and reading.numbers:
            first = reading.unread[0]
            objection = (
                f"one telephone number more in {shown(text)} cannot be read: {shown(first.text)}: {first.reason}"
            )
        elif not reading.numbers and (lost := why_lost(text)):
            objection = f"the telephone number cannot be repaired: {lost}"
        elif reading.lack and not is_nothing(text):
            whose = f", of the country {shown(country)}" if country else ""
            objection = f"no telephone number in {shown(text)}{whose}: {reading.lack}"
        return [int(number.digits) for number in reading.numbers], objection

    def _place(self, cells: str | tuple[str, ...]) -> tuple[int, str]:
        """Return the place of the owners that these cells name, and what is wrong with the cells, if anything."""
        judged = self._judged.get(cells)
        if judged is None:
            if len(self._judged) >= _MOST_REMEMBERED:
                self._judged.clear()
            several = (cells,) if isinstance(cells, str) else cells
            owners, objection = owners_of(dict(zip(self._layout.owner, several, strict=True)))
            judged = self._judged[cells] = (self._index.place(owners), objection)
        return judged

    def _read_as(self) -> str:
        columns = self._table.columns
        phones = ", ".join(shown(columns[index]) for index in self._layout.phones)
        owner = "".join(f"; {meaning}: {shown(columns[index])}" for meaning, index in self._layout.owner.items())
        countries = ", ".join(shown(columns[index]) for index in self._layout.countries)
        beside = f"; {self._table.beside}" if self._table.beside else ""
        return f"phone: {phones}{owner}" + (f"; country: {countries}" if countries else "") + beside


def _some_of(names: Collection[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(map(shown, sorted(names)[:_MOST_NAMED]))}{more}"


def _is_like_a_number(cell: str) -> bool:
    """Tell whether this is meant as a telephone number, readable or not."""
    digits = sum(map(str.isdigit, cell))
    return (digits >= _FEWEST_DIGITS and digits > sum(map(str.isalpha, cell))) or why_lost(cell.strip()) != ""
