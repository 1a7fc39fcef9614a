"""Owners from a table: the list of customers that a CRM exports, or that somebody keeps in Excel.

The file is read into memory, where a caller is found in microseconds, and read again when it changes:
`bridge.sdk.files` looks after that, in a thread of its own, so that no call ever waits for the file.
"""

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from bridge.sdk import (
    Call,
    Connector,
    ConnectorConfig,
    Deadline,
    OneOrMore,
    Owner,
    SourceError,
    SourceRegion,
    Text,
)
from bridge.sdk.files import FileSettings, Format, Shrinking, WatchedFile, place_of
from bridge.sdk.tables import AnyTable, Customers, announce, read_customers

_log = logging.getLogger(__name__)

_MOST_LINES = 5


class TableColumns(BaseModel):
    """Headers of the columns; capitals, accents, blanks and punctuation do not count."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    phone: Annotated[list[Text], OneOrMore()] = Field(
        default=[], description="The customer's telephone numbers: a header, or a list of headers."
    )
    owner: Text | None = Field(default=None, description="Whatever names the owner: an e-mail, an id or a name.")
    owner_id: Text | None = Field(default=None, description="The owner's id.")
    email: Text | None = Field(default=None, description="The owner's e-mail; never found by the name `email` alone.")
    login: Text | None = Field(default=None, description="The owner's login.")
    name: Text | None = Field(default=None, description="The owner's name; never found by the name `name` alone.")
    extension: Text | None = Field(
        default=None,
        description="The owner's extension or extensions: 101/102; a bare `Ext` beside the owner is the customer's.",
    )
    country: Literal[False] | Text | None = Field(
        default=None,
        description="The country of the numbers in a row that come without one: +66, TH or Thailand; false if a column "
        "that is called so says nothing about the numbers.",
    )

    def configured(self) -> Mapping[str, Sequence[str]]:
        """Return the headers that are given, by meaning."""
        single = self.model_dump(exclude={"phone"} if self.country else {"phone", "country"}, exclude_none=True)
        return {"phone": self.phone, **{meaning: [header] for meaning, header in single.items()}}


class TableConfig(ConnectorConfig, FileSettings):
    """The settings of a connector that reads a table."""

    columns: TableColumns = Field(
        default=TableColumns(), description="Which column holds what. Usual headers are found without it."
    )
    region: SourceRegion = Field(
        default="", description="Country of numbers in the file that come without one; phone.region if left out."
    )


C = TypeVar("C", bound=TableConfig)


class TableConnector(Connector[C]):
    """Finds owners in a table of one form; a subclass says which, and how such a file is opened."""

    form: ClassVar[Format]
    reads_hotline = False
    needs_network = False
    remembered = False

    def __init__(self, config: C, *, wait: Callable[[float], bool] | None = None) -> None:
        """`wait` is how the watching thread waits; a test gives its own."""
        super().__init__(config)
        self.needs_network = config.url is not None
        self.opening_takes = config.download_timeout if config.url else 0.0
        place = place_of(config, self.form, lambda: self.kept, wait)
        self._file = WatchedFile(
            place,
            self._load,
            accept=_accept,
            announce=_announce,
            shrinking=Shrinking(
                lambda customers: customers.useful, lambda: self.kept, lambda customers: customers.ending, place.of
            ),
            max_age=config.max_age,
            wait=wait,
        )

    def open(self) -> None:
        """Read the file. If that is not possible, it goes on being tried once a second."""
        self._file.start()
        self._file.current()

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:  # noqa: ARG002 - nothing here waits
        """Return the owners from all rows that have the caller's number, in the file's order."""
        customers = self._file.current()
        number = int(call.caller.digits)
        owners = customers.index.find(number)
        if call.explained:
            call.explain(f"{customers.ending.file}: {_explanation(owners)}; {customers.read_as}")
        lines = customers.index.lines(number)
        record = f"{customers.ending.file}:{', '.join(map(str, lines[:_MOST_LINES]))}"
        return tuple(replace(owner, record=record) for owner in owners or ())

    def report(self) -> Sequence[str]:
        """Return what was read from the file in force, and what of it cannot be used."""
        try:
            return (*self._file.report(), *self._file.current().summary())
        except SourceError:
            return ()

    def owners_known(self) -> Sequence[Owner]:
        """Return everybody whom the file names as an owner."""
        return self._file.current().index.owners()

    def customers_known(self) -> Mapping[Owner, int]:
        """Return how many rows with a number each of them has."""
        return self._file.current().rows_of

    def trouble(self) -> str:
        """Return why the file as it is now is not in force, or nothing."""
        return self._file.trouble

    def unsettled(self) -> str:
        """Return the file's name while somebody is still writing it."""
        return self._file.unsettled

    def content_age(self) -> float | None:
        """Return how many seconds ago the file in force was written, or asked for; None if there is none."""
        return self._file.age()

    def close(self) -> None:
        """Stop watching the file."""
        self._file.close()

    @abstractmethod
    def opened(self, path: Path, name: str = "") -> AnyTable:
        """Open the file at `path`, which messages call `name`; raises SourceError if it is no such table."""

    def customers_in(self, table: AnyTable, keep: int = 0) -> Customers:
        """Read an open table, and keep so many of its first rows to be shown; raises SourceError as it does."""
        columns = self.config.columns
        countries = columns.country is not False
        return read_customers(table, columns.configured(), self.config.region, countries=countries, keep=keep)

    def _load(self, path: Path) -> Customers:
        with self.opened(path) as table:
            return self.customers_in(table)


def _accept(old: Customers, new: Customers) -> None:
    new.ending.check_against(old.ending)


def _announce(customers: Customers) -> None:
    announce(_log, customers.summary())


def _explanation(owners: tuple[Owner, ...] | None) -> str:
    if owners is None:
        return "no row has this number"
    return f"{len(owners)} owner(s) in its row(s)" if owners else "its row names no owner"
