"""OMICall's question as it arrives, in texts, and what it means: a call.

OMICall documents no number format; its own pages show `0983223566` and `842499950291`, and a `+` that was not encoded
arrives as a blank.
"""

import logging
import re
from collections.abc import Callable, Sequence

from bridge.sdk.connector import Call
from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone.number import PhoneNumber

_log = logging.getLogger(__name__)

_LOST_PLUS = re.compile(r" (?=[1-9])")


def read_call(callers: Sequence[str], hotline: str, region: str, explain: Callable[[str], None] | None = None) -> Call:
    """Read the caller, given once or several times, and the hotline, which may be missing or unreadable.

    Raises InvalidNumber if there is no number that an owner could be looked up for.
    """
    numbers = {PhoneNumber.parse(_restore_plus(text), region) for text in callers}
    if len(numbers) > 1:
        raise InvalidNumber("given several times, with different numbers")
    caller, dialled = numbers.pop(), _hotline(hotline, region)
    return Call(caller, dialled, explain) if explain else Call(caller, dialled)


def _hotline(text: str, region: str) -> PhoneNumber | None:
    """Read the number that was dialled; what cannot be read is no known hotline."""
    try:
        return PhoneNumber.parse(_restore_plus(text), region) if text.strip() else None
    except InvalidNumber as error:
        _log.info("sipNumber is no telephone number: %s", error)
        return None


def _restore_plus(text: str) -> str:
    return _LOST_PLUS.sub("+", text, count=1) if text.startswith(" ") else text
