"""Who looks after a customer, from the cells of the customer's row or from what a CRM wrote in one field.

A text may name several. E-mails and numbers are several for certain, and taken apart here. Anything that separates
names may as well stand in one person's (`Pham, Minh`, `Lan/Sales`): such a text stays whole, and who knows the people
decides. Texts that name equally many are put together, the first of each with the first of the others; what is there
once belongs to all; where that does not come out even, each stands for itself: all of them are named in the row, so
nobody is rung who is not.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bridge.sdk.connector import Owner
from bridge.sdk.tables.columns import clean_cell, extensions_in
from bridge.sdk.tables.layout import MEANINGS
from bridge.sdk.tables.lost_cells import why_lost
from bridge.sdk.words import canonical, is_nothing

_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_LINE_BREAKS = re.compile(f"[{_BREAKS}]+")
_SEPARATORS = tuple(
    re.compile(pattern, re.IGNORECASE) for pattern in (f"[;|{_BREAKS}]+", ",+", r"[/&+]+|(?<=\s)(?:và|and)(?=\s)")
)
"""What stands between people, the surest first: what is left of it in a piece may be a part of a name."""
_BETWEEN_MAILBOXES = re.compile(r"(?<=[>)])\s*[,/]+")
_EMAIL = re.compile(r"""[^\s@<>()\[\]{},;|/"']+@[^\s@<>()\[\]{},;|/"']+""")
_BETWEEN_EMAILS = re.compile(r"(?:[\s,/&+<>]|\bvà\b|\band\b)*", re.IGNORECASE)
_AROUND_A_NAME = " \t<>()[]\"'-:\N{EN DASH}\N{EM DASH}"
_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_QUANTITY = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+", re.ASCII)
_MAY_BE_SEVERAL = re.compile(f"[;|,/<(\\[{_BREAKS}]|@.*\\s|\\s.*@")
_MOST_PEOPLE = 20
_KINDS = {"owner_id": "id", "email": "email", "login": "login", "name": "name"}


class Mailbox(NamedTuple):
    """An e-mail, and the name that stands beside it, if any: `Lan <lan@…>`, `lan@… (Lan)`."""

    email: str
    name: str | None


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


def people_in(owner: Owner) -> tuple[Owner, ...]:
    """Return the people for certain whom a connector gave as one owner, in their order: mostly the owner alone."""
    texts = {meaning: text for meaning, field in _KINDS.items() if (text := getattr(owner, field))}
    if not any(map(_MAY_BE_SEVERAL.search, texts.values())):
        return (owner,)
    if owner.id and is_of_any_kind(owner):
        texts["owner"] = texts.pop("owner_id")
        del texts["name"]
    values = {meaning: named for meaning, text in texts.items() if (named := parts_of(text))}
    people = tuple(_owner(one, owner.extension) for one in _put_together(values))
    return people if 0 < len(people) <= _MOST_PEOPLE else (owner,)


def is_of_any_kind(owner: Owner) -> bool:
    """Tell whether nobody said of what kind the owner's text is: it is given as id and as name then."""
    return bool(owner.id and owner.name) and canonical(owner.id or "") == canonical(owner.name or "")


def owner_called(text: str) -> Owner:
    """Return the owner whom a text names that may hold an e-mail, an id, a login or a name.

    It is tried as anything that it can be: a name has blanks or letters that no id has, a number is an id.
    """
    return _owner({"owner": text})


def parts_of(text: str) -> tuple[str, ...]:
    """Return what a text names for certain one by one, mostly the text itself; words for nothing are left out.

    What is left beside e-mails and numbers stays one text: all of it or nothing may be people.
    """
    text = _LINE_BREAKS.sub("; ", clean_cell(text))
    pieces = [piece for part in _split(text, _SEPARATORS[0]) for piece in _certain_pieces(part)]
    rest = [piece for piece in pieces if not (_NUMBER.fullmatch(piece) or mailbox_in(piece))]
    if len(rest) > 1:
        whole = " ".join(text.split()).strip(" ;|,") if rest == pieces else "; ".join(rest)
        pieces = [whole if piece == rest[0] else piece for piece in pieces if piece not in rest[1:]]
    return tuple(dict.fromkeys(pieces))


def pieces_of(text: str) -> tuple[str, ...]:
    """Return what a text names if the surest separator in it separates people; words for nothing are left out.

    `1,234` is a number as Excel writes it, and nothing in it is an id.
    """
    if _QUANTITY.fullmatch(text.strip()):
        return (text.strip(),)
    pieces: tuple[str, ...] = ()
    for separator in _SEPARATORS:
        pieces = _split(text, separator)
        if len(pieces) > 1 or not pieces:
            break
        text = pieces[0]
    return pieces


def mailbox_in(text: str) -> Mailbox | None:
    """Return the e-mail of a text that holds just one and nobody else, None if there is none such."""
    found = _EMAIL.findall(text)
    if len(found) != 1:
        return None
    email = found[0].removeprefix("mailto:")
    before, after = text.split(found[0], 1)
    name = " ".join(f"{before.removesuffix('mailto:')} {after}".split()).strip(_AROUND_A_NAME)
    is_apart = before.endswith("<") and after.startswith(">")
    is_alone = len(pieces_of(f"{before}x{after}")) == 1  # an e-mail may hold a sign that separates people
    return Mailbox(email, name or None) if is_apart or is_alone else None


def _split(text: str, separator: re.Pattern[str]) -> tuple[str, ...]:
    parts = map(clean_cell, separator.split(text))
    return tuple(" ".join(part.split()) for part in parts if not is_nothing(part))


def _certain_pieces(part: str) -> tuple[str, ...]:
    pieces = pieces_of(part)
    all_pieces = tuple(inner for piece in pieces for inner in pieces_of(piece))
    emails = _EMAIL.findall(part)
    if (len(all_pieces) == 1 and len(emails) <= 1) or all(map(_NUMBER.fullmatch, all_pieces)):
        return all_pieces
    if len(emails) > 1:
        rest = _EMAIL.sub("", part)
        if not pieces_of(rest) or _BETWEEN_EMAILS.fullmatch(rest):
            return tuple(emails)
        for several in (tuple(_BETWEEN_MAILBOXES.split(part)), pieces):
            if all(map(mailbox_in, several)):
                return tuple(map(clean_cell, several))
    return (part,)


def _named_in(cell: str, meaning: str) -> tuple[str, ...]:
    text = clean_cell(cell)
    named = () if is_nothing(text) else parts_of(text)
    if lost := next(filter(None, map(why_lost, (text, *named))), ""):
        raise ValueError(f"the cell for {MEANINGS[meaning]} cannot be repaired: {lost}")
    return extensions_in(text) if named and meaning == "extension" else named


def _put_together(values: Mapping[str, tuple[str, ...]]) -> Iterator[Mapping[str, str]]:
    values = _as_many(values)
    counts = {len(named) for named in values.values()}
    if len(counts - {1}) > 1:
        for meaning, named in values.items():
            yield from ({meaning: one} for one in named)
        return
    for at in range(max(counts, default=0)):
        yield {meaning: named[at] if len(named) > 1 else named[0] for meaning, named in values.items()}


def _as_many(values: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Take apart also what could be one, where the row names as many people for certain; one may have two phones."""
    certain = {len(named) for meaning, named in values.items() if meaning != "extension"} - {1}
    return {
        meaning: pieces if len(named) == 1 and {len(pieces := pieces_of(named[0]))} == certain else named
        for meaning, named in values.items()
    }


def _owner(values: Mapping[str, str], extension: str | None = None) -> Owner:
    """Make the owner; a cell called just "owner" may hold anything."""
    owner, email, name = values.get("owner"), values.get("email"), values.get("name")
    id_ = label = None
    for meaning in ("email", "name", "owner"):
        if box := mailbox_in(values.get(meaning, "")):
            email = box.email if meaning == "email" or not email else email
            label = label or box.name
            name = None if meaning == "name" else name
            owner = None if meaning == "owner" else owner
    if owner:
        is_like_an_id = owner.isascii() and " " not in owner
        if name or is_like_an_id or len(pieces_of(owner)) > 1:
            id_ = owner
        if not (owner.isascii() and owner.isdigit()):
            name = name or owner
    return Owner(
        id=values.get("owner_id") or id_,
        email=email,
        login=values.get("login"),
        name=name or label,
        extension=values.get("extension") or extension,
    )
