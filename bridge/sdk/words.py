"""How words are compared, whoever wrote them: names, e-mails, ids, headers, and what stands where a value is missing.

What looks the same is the same: an id by `visible`, a name, an e-mail or a login by `canonical`, a header by `fold`.

There is one list of words for nobody for every kind of source, so that a customer who is `Unassigned` is nobody's
wherever that is written, and the route's next connector is asked. What is drawn around such a word (`(unassigned)`,
`-- None --`) does not count either. `na` alone is no such word: Na is somebody's name.
"""

import re
import unicodedata

_PROGRAMS = frozenset(("", "0", "null", "\\n", "nil", "none", "undefined", "unknown", "false"))
_PEOPLE = frozenset(
    (
        *("unassigned", "not assigned", "no owner", "(blank)", "n/a", "n.a"),
        *("#n/a", "#ref!", "#name?", "#value!"),
        *("khong", "khong co", "khong ro", "khong biet", "chua", "chua co", "chua ro"),
        *("chua phan cong", "chua giao", "chua gan"),
    )
)
_AROUND = " -\N{EN DASH}\N{EM DASH}._?()[]{}<>'\"*"
_LONGEST = 40
_UNITS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))
_UNSEEN = frozenset(("\u034f", *map(chr, range(0xFE00, 0xFE10))))
_LIKE_D = {0xF0: "đ", 0x256: "đ"}  # of Ð (Icelandic) and Ɖ (African), which look like Đ
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_STEERING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))  # categories of Unicode: seen by what they do alone
_VOWELS = re.compile("(?:[aeiouy][\u0300-\u036f]*)+")


def visible(text: str) -> str:
    """Return the text as it is seen: composed, without characters of no width, in letters of usual width.

    Blanks of every kind become single ones. Two ids that are equal by this are one; capitals still tell ids apart.
    """
    if text.isascii():
        return " ".join(text.split())
    seen = "".join(char for char in text if unicodedata.category(char) != "Cf" and char not in _UNSEEN)
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def canonical(text: str) -> str:
    """Return what of a name, an e-mail or a login is compared: all spellings of one come out equal, its accents count.

    Capitals do not count, nor which of the letters that look like `Đ` was typed, nor on which vowel the tone mark
    stands, for a Vietnamese syllable has one tone: `Hoà` is `Hòa`. `Hoa` is somebody else.
    """
    folded = visible(text).casefold()
    if folded.isascii():
        return folded
    decomposed = unicodedata.normalize("NFD", folded.translate(_LIKE_D))
    return unicodedata.normalize("NFC", _VOWELS.sub(_tones_last, decomposed))


def fold(text: str) -> str:
    """Return the same without accents, as headers and words for nothing are compared."""
    folded = canonical(text)
    if folded.isascii():
        return folded
    decomposed = unicodedata.normalize("NFD", folded.replace("đ", "d"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _tones_last(vowels: re.Match[str]) -> str:
    tones = "".join(filter(_TONES.__contains__, vowels[0]))
    return "".join(char for char in vowels[0] if char not in _TONES) + tones


def with_signs(text: str) -> str:
    r"""Return a text as it may be written down for people: what steers a terminal or turns the reading is a sign.

    A name from a CRM may hold U+202E, which reverses all that stands behind it, or an escape sequence. It becomes
    `\u202e`, which is JSON's escape, too. Line breaks and tabs are left to whoever writes the line.
    """
    if text.isprintable():
        return text
    return "".join(_sign(char) if unicodedata.category(char) in _STEERING else char for char in text)


def _sign(char: str) -> str:
    if char in "\t\n\r":
        return char
    written = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{written[at : at + 4]}" for at in range(0, len(written), 4))


def counted(count: int, thing: str) -> str:
    """Return how many things there are: `1 row`, `2 rows`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def ago(seconds: float) -> str:
    """Return how long ago something was: `3 hours ago`."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), _UNITS[-1])
    return f"{counted(int(seconds // size), unit)} ago"


def is_nothing(text: str) -> bool:
    """Tell whether a text that should name somebody is blank or a word for it: `null`, `n/a`, `0`, `-`, `không có`."""
    if len(text) > _LONGEST and not text.isspace():
        return False
    folded = fold(text)
    return folded in _PEOPLE or (bare := folded.strip(_AROUND)) in _PROGRAMS or bare in _PEOPLE


def is_no_value(text: str) -> bool:
    """Tell whether a program means "none" by a text that names nobody, such as a cursor: `null`, `0`, `false`."""
    return text.strip().lower() in _PROGRAMS
