"""A text as it may have been before others wrote it down: what is to be hidden is known again in every escape.

A CRM quotes what it was asked as JSON, as a part of an address, as HTML, or as one of these inside another. So a text
is read as it is, and again with one layer of escapes undone, until there is none left; whatever is found in a reading
is masked where it stands in the text. Each reading is made in one pass, and there are five layers at most. A text
without escapes and tags has one reading.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

_MOST = 5
_HEX = "[0-9A-Fa-f]"
_ESCAPE = re.compile(
    rf"(?:%[89A-Fa-f]{_HEX})+|%[0-7]{_HEX}"
    rf"|(?:\\x[89A-Fa-f]{_HEX})+|\\x[0-7]{_HEX}"
    rf"|\\u[Dd][89ABab]{_HEX}{{2}}\\u[Dd][C-Fc-f]{_HEX}{{2}}|\\u{_HEX}{{4}}|\\[^\w\s]"
    r"|&(?:#[0-9]{1,7}|#[Xx][0-9A-Fa-f]{1,6}|[A-Za-z][0-9A-Za-z]{1,30});"
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_BEGINS = re.compile(r"[%\\&<]")
_SIGNS = re.compile(r"%|\\[xu]")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text that was read out of another, and where in that one each of its characters begins and ends."""

    text: str
    begins: Sequence[int]
    ends: Sequence[int]

    def without(self, pattern: re.Pattern[str], meaning: Callable[[str], str]) -> "_Reading":
        """Return what is read if everything that matches is replaced by its meaning."""
        text: list[str] = []
        begins: list[int] = []
        ends: list[int] = []
        done = 0
        for found in pattern.finditer(self.text):
            start, end = found.span()
            meant = meaning(found[0])
            text += (self.text[done:start], meant)
            begins += (*self.begins[done:start], *[self.begins[start]] * len(meant))
            ends += (*self.ends[done:start], *[self.ends[end - 1]] * len(meant))
            done = end
        text.append(self.text[done:])
        begins += self.begins[done:]
        ends += self.ends[done:]
        return _Reading("".join(text), begins, ends)


def masked(text: str, find: Callable[[str], Iterable[Span]], mask: str) -> str:
    """Return the text with a mask wherever `find` finds something in one of its readings."""
    spans = sorted(
        (reading.begins[start], reading.ends[end - 1])
        for reading in _readings(text)
        for start, end in find(reading.text)
    )
    if not spans:
        return text
    parts: list[str] = []
    done = 0
    for start, end in spans:
        if start >= done:
            parts += (text[done:start], mask)
        done = max(done, end)
    return "".join((*parts, text[done:]))


def unescaped(text: str) -> str:
    """Return the text with all its escapes undone."""
    return list(_layers(text))[-1].text


def is_plain(text: str) -> bool:
    """Tell whether a text has one reading, for there is nothing in it that an escape or a tag begins with."""
    return _BEGINS.search(text) is None


def _readings(text: str) -> Iterator[_Reading]:
    """Return the text with none, one, two, … layers of its escapes undone, each of them also without tags of HTML."""
    for layer in _layers(text):
        yield layer
        if "<" in layer.text:
            yield layer.without(_TAG, lambda _tag: "")


def _layers(text: str) -> Iterator[_Reading]:
    layer = _Reading(text, range(len(text)), range(1, len(text) + 1))
    for _ in range(_MOST):
        yield layer
        inner = layer.without(_ESCAPE, _meaning) if _ESCAPE.search(layer.text) else layer
        if inner.text == layer.text:
            return
        layer = inner


def _meaning(escape: str) -> str:
    """Return the characters that one escape stands for."""
    if escape.startswith("&"):
        return html.unescape(escape)
    if escape.startswith("\\u"):
        return bytes.fromhex(_SIGNS.sub("", escape)).decode("utf-16-be", "replace")
    if escape[:2] != "\\x" and escape.startswith("\\"):
        return escape[1:]
    data = bytes.fromhex(_SIGNS.sub("", escape))
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
