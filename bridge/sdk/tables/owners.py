"""Who looks after a customer, from the cells of the customer's row.

A cell may name several, as in `Lan, Minh`. Cells that name equally many are put together, the first of each with the
first of the others; what is there once belongs to all; where that does not come out even, each stands for itself: all
of them are named in the row, so nobody is rung who is not.
"""

import re
from collections.abc import Iterator, Mapping

from bridge.sdk.connector import Owner
from bridge.sdk.tables.layout import MEANINGS
from bridge.sdk.tables.table import clean_cell, extensions_in, is_nothing, is_shortened, several_in

SHORTENED = (
    "Excel has shortened it, as in 9.01E+08, and its digits are lost: format the column as text and export again"
)

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


def owners_of(cells: Mapping[str, str]) -> tuple[tuple[Owner, ...], str]:
    """Return the owners that a row's cells name, by meaning, in their order; and what is wrong, if anything."""
    values: dict[str, tuple[str, ...]] = {}
    objection = ""
    for meaning, cell in cells.items():
        try:
            values[meaning] = _named_in(cell, meaning)
        except ValueError as error:
            objection = str(error)
    return tuple(map(_owner, _put_together({meaning: named for meaning, named in values.items() if named}))), objection


def _named_in(cell: str, meaning: str) -> tuple[str, ...]:
    text = clean_cell(cell)
    named = () if is_nothing(text) else several_in(text)
    if is_shortened(text) or any(map(is_shortened, named)):
        raise ValueError(f"the cell for {MEANINGS[meaning]} cannot be repaired: {SHORTENED}")
    return extensions_in(text) if named and meaning == "extension" else named


def _put_together(values: Mapping[str, tuple[str, ...]]) -> Iterator[Mapping[str, str]]:
    counts = {len(named) for named in values.values()}
    if len(counts - {1}) > 1:
        for meaning, named in values.items():
            yield from ({meaning: one} for one in named)
        return
    for at in range(max(counts, default=0)):
        yield {meaning: named[at] if len(named) > 1 else named[0] for meaning, named in values.items()}


def _owner(values: Mapping[str, str]) -> Owner:
    """Make the owner; a cell called just "owner" may hold an e-mail, an id or a name.

    What it holds is tried as anything that it can be: a name has blanks or letters that no id has, a number is an id.
    """
    owner, name = values.get("owner"), values.get("name")
    id_ = email = None
    if owner and _EMAIL.fullmatch(owner):
        email = owner
    elif owner:
        if name or (owner.isascii() and " " not in owner):
            id_ = owner
        if not (owner.isascii() and owner.isdigit()):
            name = name or owner
    return Owner(
        id=values.get("owner_id") or id_,
        email=values.get("email") or email,
        login=values.get("login"),
        name=name,
        extension=values.get("extension"),
    )
