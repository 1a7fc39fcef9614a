"""From the rows of a query to owners: which rows count, and what their columns say."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from bridge.sdk import Customer, Owner, Owners, PhoneNumber, UnexpectedAnswer, each_once, give_way, holds_any
from bridge.sdk.phone import read_field
from bridge.sdk.tables import clean_cell, extensions_in, is_nothing
from connectors.sql.database.database import Found
from connectors.sql.query.columns import COLUMNS, OWNER_COLUMNS, RECORD, lack_of

_LONGEST_VALUE = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_columns(found: Found) -> None:
    """Raise UnexpectedAnswer, listing the columns that came, if one means nothing or none names an owner."""
    came = f"the query returned {', '.join(found.columns) or 'no columns'}"
    for name in found.columns:
        if name not in COLUMNS:
            raise UnexpectedAnswer(f"the column {name!r} means nothing: known are {', '.join(COLUMNS)}; {came}")
        if name != "phone" and found.columns.count(name) > 1:
            raise UnexpectedAnswer(f"several columns are called {name!r}; {came}")
    if lack := lack_of(found.columns):
        raise UnexpectedAnswer(f"{lack}; {came}")


def rows_of(found: Found, caller: PhoneNumber, region: str, say: Callable[[str], None]) -> Iterator[Sequence[Any]]:
    """Give the rows that hold the caller's number, compared whole; all if the query returns no phone.

    A number without a country of its own is one of the row's `country`, if that is filled.
    """
    phones = [at for at, name in enumerate(found.columns) if name == "phone"]
    country = found.columns.index("country") if "country" in found.columns else None
    for number, row in enumerate(found.rows, 1):
        give_way()
        named = "" if country is None else _country(row[country])
        if not phones or holds_any([_phone(row[at]) for at in phones], caller, region, named):
            yield row
        else:
            say(f"row {number} does not count: its phone is not the caller's number")


def customers_of(found: Found, region: str) -> Iterator[Customer]:
    """Give the customer of each row that has a number; his owners are not known if the row cannot be read."""
    phones = [at for at, name in enumerate(found.columns) if name == "phone"]
    country = found.columns.index("country") if "country" in found.columns else None
    for row in found.rows:
        give_way()
        named = "" if country is None else _country(row[country])
        numbers = [number for at in phones for number in read_field(_phone(row[at]), region, named).numbers]
        if numbers:
            try:
                owners: Owners | None = owners_of(found.columns, [row])
            except UnexpectedAnswer:
                owners = None
            yield Customer(tuple(dict.fromkeys(numbers)), owners)


def owners_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Owners:
    """Return the owners that the rows name, each once, in order; a row without one adds nobody."""
    owners: list[Owner] = []
    at = columns.index(RECORD) if RECORD in columns else None
    for row in rows:
        fields = texts_of(columns, row)
        record = None if at is None else _text(RECORD, row[at]) or None
        extensions = extensions_of(fields.pop("extension", ""))
        id_ = fields.pop("owner_id", None)
        if extensions:
            owners += (Owner(id=id_, extension=one, record=record, **fields) for one in extensions)
        elif id_ or fields:
            owners.append(Owner(id=id_, record=record, **fields))
    return each_once(owners)


def texts_of(columns: Sequence[str], row: Sequence[Any]) -> dict[str, str]:
    """Return what a row says of the owner by column, without without what means nothing: NULL, '', 0."""
    cells = zip(columns, row, strict=True)
    named = ((name, _text(name, value)) for name, value in cells if name in OWNER_COLUMNS)
    return {name: text for name, text in named if not is_nothing(text)}


def extensions_of(text: str) -> Sequence[str]:
    """Return the extensions of a column, `101/102` as two; raises UnexpectedAnswer if it holds something else."""
    try:
        return extensions_in(text) if text else ()
    except ValueError as error:
        raise UnexpectedAnswer(f"column extension: {error}") from None


def _text(column: str, value: object) -> str:
    text = _scalar(column, value)
    if len(text) > _LONGEST_VALUE or _CONTROL.search(text):
        raise UnexpectedAnswer(f"column {column}: a text that is too long or holds control characters")
    return text


def _scalar(column: str, value: object) -> str:
    """Return a column's value as text: whole numbers without a fraction, however the database holds them."""
    match value:
        case None:
            return ""
        case str():
            return clean_cell(value)
        case bool():
            pass
        case int() | UUID():
            return str(value)
        case float() | Decimal() if math.isfinite(value) and value == int(value):
            return str(int(value))
        case bytes() | bytearray() | memoryview():
            try:
                return clean_cell(bytes(value).decode("utf-8"))
            except UnicodeDecodeError:
                raise UnexpectedAnswer(f"column {column}: bytes that are no text: convert them in the query") from None
    raise UnexpectedAnswer(f"column {column}: {type(value).__name__} where a text or a whole number is needed")


def _country(value: object) -> str:
    text = _text("country", value)
    return "" if is_nothing(text) else text


def _phone(value: object) -> str:
    """Return a number as it stands in the table; one that was kept as a quantity without its fraction, if that is 0."""
    if isinstance(value, (float, Decimal)) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return _as_written(value)


def _as_written(value: object) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return "" if value is None or isinstance(value, bool) else str(value)
