"""The list of extensions from a database: who has which, by one SELECT, read as a whole now and then."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from bridge.sdk import Deadline, ExtensionEntry, ExtensionSource, ExtensionSourceConfig, Text, UnexpectedAnswer, located
from connectors.sql.database.database import SqlDatabase
from connectors.sql.database.settings import DatabaseKeys
from connectors.sql.query.columns import OWNER_COLUMNS
from connectors.sql.rows import check_columns, extensions_of, texts_of

_log = logging.getLogger(__name__)

_KINDS = {"owner_id": "ids", "email": "emails", "login": "logins", "name": "names"}
_NEEDED = "needs a column extension, and one of owner_id, email, login and name"


class SqlExtensionsConfig(DatabaseKeys, ExtensionSourceConfig):
    """How to read who has which extension from a database."""

    query: Text = Field(
        description="One SELECT without parameters that returns extension, and owner_id, email, login, name or "
        "several of them."
    )

    @model_validator(mode="after")
    def _names_extensions(self) -> Self:
        columns = self.check("query", self.query, asks_for_caller=False).columns
        if columns is not None and not _is_enough(columns):
            raise located(("query",), _NEEDED)
        return self


class SqlExtensions(ExtensionSource[SqlExtensionsConfig]):
    """Reads owners and their extensions from a database."""

    Config: ClassVar[type[SqlExtensionsConfig]] = SqlExtensionsConfig

    def __init__(self, config: SqlExtensionsConfig) -> None:
        super().__init__(config)
        self._query = config.check("query", config.query, asks_for_caller=False)
        self._database = SqlDatabase(config, config.timeout, places=1)

    def read(self, deadline: Deadline) -> Sequence[ExtensionEntry]:
        """Return what the rows say; one whose extension is none is left out and counted in the log.

        Raises UnexpectedAnswer if no row has both, for a list that was emptied is no list.
        """
        found = self._database.ask(self._query.statement, {}, deadline)
        place = self._database.place
        try:
            check_columns(found)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{place}: {error}") from None
        if not _is_enough(found.columns):
            raise UnexpectedAnswer(f"{place}: {_NEEDED}; the query returned {', '.join(found.columns)}")
        entries = list(_entries(place, found.columns, found.rows))
        if not entries:
            raise UnexpectedAnswer(f"{place}: none of {len(found.rows)} row(s) has both an owner and an extension")
        return entries

    def close(self) -> None:
        """Close the connection."""
        self._database.close()


def _is_enough(columns: Sequence[str]) -> bool:
    return "extension" in columns and bool(set(columns) & (set(OWNER_COLUMNS) - {"extension"}))


def _entries(place: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[ExtensionEntry]:
    left_out = 0
    for row in rows:
        try:
            names = texts_of(columns, row)
            extensions = extensions_of(names.pop("extension", ""))
        except UnexpectedAnswer:
            left_out += 1
            continue
        if names and extensions:
            kinds = {kind: (names[column],) for column, kind in _KINDS.items() if column in names}
            yield ExtensionEntry(**kinds, extensions=tuple(extensions))
    if left_out:
        _log.warning("%s: %d row(s) are left out: an extension consists of digits", place, left_out)
