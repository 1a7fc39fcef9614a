"""Headers that nobody knows because of their encoding: VNI, TCVN3, UTF-8 twice over, accents that became `?`.

Old Vietnamese fonts draw their own letters over those of Western Europe. A header is read by each such table in turn,
without its accents, and if one of the usual headers comes out, it is known what the file is written in.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from bridge.sdk.tables.columns import header_key
from bridge.sdk.tables.headers import HEADINGS

_VNI = {"ñ": "d", "ô": "o", "ö": "u", "æ": "i", "ó": "i", "ò": "i", "í": "i", "ì": "i", "î": "y"}
"""The letters that VNI draws as one character; all others are a letter and a character for its marks."""
_VNI_MARKS = re.compile("(?<=[aeiouyôö])[ùøûõïâáàåãäêéèúüë]", re.IGNORECASE)
_TCVN3 = {
    character: letter
    for letter, characters in {
        "a": "¡¢¨©µ¶·\u00b8¹»¼½¾ÆÇÈÉÊË",
        "d": "§®",
        "e": "£ªÌÎÏÐÑÒÓÔÕÖ",
        "i": "\u00d7ØÜÝÞ",
        "o": "¤¥«¬ßáâãäåæçèéêëìíî",
        "u": "¦\u00adïñòóôõö÷øù",
        "y": "úûüýþ",
    }.items()
    for character in characters
}
_BETWEEN = re.compile(r"[,;\t|\r\n]")
_LOST_ACCENT = re.compile(r"(?<=\w)\?|\?(?=\w)")
_LEGACY = "convert it to Unicode (UniKey: Ctrl+Shift+F6), and save it again (a CSV as CSV UTF-8)"


def misread(first_bytes: bytes, encoding: str) -> str:
    """Say in which encoding the headers at the beginning of a file make sense, and what to do; nothing if in none."""
    text = first_bytes.decode("cp1252" if encoding == "windows-1258" else encoding, "replace").removeprefix("\ufeff")
    line = next((line for line in text.splitlines() if line.strip()), "")
    return told_of_headers([header.strip(' "') for header in _BETWEEN.split(line)])


def told_of_headers(headers: Sequence[str]) -> str:
    """Say in which encoding these headers make sense, and what to do; nothing if in none."""
    foreign = [header for header in headers if not header.isascii()]
    if _is_known(foreign):
        return ""
    ways: tuple[tuple[Callable[[str], str], str], ...] = (
        (_once_more, "the headers were encoded as UTF-8 twice: export the file again, as CSV UTF-8"),
        (_from_vni, f"the headers are written in VNI: {_LEGACY}"),
        (_from_tcvn3, f"the headers are written in TCVN3 (ABC, the fonts .Vn…): {_LEGACY}"),
    )
    for way, told in ways:
        if _is_known(map(way, foreign)):
            return told
    if any(_may_be_known(header) for header in headers if "?" in header):
        return "the headers have lost their accents ('?'): export the file again from the original, as CSV UTF-8"
    return ""


def _is_known(headers: Iterable[str]) -> bool:
    return any(header_key(header) in HEADINGS for header in headers)


def _may_be_known(header: str) -> bool:
    """Tell whether a known header comes out with some letter in place of each `?` that stands in a word."""
    pattern = re.compile(".".join(re.escape(header_key(part)) for part in _LOST_ACCENT.split(header)))
    return any(map(pattern.fullmatch, HEADINGS))


def _once_more(text: str) -> str:
    """Return what comes out if the characters are taken for the bytes of Windows-1252, and these for UTF-8."""
    try:
        return b"".join(map(_byte, text)).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _byte(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1", "replace")  # five bytes are no characters of Windows-1252


def _from_vni(text: str) -> str:
    return "".join(_VNI.get(character.lower(), character) for character in _VNI_MARKS.sub("", text))


def _from_tcvn3(text: str) -> str:
    return "".join(_TCVN3.get(character, character) for character in text)
