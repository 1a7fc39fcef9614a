"""How people write telephone numbers: what may stand in, behind and between the digits of one or several.

Nothing here knows which numbers exist; that is for `bridge.sdk.phone`, the only user of this room.
"""

import re
import unicodedata

from bridge.sdk.errors import InvalidNumber

_LONGEST_TEXT = 64  # characters of one number, separators and extension included
_FEWEST_DIGITS = 7  # below are extensions and short codes; the shortest numbers of islands have 7 with their code
_MOST_DIGITS = 18  # E.164 allows 15; `00` and `(0)` may be written besides

_WITHHELD = {"anonymous", "unknown", "private", "restricted", "unavailable", "withheld"}

_BLANKS = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_ASCII = str.maketrans(
    {chr(0xFEE0 + code): chr(code) for code in range(0x21, 0x7F)}  # fullwidth forms
    | {chr(zero + digit): str(digit) for zero in (0x0660, 0x06F0) for digit in range(10)}  # Arabic, Persian digits
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63", "-")
    | dict.fromkeys("\u0085\u2028\u2029", "\n")
    | dict.fromkeys("\u3001\uff64", ",")
    | dict.fromkeys(_BLANKS, " ")
    | dict.fromkeys(_INVISIBLE, "")
)
_SEPARATORS = str.maketrans("+0123456789", "+0123456789", " \t.-()[]/'")  # what is named is found faster

_EXTENSION = (
    r"(?:;\s*ext=|(?<![^\W\d_])(?:extension|ext|(?:số\s*)?máy\s*lẻ|(?:so\s*)?may\s*le|x)[.:]?)\s*[0-9]{1,6}(?![0-9])"
)
_ANY_EXTENSION = re.compile(_EXTENSION, re.IGNORECASE)
_LAST_EXTENSION = re.compile(rf"(?:{_EXTENSION}|,+\s*[0-9]{{1,6}})\Z", re.IGNORECASE)
_SCHEME = re.compile(r"\Atel:", re.IGNORECASE)
_DECIMAL = re.compile(r"([0-9]+)\.0")  # what becomes of a number that was taken for a quantity
_STUMP = re.compile(r"/[^0-9/]*(?:[0-9][^0-9/]*){1,2}\Z")  # "…3456/57": a second number, not more of the first
_TORN = re.compile(r"\W*\+\W*[0-9]{1,3}\W*")
_DIALLED = re.compile(r"\+?[0-9]+")

_EDGE = r"[^\s()\[\].,:;|/-]"
_WORD = re.compile(rf"(?<!{_EDGE})[^\W\d_]+(?!{_EDGE})[.:]*")
_CUT = re.compile(r"[;,|\r\n]+")

ALTERNATIVE = re.compile(r"/|\s-+\s")
"""Stands inside a number (`028/3812 3456`), between two, or before another ending of the first (`…3456/57`)."""

SUCCESSIONS = (re.compile(r"\s+"), re.compile(r"-"))
"""Stand inside a number as a rule, and now and then between whole ones."""


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
    written = to_ascii(text).strip()
    if _DECIMAL.fullmatch(written):
        written = written.removesuffix(".0")
    number = written.translate(_SEPARATORS)
    if not _DIALLED.fullmatch(number):
        written = _LAST_EXTENSION.sub("", _SCHEME.sub("", written))
        number = written.translate(_SEPARATORS)
    _check(number, written)
    return number


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


def parts(field: str) -> list[str]:
    """Cut a field, already `to_ascii`, where one number certainly ends: at `;` `,` `|`, line ends, extensions, words.

    A word is letters that stand by themselves: `hoặc`, `ĐT:`, a name. Letters among digits stay and spoil their part.
    Raises InvalidNumber if a country code was cut off: what follows would be read as a number of another country.
    """
    cut = _CUT.split(_WORD.sub("\n", _ANY_EXTENSION.sub("\n", field)))
    if any(map(_TORN.fullmatch, cut)):
        raise InvalidNumber("a country code stands apart from its number")
    return cut
