"""Which column of a list of customers is which: usual headers in English and Vietnamese, or what the admin says.

No column is judged by its own header alone: an extension beside a column that names the owner is the customer's own,
and two headers that both could name the owner are told. Nothing is guessed among several: a wrong owner is worse than
none.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.tables.headers import COUNTRY, COUNTRY_CODE, EXTENSION, KNOWN, OTHERS, PHONE, role_of
from bridge.sdk.tables.table import AnyTable, find_columns, listed, only_column, shown

MEANINGS: Mapping[str, str] = {
    "owner": "the owner",
    "owner_id": "the owner's id",
    "email": "the owner's e-mail",
    "login": "the owner's login",
    "name": "the owner's name",
    "extension": "the extension",
}
"""What can be known about an owner, by the key under `columns`, and how people call it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns hold what: at least one with telephone numbers, and at least one that leads to the owner.

    `countries` say whose numbers these are. `notes` tell of columns that are not taken for what they might be.
    """

    phones: tuple[int, ...]
    owner: Mapping[str, int]
    countries: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: AnyTable, configured: Mapping[str, Sequence[str]], *, countries: bool = True) -> "Layout":
        """Find the columns. If one of the owner's is configured, no others are looked for.

        Without `countries` no column says whose numbers these are. Raises UnexpectedAnswer, listing the columns that
        are there, if one is missing or several could be meant.
        """
        by_name = not any(configured.get(meaning) for meaning in MEANINGS)
        known = {meaning: KNOWN[meaning] if by_name else () for meaning in MEANINGS}
        columns = table.columns
        try:
            found = find_columns(columns, {"phone": PHONE, **known}, configured)
            if by_name:
                _refuse_several_owners(columns, found)
            only = {what: only_column(columns, found[what], what, words) for what, words in MEANINGS.items()}
            owner = {what: index for what, index in only.items() if index is not None}
            notes = _with_bare_extension(columns, owner) if by_name else ()
            where = _countries(columns, configured) if countries else ()
            layout = cls(found["phone"], owner, where, tuple(notes))
            layout.check(columns)
        except ValueError as error:
            raise UnexpectedAnswer(f"{table.name}: {error}{table.misread()}") from None
        return layout

    def check(self, columns: Sequence[str]) -> None:
        """Raise ValueError if something is missing."""
        if not self.phones:
            problem = "no column is known to hold telephone numbers: name it under `columns: {phone: …}`"
        elif not self.owner:
            problem = (
                "no column is known to name the owner: name it under `columns: {owner: 'Header'}`, "
                "or as `{email: …}` or `{extension: …}`"
            )
        else:
            return
        raise ValueError(f"{problem}; the file has: {listed(columns)}")


def _refuse_several_owners(columns: Sequence[str], found: Mapping[str, Sequence[int]]) -> None:
    """Raise ValueError if the headers mean different people, or only those who look after something else."""
    at = sorted({index for meaning in MEANINGS for index in found[meaning]})
    whose: dict[str, list[str]] = {}
    for index in at:
        whose.setdefault(role_of(columns[index]), []).append(columns[index])
    several = ", ".join(shown(name) for names in whose.values() for name in names)
    if len(whose) > 1:
        raise ValueError(
            f"{several} could be different people: name the owner's under `columns: {{owner: 'Header'}}`; "
            f"the file has: {listed(columns)}"
        )
    if whose.keys() & OTHERS:
        raise ValueError(
            f"{several} need not be who looks after the customer: if so, name it under `columns: {{owner: 'Header'}}`; "
            f"the file has: {listed(columns)}"
        )


def _with_bare_extension(columns: Sequence[str], owner: dict[str, int]) -> Iterator[str]:
    """Take a bare extension for the owner's if nothing else names him; else tell that it is not taken."""
    bare = find_columns(columns, {"extension": EXTENSION}, {})["extension"]
    if not owner:
        at = only_column(columns, bare, "extension", MEANINGS["extension"])
        owner.update({} if at is None else {"extension": at})
    elif bare:
        named = {meaning: columns[at] for meaning, at in owner.items()}
        extension = columns[bare[0]]
        written = ", ".join(f"{meaning}: {_quoted(header)}" for meaning, header in named.items())
        beside = ", ".join(map(shown, named.values()))
        yield (
            f"{', '.join(shown(columns[at]) for at in bare)} beside {beside} is taken for the customer's own extension "
            "and not read: if it is the owner's, write "
            f"`columns: {{{written}, extension: {_quoted(extension)}}}`"
        )


def _countries(columns: Sequence[str], configured: Mapping[str, Sequence[str]]) -> tuple[int, ...]:
    found = find_columns(columns, {"code": COUNTRY_CODE, "name": COUNTRY}, {"code": configured.get("country", ())})
    return found["code"] or found["name"]


def _quoted(header: str) -> str:
    return json.dumps(header, ensure_ascii=False)
