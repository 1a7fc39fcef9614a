"""Words that stand where a value is missing: what people, Excel and CRMs write when nobody looks after a customer.

One list for every kind of source, so that a customer who is `Unassigned` is nobody's wherever that is written, and the
route's next connector is asked. Words are compared as people read them: capitals, accents, kinds of blanks and what is
drawn around a word (`(unassigned)`, `-- None --`) do not count. `na` alone is no such word: Na is somebody's name.
"""

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


def fold(text: str) -> str:
    """Return the text without accents and in small letters, its blanks reduced to single ones."""
    if text.isascii():
        return " ".join(text.casefold().split())
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    kept = (char for char in decomposed if not (unicodedata.combining(char) or unicodedata.category(char) == "Cf"))
    return " ".join("".join(kept).split())


def is_nothing(text: str) -> bool:
    """Tell whether a text that should name somebody is blank or a word for it: `null`, `n/a`, `0`, `-`, `không có`."""
    if len(text) > _LONGEST and not text.isspace():
        return False
    folded = fold(text)
    return folded in _PEOPLE or (bare := folded.strip(_AROUND)) in _PROGRAMS or bare in _PEOPLE


def is_no_value(text: str) -> bool:
    """Tell whether a program means "none" by a text that names nobody, such as a cursor: `null`, `0`, `false`."""
    return text.strip().lower() in _PROGRAMS
