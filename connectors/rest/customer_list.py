"""Listing a CRM's customers page by page, by the steps under `list`: the same reading of records as for a call.

A place in the list is the step, the text of `for_each` and the page: so a reading goes on behind any page. What later
steps tell of a row (a company's representatives) is asked once for equal rows of a reading.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from bridge.sdk import Customer, CustomerPage, Deadline, Owners, SourceError, UnexpectedAnswer
from connectors.rest.answer_rules import NOBODY, AnswerRules
from connectors.rest.config.listing import ListStep
from connectors.rest.numbered_step import NumberedStep, numbered
from connectors.rest.records import RecordReader, Row, followed, owners
from connectors.rest.request_sender import RequestSender, RestContext
from connectors.rest.user_list import UserList

_MOST_KNOWN = 50_000
_TURN = 60.0
"""Seconds that a page may wait for its turn, where `max_rate` counts in seconds or minutes."""

_ENOUGH = 0.9
"""The share of the customers that a list has to have shown at its end; some come and go while it is read."""


class ListPosition(NamedTuple):
    """Where a reading is: the step, the text of `for_each`, the page, and how many records were `seen` before it."""

    number: int
    value: int
    page: object = None
    seen: int = 0


class Since(dict[str, str]):
    """The time since which changes are asked for, as templates read it; false in a reading of all customers."""

    def __init__(self, since: float | None) -> None:
        at = datetime.fromtimestamp(since or 0.0, UTC)
        super().__init__(
            iso=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            sql=at.strftime("%Y-%m-%d %H:%M:%S"),
            compact=at.strftime("%Y%m%d%H%M%S"),
            unix=str(int(since or 0.0)),
        )
        self._is_known = since is not None

    def __bool__(self) -> bool:
        return self._is_known


class CustomerList:
    """One reading of the customers; `since` asks for changes alone. Used from one thread."""

    def __init__(self, context: RestContext, since: float | None, say: Callable[[str], None]) -> None:
        self._context = context
        self._since = since
        self._say = say
        self._listed = context.config.listing
        self._steps = numbered(self._listed)
        self._known: OrderedDict[tuple[int, str], list[Row]] = OrderedDict()

    def pages(self, after: str) -> Iterator[CustomerPage]:
        """Give the customers from a place on. Raises SourceError, naming the step."""
        for place in self._places(after):
            step = self._steps[place.number]
            try:
                yield from self._of_step(step, place)
            except SourceError as error:
                error.args = (self._context.mask.text(f"list, {step.place}: {error}"),)
                raise

    def _places(self, after: str) -> Iterator[ListPosition]:
        """Give where each list begins, from the one on in which the last reading ended."""
        first = _position_of(after)
        for number, step in enumerate(self._steps):
            if number and not step.settings.start:
                continue
            for value in range(len(next(iter(step.settings.for_each.values()), [""]))):
                if (number, value) == first[:2]:
                    yield first
                elif (number, value) > first[:2]:
                    yield ListPosition(number, value)

    def _of_step(self, step: NumberedStep, place: ListPosition) -> Iterator[CustomerPage]:
        settings = self._listed[step.number - 1]
        asked: set[object] = set()
        shown: list[object] = []
        total, pages = 0, settings.pages
        if place.page is None and pages:
            place = place._replace(page=pages.beginning)
        while True:
            asked.add(place.page)
            answer = self._answer(step, {**_value(settings, place.value), "page": place.page})
            following = pages.following(place.page, answer) if pages and answer is not NOBODY else None
            if following is not None and following in asked:
                raise UnexpectedAnswer("pages.next: leads to a page that was read before, so reading would never end")
            before, shown = shown, _shown(settings, answer)
            if shown and shown == before:
                raise UnexpectedAnswer(
                    f"page {place.page} shows the same records as the one before: what asks for a page is not heeded, "
                    "or only so far: is its name in `query` right?"
                )
            page = self._page(step, answer)
            total, seen = page.total or total, place.seen + page.records
            if following is None and seen < _ENOUGH * total:
                yield replace(page, after="")  # so it is read from its beginning next time
                raise UnexpectedAnswer(
                    f"the list ended behind {seen:,} of the {total:,} customers that `total` tells of: does the source "
                    "show no more than that, or fewer on a page than `pages.more` goes by?"
                )
            if following is None:
                yield replace(page, after=json.dumps(ListPosition(place.number, place.value + 1)))
                return
            place = place._replace(page=following, seen=seen)
            yield replace(page, after=json.dumps(place))

    def _page(self, step: NumberedStep, answer: object) -> CustomerPage:
        """Return the customers of an answer; where the next page is stands elsewhere."""
        if answer is NOBODY:
            return CustomerPage()
        settings = self._listed[step.number - 1]
        found: list[Customer] = []
        seen = 0
        rank = sum(one.settings.start == "otherwise" for one in self._steps[: step.number])
        for numbers, rows, record in self._reader().listed(settings, answer):
            seen += 1
            if not record and settings.tells_changes and settings.record:
                raise UnexpectedAnswer(
                    f"record: `{settings.record.source}` finds no id in record {seen}, and without one nobody knows "
                    "what a change replaces"
                )
            named = f"{step.number}:{record}" if record else ""
            if numbers:
                found.append(Customer(numbers, self._owners(step, rows), named, rank))
            elif named:
                found.append(Customer((), (), named, rank, gone=True))
        return CustomerPage(found, "", _total(settings, answer), seen)

    def _owners(self, step: NumberedStep, rows: list[Row] | None) -> Owners | None:
        """Return the owners of a record as the CRM names them; None if that cannot be told."""
        if rows is None:
            return None
        try:
            for later in self._steps[step.number :]:
                if not later.settings.start:
                    rows = [more for row in rows for more in self._behind(later, row)]
            return owners(rows)
        except UnexpectedAnswer as error:
            self._say(f"list, {step.place}: {error}")
            return None

    def _behind(self, step: NumberedStep, row: Row) -> list[Row]:
        if not step.concerns(row):
            return [row]
        if any(row[name] is None for name in step.wanted):
            return []
        names = {name: row[name] for name in sorted(step.wanted)}
        key = (step.number, repr(names))
        if key not in self._known:
            self._known[key] = self._asked(step, names)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return [followed(row, more) for more in self._known[key]]

    def _asked(self, step: NumberedStep, names: Mapping[str, object]) -> list[Row]:
        settings = step.settings
        sender = self._sender()
        reading = self._reader().read(settings, sender.answers(settings, {**self._names(), **names}, self._rules()))
        if reading.problem:
            raise reading.problem
        return reading.rows

    def _answer(self, step: NumberedStep, names: Mapping[str, object]) -> object:
        settings = self._listed[step.number - 1]
        if self._since is not None and settings.changed_since:
            settings = settings.model_copy(update={"query": {**settings.query, **settings.changed_since}})
        return self._sender().answer(settings, {**self._names(), **names}, self._rules())

    def _names(self) -> dict[str, object]:
        return {"since": Since(self._since)}

    def _sender(self) -> RequestSender:
        """Return what asks for one page, which remembers its answers."""
        config = self._context.config
        longest = config.max_rate.seconds if config.max_rate else 0.0
        deadline = Deadline.after(config.timeout + max(_TURN, 3 * longest))
        limit = f"max_requests ({config.max_requests})"
        most = max(config.max_requests, 100)
        return RequestSender(self._context, config.own_names(), deadline, most, limit, in_background=True)

    def _reader(self) -> RecordReader:
        return RecordReader(None, self._context.config.region, self._sender().turn)

    def _rules(self) -> AnswerRules:
        return AnswerRules(None, self._context.mask.text, lambda _line: None)


def counting(listed: Owners, users: UserList, say: Callable[[str], None]) -> Owners:
    """Return those of the owners who are among the users, with what is known of them there."""
    rows: list[Row] = [
        {"owner_id": one.id, "email": one.email, "login": one.login, "name": one.name, "extension": one.extension}
        for one in listed
    ]
    return users.told_apart(owners(users.complete(rows, say)), say)


def tells_changes(steps: Sequence[ListStep]) -> bool:
    """Tell whether every list of customers can leave out what has not changed."""
    beginning = [step for number, step in enumerate(steps) if number == 0 or step.start]
    return bool(beginning) and all(step.tells_changes for step in beginning)


def _position_of(after: str) -> ListPosition:
    """Return the place that a page has said; the beginning for anything else."""
    try:
        number, value, page, *seen = json.loads(after)
        return ListPosition(int(number), int(value), page, *map(int, seen))
    except (ValueError, TypeError):
        return ListPosition(0, 0)


def _total(settings: ListStep, answer: object) -> int | None:
    """Return how many customers an answer says there are, None if it does not; in XML a number is a text."""
    found = str(settings.total.search(answer)) if settings.total else ""
    return int(found) if found.isdecimal() else None


def _shown(settings: ListStep, answer: object) -> list[object]:
    """Return the records of a page; of a single one nobody knows whether it is another one."""
    found = settings.records.search(answer) if settings.records and answer is not NOBODY else answer
    return found if isinstance(found, list) and len(found) > 1 else []


def _value(settings: ListStep, number: int) -> dict[str, str]:
    return {name: values[number] for name, values in settings.for_each.items()}
