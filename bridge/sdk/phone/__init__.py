"""Telephone numbers: every spelling of one customer's number is one key. Import from here; `number` reads them."""

from bridge.sdk.phone.number import PhoneNumber, holds, parse_all

__all__ = [
    "PhoneNumber",
    "holds",
    "parse_all",
]
