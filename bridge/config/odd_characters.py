"""Characters in a YAML file that nobody sees, or that only look like the sign that is meant.

They come with what is copied from web pages, chats and Word, and from keyboards for Chinese and Japanese. YAML takes
them for letters, so that what it complains of then stands somewhere else and looks right.
"""

import re
import unicodedata

_BLANK = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_UNSEEN = f"{_BLANK}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_FULL_WIDTH = re.compile("[\uff01-\uff5e]")
_ODD = re.compile(f"[{_UNSEEN}]")
_AT_AN_END = re.compile(rf"\s*(?:(?P<before>[{_UNSEEN}])|.*(?P<behind>[{_UNSEEN}])\s*\Z)", re.DOTALL)
_BEHIND_A_KEY = re.compile(rf"[\w.@-]+(?:[{_UNSEEN}]*(?P<colon>\uff1a)|:(?P<odd>[{_UNSEEN}]))")
_IN_A_LINE = re.compile(rf"[ -]*(?P<indent>[{_UNSEEN}])|[ -]*{_BEHIND_A_KEY.pattern}")
_DASH = re.compile("(?P<dash>[\u2010-\u2015\u2022\u2212\u00b7])\\s")


def odd_character(text: str, *, quoted: bool) -> str:
    """Return what is odd about a key or a value, and what to do; nothing if nobody was deceived by it."""
    if text.isascii():
        return ""
    if found := _AT_AN_END.match(text):
        side = "before" if found["before"] else "behind"
        is_indentation = found["before"] and unicodedata.category(found["before"]) == "Zs"
        remedy = "indent with plain blanks" if is_indentation else "take it out"
        return f"an invisible character stands {side} it, {_named(found[side])}: {remedy}"
    return ("" if quoted else _sign_in_place_of_yamls(text)) or _odd_among_plain_letters(text, quoted=quoted)


def _sign_in_place_of_yamls(text: str) -> str:
    if found := _BEHIND_A_KEY.match(text):
        return _behind_a_key(found)
    if found := _DASH.match(text):
        return f"begins with {_named(found['dash'])}, which is no dash of YAML: write - instead"
    return ""


def _odd_among_plain_letters(text: str, *, quoted: bool) -> str:
    """Tell of what is odd in an address, a name or a figure; a text in another script may need such characters."""
    if not _FULL_WIDTH.sub("", _ODD.sub("", text)).isascii():
        return ""
    if found := _ODD.search(text):
        return f"an invisible character stands in it, {_named(found[0])}: take it out"
    found = None if quoted else _FULL_WIDTH.search(text)
    return f"holds {_named(found[0])}: write {unicodedata.normalize('NFKC', found[0])}" if found else ""


def without_odd_characters(text: str) -> str:
    """Return what is seen of a text."""
    return text if text.isascii() else _ODD.sub("", text).strip()


def odd_beginning(line: str) -> tuple[int, str] | None:
    """Return where the indentation or the colon of a line has an odd character, and what to write; None if nowhere."""
    found = None if line.isascii() else _IN_A_LINE.match(line)
    if found is None:
        return None
    if found["indent"]:
        return found.start("indent"), f"the line is indented with {_named(found['indent'])}: write plain blanks"
    return found.start("colon" if found["colon"] else "odd"), _behind_a_key(found)


def _behind_a_key(found: re.Match[str]) -> str:
    if found["colon"]:
        return f"behind the key stands {_named(found['colon'])}: write a plain colon and a blank"
    return f"behind the colon stands {_named(found['odd'])}: write a plain blank"


def _named(character: str) -> str:
    return f"{unicodedata.name(character, 'an invisible character').lower()} (U+{ord(character):04X})"
