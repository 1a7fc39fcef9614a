"""What may be shown of a line: no secret, no telephone number, nothing that steers a terminal or turns the reading."""

import re
from collections.abc import Callable, Iterator

from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.readings import Span, masked
from bridge.sdk.words import with_signs

_SOUGHT = re.compile(
    r"(?P<shown>"
    r"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?![\d-])(?:[ T]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[+-]\d\d:\d\d)?)?"
    r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r")|\+?\d(?:[\s.()_\u2010-\u2015-]{0,2}\d){8,}"
)
"""A moment or an id, which are shown, or as many digits as a telephone number has, whatever they are glued to."""

_DIGIT = re.compile(r"\d")
_SHOWN = 3
_MASK = "…"


class LineMask:
    """Masks what a line may not show; `redaction` knows the secrets."""

    def __init__(self, redaction: Callable[[str], str]) -> None:
        self._redaction = redaction

    def __call__(self, line: str, caller: PhoneNumber | None = None) -> str:
        """Return the line with the caller's number, and whatever else looks like one, down to the last digits."""
        known = caller.masked_in(line) if caller else line
        return with_signs(masked(self._redaction(known), _numbers, _MASK))


def _numbers(text: str) -> Iterator[Span]:
    """Find all of each telephone number but its last digits."""
    for found in _SOUGHT.finditer(text):
        if found["shown"] is None:
            last = [digit.start() for digit in _DIGIT.finditer(text, *found.span())][-_SHOWN]
            yield found.start(), last
