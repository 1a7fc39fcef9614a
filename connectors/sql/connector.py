"""The SQL connector: whoever has the customers in a database asks it by one SELECT.

`config.py` says what can be written, `query/query.py` checks the SELECT, `database/database.py` asks within the
deadline, `rows.py` reads the rows. A row counts if the query compared whole numbers, or if its column `phone` holds the
caller's: what is found by a part of a number alone, or by a number that lost its `+`, names a stranger's owner.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from bridge.sdk import (
    Attention,
    Call,
    Connector,
    CustomerPage,
    Deadline,
    Lane,
    Owner,
    Owners,
    PhoneNumber,
    SourceError,
    SourceRejected,
    UnexpectedAnswer,
    shared_names,
    told_apart,
)
from bridge.sdk.phone import OwnSpellings
from connectors.sql.config import SqlConfig
from connectors.sql.database.database import Found, SqlDatabase
from connectors.sql.rows import check_columns, customers_of, owners_of, rows_of
from connectors.sql.values import is_anothers_without_plus, values_for

_log = logging.getLogger(__name__)

_MOST_ROWS = 1000
_PROBE = PhoneNumber("+84999999999")
_SLOW = 0.2
_OPENING_PATIENCE = 20.0
_LISTING_PATIENCE = 900.0
"""Seconds that the list of all customers may take."""

_MOST_LISTED = 20_000_000
_ROWS_OF_A_PAGE = 2000


class SqlConnector(Connector[SqlConfig]):
    """Asks a database for the owners of a caller by one SELECT."""

    Config: ClassVar[type[SqlConfig]] = SqlConfig

    def __init__(self, config: SqlConfig) -> None:
        super().__init__(config)
        self._query = config.check("query", config.query, asks_for_caller=True)
        self._database = SqlDatabase(config, config.timeout, config.max_in_flight)
        self._lane = Lane()
        self._trial: Sequence[str] = ()
        self._shared_names: frozenset[str] = frozenset()
        self.reads_hotline = "hotline" in self._query.parameters
        self.needs_network = config.kind != "sqlite"
        self.lists_customers = config.list_query is not None and not self.reads_hotline

    def open(self) -> None:
        """Ask for a number that nobody should have: what is wrong with the query is better known before a call."""
        deadline = Deadline.after(max(_OPENING_PATIENCE, self.config.timeout))
        found = self._probe(deadline)
        if found.seconds > _SLOW:  # the first time, much of it may have been read from the disk
            found = self._probe(deadline)
        self._trial = tuple(self._told(found))
        try:
            self._shared_names = shared_names(self.owners_known())
        except SourceError as error:
            _log.warning("owners_query: %s: which names several owners have is not known", error)

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        """Return the owners that the rows for the caller name, in the order of the rows."""
        caller = OwnSpellings(call.caller, self.config.region)
        found = self._ask(caller, call.hotline, deadline)
        with self._lane.turn(deadline):
            counting = self._counting(call, caller, found)
            owners = told_apart(owners_of(found.columns, counting), self._shared_names)
        if call.explained:
            milliseconds = found.seconds * 1000
            call.explain(f"{self._database.place}: {len(found.rows)} row(s) in {milliseconds:.0f} ms")
            call.explain(f"{len(counting)} row(s) count; owners: {'; '.join(map(str, owners)) or 'none'}")
        return owners

    def report(self) -> Sequence[str]:
        """Return how long the trial query took, and what it returns."""
        return self._trial

    def owners_known(self) -> Sequence[Owner]:
        """Return the owners that `owners_query` lists."""
        if self.config.owners_query is None:
            return ()
        query = self.config.check("owners_query", self.config.owners_query, asks_for_caller=False)
        found = self._database.ask(query.statement, {}, Deadline.after(_OPENING_PATIENCE))
        self._check(found)
        return owners_of(found.columns, found.rows)

    def list_customers(self, after: str = "", since: float | None = None) -> Iterator[CustomerPage]:  # noqa: ARG002
        """Give the customers that `list_query` returns, a few thousand at a time; a reading begins at the beginning."""
        if self.config.list_query is None:
            raise SourceRejected("list_query is missing")
        query = self.config.check("list_query", self.config.list_query, asks_for_caller=False)
        database = SqlDatabase(self.config, _LISTING_PATIENCE, 1, _MOST_LISTED)
        deadline = Deadline.after(_LISTING_PATIENCE)
        try:
            for found in database.stream(query.statement, deadline, _ROWS_OF_A_PAGE):
                self._check(found)
                if "phone" not in found.columns:
                    raise UnexpectedAnswer(f"{database.place}: list_query: returns no column called phone")
                with self._lane.turn(deadline):
                    customers = tuple(customers_of(found, self.config.region))
                yield CustomerPage(customers, seen=len(found.rows))
        finally:
            database.close()

    def counting(self, owners: Owners, explain: Callable[[str], None] = lambda _line: None) -> Owners:  # noqa: ARG002
        """Return the owners without a name that several have."""
        return told_apart(owners, self._shared_names)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _counting(self, call: Call, caller: OwnSpellings, found: Found) -> Sequence[Sequence[Any]]:
        region = self.config.region
        if "phone" not in found.columns and is_anothers_without_plus(caller):
            call.explain(
                f"no row counts: without + the caller's number would be somebody else's in {region}, so the query has "
                "to return the number that was found as a column called phone"
            )
            return ()
        return list(rows_of(found, call.caller, region, call.explain))

    def _probe(self, deadline: Deadline) -> Found:
        return self._ask(OwnSpellings(_PROBE, self.config.region), None, deadline)

    def _ask(self, caller: OwnSpellings, hotline: PhoneNumber | None, deadline: Deadline) -> Found:
        every = values_for(caller, hotline)
        values = {name: every[name] for name in self._query.parameters}
        found = self._database.ask(self._query.statement, values, deadline, most=_MOST_ROWS)
        self._check(found)
        if self._query.finds_more and "phone" not in found.columns:
            raise UnexpectedAnswer(
                f"{self._database.place}: {self._query.finds_more}: return the number that was found as a column "
                f"called phone; the query returned {', '.join(found.columns)}"
            )
        return found

    def _check(self, found: Found) -> None:
        try:
            check_columns(found)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{self._database.place}: {error}") from None

    def _told(self, found: Found) -> Sequence[str]:
        took = f"the query took {found.seconds * 1000:.0f} ms"
        lines = [f"{self._database.place}: {took}, and returns {', '.join(dict.fromkeys(found.columns))}"]
        if found.seconds > _SLOW:
            slow = f"slow: {took}, and every call waits for it: is there an index on what it compares?"
            lines.append(Attention(slow))
        return lines
