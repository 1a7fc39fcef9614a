"""From a CRM's answer to rows: which records count, and what is taken from them.

A row is what the steps have taken so far, name by name. Whatever does not have the configured shape raises
UnexpectedAnswer: a misspelt field may not look like a customer whom nobody owns.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bridge.sdk import Owner, PhoneNumber, UnexpectedAnswer, each_once, give_way, named_records
from bridge.sdk.http import is_broken, with_replacements
from connectors.rest.config.request_settings import OWNER_FIELDS, RequestSettings
from connectors.rest.config.steps import Step
from connectors.rest.mapping.expression import is_none, kind_of, scalar_of
from connectors.rest.misfit import misfit
from connectors.rest.own_numbers import OwnNumbers

Row = dict[str, str | int | None]

RECORD = "(record)"
"""What a row has the records' ids under that it is made of: no name that could be taken."""

MOST_RECORDS = 1000
"""How many records a call looks at in the answers to one request, all pages together."""

_IDENTITIES = [name for name in OWNER_FIELDS if name != "name"]
_EXTENSION = re.compile(r"[0-9]+")


@dataclass(slots=True)
class TakenRows:
    """What is taken from the answer to one request.

    `counted` is how many records hold the caller's number, `problem` why one of all could not be read. `cut_off` is how
    many came if there may be more of the caller's that did not.
    """

    rows: list[Row]
    counted: int = 0
    problem: UnexpectedAnswer | None = None
    cut_off: int = 0


@dataclass(frozen=True, slots=True)
class RecordReader:
    """How answers are read: whose numbers count, how many records may come, and who hears why one does not count.

    There is no caller when the list of users is read. `turn` is the turn in the source's lane that reading takes, see
    `RequestSender.turn`. `leave_out` hears of a text beside the id that holds bytes that are none and is left out;
    without it such a text makes its record one that cannot be read, but for the name of an owner who is known by
    something else as well: that is for people, unless it is among the names that `later` requests hold.
    """

    caller: PhoneNumber | None
    region: str
    turn: Callable[[], AbstractContextManager[None]]
    explain: Callable[[str], None] | None = None
    most: int = MOST_RECORDS
    leave_out: Callable[[str], None] | None = None
    later: Container[str] = ()

    def say(self, line: str) -> None:
        """Explain, if anybody listens."""
        if self.explain:
            self.explain(line)

    def read(self, settings: RequestSettings, pages: Iterable[object]) -> TakenRows:
        """Return what is taken from the answer, page by page. Raises SourceError if it cannot be read at all.

        A record that cannot be read does not lose the others: it is the reading's problem.
        """
        records = self._records(settings, pages)
        with self.turn():
            reading = self._reading(settings, records)
        full_page = settings.full_page if isinstance(settings, Step) else None
        if full_page and len(records) >= full_page and not reading.problem:
            if not reading.counted:
                raise UnexpectedAnswer(
                    f"{len(records)} records came, as many as there can be at once, and none holds the caller's "
                    "number: is the number searched for at all, and is the search exact enough?"
                )
            reading.cut_off = len(records)
        return reading

    def _reading(self, settings: RequestSettings, records: Sequence[object]) -> TakenRows:
        reading = TakenRows([])
        for index, record in enumerate(records, 1):
            give_way()
            try:
                rows = self._taken_from(settings, record, index)
            except UnexpectedAnswer as error:
                reading.problem = reading.problem or error
                self.say(f"record {index} cannot be read: {error}")
            else:
                reading.counted += rows is not None
                reading.rows += rows or []
            if len(reading.rows) > self.most:
                raise UnexpectedAnswer(f"more than {self.most} items in the answer: the request asks for too much")
        return reading

    def listed(self, step: Step, answer: object) -> Iterator[tuple[list[PhoneNumber], list[Row] | None, str]]:
        """Give of each record of one page its numbers, what is taken from it, None if that cannot be told, and its id.

        Raises UnexpectedAnswer if the page or a record's numbers do not have the configured shape.
        """
        with self.turn():
            records = _records(step, answer)
        for index, record in enumerate(records, 1):
            with self.turn():
                listed = self._listed(step, record, index)
            yield listed

    def _listed(self, step: Step, record: object, index: int) -> tuple[list[PhoneNumber], list[Row] | None, str]:
        match = step.match if isinstance(step.match, list) else []
        numbers = list(dict.fromkeys(OwnNumbers(self.region, self.say).of(match, record)))
        try:
            rows = self._rows(step, record, index)
        except UnexpectedAnswer as error:
            self.say(f"record {index} cannot be read: {error}")
            return numbers, None, self._id(step, record)
        return numbers, rows, self._id(step, record)

    def _id(self, settings: RequestSettings, record: object) -> str:
        found = settings.record.search(record) if isinstance(settings, Step) and settings.record else None
        return "" if is_none(found) else str(scalar_of(found, "record"))

    def _taken_from(self, settings: RequestSettings, record: object, index: int) -> list[Row] | None:
        """Return what is taken from a record, None if it does not count."""
        if not self._is_callers(settings, record, index):
            return None
        return self._rows(settings, record, index)

    def _rows(self, settings: RequestSettings, record: object, index: int) -> list[Row]:
        items = [item for item in self._items(settings, record) if self._counts(settings, item, index)]
        rows = [row for item in items for row in self._taken(settings, item, index)]
        id_ = self._id(settings, record)
        return [{**row, RECORD: id_} for row in rows] if id_ else rows

    def _records(self, settings: RequestSettings, pages: Iterable[object]) -> Sequence[object]:
        records: list[object] = []
        answered = False
        for page in pages:
            answered = True
            with self.turn():
                records += _records(settings, page)
            if len(records) > self.most:
                raise UnexpectedAnswer(f"more than {self.most} records in the answer: the request asks for too much")
        if answered:
            self.say(f"{len(records)} record(s)")
        return records

    def _is_callers(self, settings: RequestSettings, record: object, index: int) -> bool:
        """Tell whether one of the record's own numbers is the caller's."""
        match = settings.match if isinstance(settings, Step) else None
        if match is None or match == "exact":
            return True
        numbers = OwnNumbers(self.region, self.say).of(match, record)
        if self.caller in numbers:
            return True
        fields = ", ".join(entry.source for entry in match)
        held = f" ({', '.join(number.masked for number in dict.fromkeys(numbers))})" if numbers else ""
        self.say(f"record {index} does not count: it does not hold the caller's number in {fields}{held}")
        return False

    def _items(self, settings: RequestSettings, record: object) -> Sequence[object]:
        if settings.each is None:
            return [record]
        if not settings.each.fits(record):
            raise UnexpectedAnswer(f"each: {misfit([settings.each], record)}")
        found = settings.each.search(record)
        if isinstance(found, dict):
            return [found]
        if is_none(found):
            return []
        if not isinstance(found, list):
            raise UnexpectedAnswer(f"each: `{settings.each.source}` found {kind_of(found)} where a list is needed")
        if len(found) > self.most:
            raise UnexpectedAnswer(f"each: `{settings.each.source}` found {len(found)} items: {self.most} at most")
        return found

    def _counts(self, settings: RequestSettings, item: object, index: int) -> bool:
        if settings.where is None or settings.where.holds(item):
            return True
        if not settings.where.fits(item):
            raise UnexpectedAnswer(f"where: {misfit([settings.where], item)}")
        self.say(f"record {index}: an item does not count, {settings.where.source} does not hold")
        return False

    def _taken(self, settings: RequestSettings, item: object, index: int) -> list[Row]:
        """Take the values; if one of them is a list, there is a row for each of its elements."""
        row: Row = {}
        lists: dict[str, list[str | int | None]] = {}
        for name, expression in settings.take.items():
            if not expression.fits(item):
                raise UnexpectedAnswer(f"take.{name}: {misfit([expression], item)}")
            value = expression.search(item)
            if self.leave_out and name != "owner_id" and isinstance(value, str) and is_broken(value):
                self.leave_out(name)
                value = None
            elif name == "name" and isinstance(value, str) and self._is_for_people(settings, item):
                value = with_replacements(value)
            if isinstance(value, list):
                if len(value) > self.most:
                    raise UnexpectedAnswer(f"take.{name}: a list of {len(value)} elements: {self.most} at most")
                found = [scalar_of(element, expression.source) for element in value]
                lists[name] = [element for element in found if element is not None] or [None]
            else:
                row[name] = scalar_of(value, expression.source)
            self.say(f"record {index}: {name} = {lists.get(name) or row.get(name)!r} ({expression.source})")
        if len(lists) > 1:
            raise UnexpectedAnswer(
                f"take: {' and '.join(lists)} are lists, and which elements belong together cannot be told: use 'each'"
            )
        return [{**row, name: value} for name, values in lists.items() for value in values] or [row]

    def _is_for_people(self, settings: RequestSettings, item: object) -> bool:
        """Tell whether an owner's name says nothing that is not told by an id or an address beside it."""
        others = (settings.take[name] for name in _IDENTITIES if name in settings.take)
        return "name" not in self.later and any(not is_none(other.search(item)) for other in others)


def _records(settings: RequestSettings, answer: object) -> Sequence[object]:
    if settings.records is None:
        found = answer
    elif settings.records.fits(answer):
        found = settings.records.search(answer)
    else:
        raise UnexpectedAnswer(f"records: {misfit([settings.records], answer)}")
    if isinstance(found, dict):
        return [found]
    if found is None and settings.answer == "xml" and settings.records and settings.records.is_path:
        return []  # so an element says that there is nothing in it
    if not isinstance(found, list):
        where = f"`{settings.records.source}` found" if settings.records else "the answer is"
        raise UnexpectedAnswer(
            f"{where} {kind_of(found)}, neither a list of records nor a record; if this means that nobody is found, "
            "say so by nobody_when"
        )
    return found


def owners(rows: Sequence[Row]) -> tuple[Owner, ...]:
    """Return the owners that the rows name, each once, in order. Raises UnexpectedAnswer for an odd extension."""
    found: list[Owner] = []
    for row in rows:
        fields = {field: str(row[name]) for name, field in OWNER_FIELDS.items() if row.get(name) is not None}
        if not _EXTENSION.fullmatch(fields.get("extension", "0")):
            raise UnexpectedAnswer("take.extension: found a text that is no extension: an extension consists of digits")
        if fields:
            record = row.get(RECORD)
            found.append(Owner(**fields, record=None if record is None else str(record)))
    return each_once(found)


def followed(row: Row, more: Row) -> Row:
    """Return a row with what a later step has made of it: it is made of the records of both."""
    records = named_records(str(one[RECORD]) for one in (row, more) if one.get(RECORD))
    return {**row, **more, **({RECORD: records} if records else {})}


def made_of(rows: Sequence[Row], before: Sequence[Row]) -> list[Row]:
    """Return the rows that were asked for once with all that is known of those before."""
    records = named_records(str(row[RECORD]) for row in before if row.get(RECORD))
    return [followed({RECORD: records}, row) for row in rows] if records else list(rows)
