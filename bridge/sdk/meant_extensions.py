"""What was meant by a text that is no extension, the same in the configuration and in tables."""

import re
from collections.abc import Callable, Sequence

_RANGE = re.compile(r"([0-9]{1,6})\s*(?:-|\.{2,3}|to|đến|tới|~|[\u2010-\u2015\u2026\u2192])\s*([0-9]{1,6})")
_SEVERAL = re.compile(r"[0-9]{1,6}(?:\s*[/;:,|&+]\s*[0-9]{1,6})+")
_GLUED_REMARK = re.compile(r"[0-9]+#")
_LONGEST_RANGE = 20


def what_was_meant(text: str, written_together: Callable[[Sequence[str]], str]) -> str:
    """Say what to write instead; nothing if that cannot be told.

    `written_together` says how several extensions are written where the text stands.
    """
    text = text.strip()
    if (found := _RANGE.fullmatch(text)) and int(found[1]) < int(found[2]):
        return f"a range is written out, one by one: {written_together(_numbers_between(*found.groups()))}"
    if _SEVERAL.fullmatch(text):
        return f"several extensions are written {written_together(re.findall('[0-9]+', text))}"
    if _GLUED_REMARK.match(text):
        return "a blank is missing before the # of a remark"
    if "@" in text:
        return "the owner stands first, then the extension, as in lan@congty.example: 101"
    return ""


def _numbers_between(first: str, last: str) -> Sequence[str]:
    numbers = range(int(first), int(last) + 1)
    if len(first) != len(last) or len(numbers) > _LONGEST_RANGE:
        return (first, "…", last)
    return [str(number).zfill(len(first)) for number in numbers]
