"""Telephone numbers: every spelling of one customer's number is one key. Import from here; `number` reads them."""

from bridge.sdk.phone.number import PhoneNumber, holds, parse_all, read_number
from bridge.sdk.phone.own_spellings import OwnSpellings

__all__ = [
    "OwnSpellings",
    "PhoneNumber",
    "holds",
    "parse_all",
    "read_number",
]
