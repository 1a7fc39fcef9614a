"""How people write telephone numbers: what may stand in, behind and between the digits of one or several.

Nothing here knows which numbers exist; that is for `bridge.sdk.phone`, the only user of this room.
"""

import html
import re
import unicodedata
from urllib.parse import unquote

from bridge.sdk.errors import InvalidNumber

_LONGEST_TEXT = 64  # characters of one number, separators and extension included
_FEWEST_DIGITS = 7  # below are extensions and short codes; the shortest numbers of islands have 7 with their code
_MOST_DIGITS = 18  # E.164 allows 15; `00` and `(0)` may be written besides

_WITHHELD = {"anonymous", "unknown", "private", "restricted", "unavailable", "withheld"}

_BLANKS = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_INVISIBLE = (
    "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
    "\u20e3\ufe0e\ufe0f"  # what makes an emoji of a digit
)
_ASCII = str.maketrans(
    {chr(0xFEE0 + code): chr(code) for code in range(0x21, 0x7F)}  # fullwidth forms
    | {chr(zero + digit): str(digit) for zero in (0x0660, 0x06F0) for digit in range(10)}  # Arabic, Persian digits
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63", "-")
    | dict.fromkeys("\u0085\u2028\u2029", "\n")
    | dict.fromkeys("\u3001\uff64", ",")
    | dict.fromkeys("\u00b7\u2024\u2027\u2219\u22c5\u30fb", ".")  # dots in the middle of a line
    | dict.fromkeys("\u2018\u2019\u02bc", "'")
    | dict.fromkeys(_BLANKS, " ")
    | dict.fromkeys(_INVISIBLE, "")
)
_SEPARATORS = str.maketrans("+0123456789", "+0123456789", " \t.-()[]/'")  # what is named is found faster

_EXTENSION = (
    r"(?:;\s*ext=|#|(?<![^\W\d_])(?:extension|ext|(?:số\s*)?máy\s*lẻ|(?:so\s*)?may\s*le|x)[.:]?)\s*[0-9]{1,6}(?![0-9])"
)
_ANY_EXTENSION = re.compile(_EXTENSION, re.IGNORECASE)
_LAST_EXTENSION = re.compile(rf"(?:{_EXTENSION}|,+\s*[0-9]{{1,6}})\Z", re.IGNORECASE)
_SCHEME = re.compile(r"\Atel:", re.IGNORECASE)
_DECIMAL = re.compile(r"([0-9]+)\.0")  # what becomes of a number that was taken for a quantity
_SCIENTIFIC = re.compile(r"([0-9])[.,]([0-9]{7,14})E\+?([0-9]{1,2})", re.IGNORECASE)
_PLUS_TWICE = re.compile(r"\+?([1-9][0-9]{0,2})\+(?=\1)")
_STUMP = re.compile(r"/[^0-9/]*(?:[0-9][^0-9/]*){1,2}\Z")  # "…3456/57": a second number, not more of the first
_DIGITS = re.compile(r"[0-9]+")
_DIALLED = re.compile(r"\+?[0-9]+")

_OF_NUMBERS = r"0-9 \t.\-()\[\]/'+"
_GAP = re.compile(rf"([^{_OF_NUMBERS}]+(?:[ \t]+[^{_OF_NUMBERS}]+)*)")
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_TAG_IN_A_WORD = re.compile(r"</?(?:b|i|u|em|strong|font|small|mark|wbr)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ITEM = re.compile(r"(?:\A|(?<=\s))\(?[1-9][.)]\s*(?=[0+])")  # 1. 0901… 2) 0912…
_TARGET = re.compile(r"""\btel:([^"'<>\s]+)""", re.IGNORECASE)

ALTERNATIVE = re.compile(r"/|\s-+\s")
"""Stands inside a number (`028/3812 3456`), between two, or before another ending of the first (`…3456/57`)."""

SUCCESSIONS = (re.compile(r"(?<=[0-9)])\s*(?=\+)"), re.compile(r"\s+"), re.compile(r"-"), re.compile(r"\."))
"""Stand inside a number as a rule, and now and then between whole ones; what stands before a plus is such a place."""


def to_ascii(text: str) -> str:
    """Return `text` with the usual look-alikes of digits, dashes and blanks replaced; letters stay."""
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_ASCII)


def dialled(text: str) -> str:
    """Return the digits of one number, with the plus if there is one; an extension is dropped.

    Raises InvalidNumber if anything else stands there. Letters are refused here because libphonenumber would dial them
    on the keypad.
    """
    if len(text) > _LONGEST_TEXT:
        raise InvalidNumber(f"longer than {_LONGEST_TEXT} characters")
    written = _as_typed(to_ascii(text).strip())
    number = written.translate(_SEPARATORS)
    if not _DIALLED.fullmatch(number):
        written = _LAST_EXTENSION.sub("", _SCHEME.sub("", written))
        number = _once(written.translate(_SEPARATORS))
    _check(number, written)
    return number


def _as_typed(written: str) -> str:
    """Undo what a spreadsheet made of a number that it took for a quantity, where no digit is lost."""
    if "." not in written and "," not in written:
        return written
    if _DECIMAL.fullmatch(written):
        return written.removesuffix(".0")
    if (found := _SCIENTIFIC.fullmatch(written)) and len(found[2]) == int(found[3]):
        return found[1] + found[2]
    return written


def _once(number: str) -> str:
    """Return the number with one plus, where it has several and they mean the same: `++84…`, `+84+84…`."""
    if "+" not in number[1:]:
        return number
    return _PLUS_TWICE.sub("+", "+" + number.lstrip("+") if number.startswith("+") else number, count=1)


def first_digits(text: str) -> str:
    """Return the first digits of a text, up to whatever stands behind them."""
    found = _DIGITS.search(to_ascii(text))
    return found[0] if found else ""


def is_withheld(text: str) -> bool:
    """Tell whether a word stands for a number that its caller does not show."""
    return text.casefold() in _WITHHELD


def _check(number: str, written: str) -> None:
    if not _DIALLED.fullmatch(number):
        withheld = not written or is_withheld(written)
        raise InvalidNumber("the number is withheld" if withheld else "it holds something that no number has")
    digits = len(number) - number.count("+")
    if digits < _FEWEST_DIGITS:
        raise InvalidNumber("too short: an internal extension or a short code")
    if digits > _MOST_DIGITS:
        raise InvalidNumber("too long for one number")
    if _STUMP.search(written):
        raise InvalidNumber("it ends as if it were two numbers")


def plain(field: str) -> str:
    """Return a field as it is meant: look-alikes replaced, HTML undone, a number that was taken for a quantity too."""
    field = _as_typed(to_ascii(field).strip())
    if "&" in field:
        field = to_ascii(html.unescape(html.unescape(field)))
    return _TAG.sub(_instead_of_tag, _TAG_IN_A_WORD.sub("", field)) if "<" in field else field


def _instead_of_tag(tag: re.Match[str]) -> str:
    """Return what ends a number, and the one that a link leads to."""
    target = _TARGET.search(tag[0])
    return f"<{unquote(target[1])}<" if target else "<"


def stretches(field: str) -> tuple[list[str], list[str]]:
    """Take a field, already `plain`, apart: stretches of what numbers consist of, and the gaps between them.

    Extensions are left out, and the numbers of a list's items. There is one stretch more than gaps; some are empty.
    """
    pieces = _GAP.split(_ITEM.sub("\n", _ANY_EXTENSION.sub("\n", field)))
    return pieces[::2], pieces[1::2]
