"""Which column of a table is which, and what its cells say once the damage that Excel did is undone.

Headers are compared as people read them: capitals, accents, blanks and punctuation do not count, so that `SĐT`, `sdt`
and `S.Đ.T` are one name. A header that could be meant is never chosen among several: the admin names it.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from bridge.sdk.meant_extensions import what_was_meant
from bridge.sdk.suggestion import did_you_mean
from bridge.sdk.tables.lost_cells import why_lost
from bridge.sdk.words import fold, is_nothing, with_signs

_INVISIBLE = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF])
_BLANKS = dict.fromkeys([0xA0, 0x2007, 0x202F, 0x3000], " ")
_REPAIRS = {**_INVISIBLE, **_BLANKS}
_FORMULA = re.compile(r'="([^"]*)"')
_WHOLE_NUMBER = re.compile(r"([0-9]+)\.0+", re.ASCII)
_FIGURES = re.compile(r"[0-9]+")
_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_BETWEEN_EXTENSIONS = re.compile(f"[/;:,|&+{_BREAKS}]+")
_BETWEEN_OWNERS = re.compile(f"[;,|{_BREAKS}]+")
_EXTENSION = re.compile(r"[0-9]+", re.ASCII)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_TELEPHONE = re.compile(r"[+(]{0,2}(?:[0-9][ ().-]*){9,15}", re.ASCII)
_ALL_BUT_THREE_DIGITS = re.compile(r"[0-9](?=(?:[^0-9]*[0-9]){3})", re.ASCII)
_LONGEST_SHORT_NUMBER = 5
_LONGEST_LISTED = 40
_MOST_LISTED = 40


def header_key(header: str) -> str:
    """Return what of a header counts when it is compared: its letters and figures, without accents and capitals."""
    return "".join(char for char in fold(header) if char.isalnum())


def header_keys(configured: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the keys of all headers that the admin named."""
    return frozenset(header_key(header) for headers in configured.values() for header in headers)


def clean_cell(text: str) -> str:
    """Return what the cell said before Excel and copying damaged it.

    Undone: no-break blanks, invisible characters, a leading apostrophe, `="0901…"`, `.0` behind a whole number.
    """
    if text.isalnum() and text.isascii():
        return text
    if not text.isascii():
        text = text.translate(_REPAIRS)
    text = text.strip()
    if text.startswith(("'", "\N{RIGHT SINGLE QUOTATION MARK}")):
        text = text[1:].lstrip()
    if text.startswith("=") and (formula := _FORMULA.fullmatch(text)):
        text = formula[1].strip()
    if text.endswith("0") and (whole := _WHOLE_NUMBER.fullmatch(text)):
        text = whole[1]
    return text


def extensions_in(text: str) -> tuple[str, ...]:
    """Return the extensions of a cell such as `101/102`, `101;102` or `101.0`, as written: `0101` keeps its zero.

    A blank alone is no border between two: `1 01` is a slip of the finger and would ring at 1 and at 01.
    Raises ValueError if something in it is no extension.
    """
    parts = tuple(filter(None, map(clean_cell, _BETWEEN_EXTENSIONS.split(clean_cell(text)))))
    if not all(map(_EXTENSION.fullmatch, parts)):
        plainly = "an extension consists of digits, and several are written 101/102"
        meant = why_lost(text.strip()) or what_was_meant(text, "/".join)
        raise ValueError(f"{shown(text)} is no extension: {meant or plainly}")
    return parts


def several_in(text: str) -> tuple[str, ...]:
    """Return what a cell such as `Lan, Minh` or `7/8` names, one by one; words for nothing are left out."""
    parts = map(clean_cell, _BETWEEN_OWNERS.split(clean_cell(text)))
    # A stroke comes second, for `n/a` has one too.
    pieces = (clean_cell(piece) for part in parts if not is_nothing(part) for piece in part.split("/"))
    return tuple(" ".join(piece.split()) for piece in pieces if not is_nothing(piece))


def is_telephone(text: str) -> bool:
    """Tell whether this can only be a telephone number, going by its digits and signs."""
    return _TELEPHONE.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Tell whether this has the form of an e-mail."""
    return _EMAIL.fullmatch(text) is not None


def looks_like_data(header: str) -> bool:
    """Tell whether this is a telephone number or an e-mail: somebody's row, and no column's name."""
    return is_telephone(header) or is_email(header)


def is_named(header: str, names: Collection[str]) -> bool:
    """Tell whether a header is one of these, as `header_key` makes them; numbers in it do not count."""
    key = header_key(header)
    return key in names or _FIGURES.sub("", key) in names  # Phone 2, Phone 1 - Value


def find_columns(
    columns: Sequence[str], known: Mapping[str, Sequence[str]], configured: Mapping[str, Sequence[str]]
) -> dict[str, tuple[int, ...]]:
    """Return for each meaning the columns that have it, counted from 0, in the file's order; () if there is none.

    `known` gives the headers that a meaning may have; numbers in one (`Phone 2`) do not count. What the admin
    `configured` for a meaning replaces them, and each of those headers has to be there.
    Raises ValueError, listing the columns, if a configured one is missing or there twice. Whether a meaning may have
    several columns is the caller's to decide: `only_column`.
    """
    return {
        meaning: tuple(_named(columns, header, meaning, names) for header in configured[meaning])
        if configured.get(meaning)
        else _recognised(columns, frozenset(map(header_key, names)))
        for meaning, names in known.items()
    }


def only_column(columns: Sequence[str], found: Sequence[int], meaning: str, words: str) -> int | None:
    """Return the one column found for a meaning, or None; raises ValueError if several could be meant.

    `words` says what it is for people: "the owner's e-mail".
    """
    if len(found) > 1:
        several = ", ".join(shown(columns[index]) for index in found)
        raise ValueError(
            f"{len(found)} columns could be {words}: {several}; name one under `columns: {{{meaning}: …}}`; "
            f"the file has: {listed(columns)}"
        )
    return found[0] if found else None


def listed(columns: Sequence[str]) -> str:
    """Return the headers for a message."""
    more = f" and {len(columns) - _MOST_LISTED} more" if len(columns) > _MOST_LISTED else ""
    return ", ".join(map(shown, columns[:_MOST_LISTED])) + more


def shown(text: str) -> str:
    """Return a header or cell for a message: in quotes, on one line, not too long, long numbers masked.

    A file without headers has a customer where they should be.
    """
    line = with_signs(" ".join(text.split()))
    masked = _ALL_BUT_THREE_DIGITS.sub("*", line) if sum(map(str.isdigit, line)) > _LONGEST_SHORT_NUMBER else line
    return f"'{masked[:_LONGEST_LISTED]}…'" if len(masked) > _LONGEST_LISTED else f"'{masked}'"


def _named(columns: Sequence[str], header: str, meaning: str, usual: Sequence[str]) -> int:
    found = [index for index, column in enumerate(columns) if column == header]
    found = found or [index for index, column in enumerate(columns) if header_key(column) == header_key(header)]
    if len(found) > 1:
        raise ValueError(
            f"{len(found)} columns are called {shown(header)}: rename them; the file has: {listed(columns)}"
        )
    if not found:
        meant = _recognised(columns, frozenset(map(header_key, usual)))
        guess = did_you_mean(header, [columns[at] for at in meant] or columns)
        if meant and not guess:
            guess = f", did you mean {shown(columns[meant[0]])}?"
        raise ValueError(
            f"there is no column {shown(header)} (`columns: {{{meaning}: …}}`){guess}; the file has: {listed(columns)}"
        )
    return found[0]


def _recognised(columns: Sequence[str], names: frozenset[str]) -> tuple[int, ...]:
    return tuple(index for index, column in enumerate(columns) if is_named(column, names))
