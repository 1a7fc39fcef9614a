"""What may be shown of a line: no secret, no telephone number, nothing that steers a terminal or turns the reading."""

import re
from collections.abc import Callable

from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.words import with_signs

_NUMBER = re.compile(r"(?<![\w.-])\+?\d(?:[ .()-]{0,2}\d){8,}(?![\w-])")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHOWN = 3


class LineMask:
    """Masks what a line may not show; `redaction` knows the secrets."""

    def __init__(self, redaction: Callable[[str], str]) -> None:
        self._redaction = redaction

    def __call__(self, line: str, caller: PhoneNumber | None = None) -> str:
        """Return the line with the caller's number, and whatever else looks like one, down to the last digits."""
        known = caller.masked_in(line) if caller else line
        return with_signs(_NUMBER.sub(_masked, self._redaction(known)))


def _masked(found: re.Match[str]) -> str:
    if _MOMENT.match(found[0]):
        return found[0]
    return "…" + re.sub(r"\D", "", found[0])[-_SHOWN:]
