"""Telephone numbers: every spelling of one customer's number is one key. Import from here.

`number` reads one, `field` whatever stands in a source's field; `countries` knows what countries are called.
"""

from bridge.sdk.phone.countries import region_named
from bridge.sdk.phone.field import FieldReading, holds, holds_any, parse_all, read_field
from bridge.sdk.phone.number import PhoneNumber, read_number
from bridge.sdk.phone.own_spellings import OwnSpellings
from bridge.sdk.phone.unread import Unread, unread_told_to

__all__ = [
    "FieldReading",
    "OwnSpellings",
    "PhoneNumber",
    "Unread",
    "holds",
    "holds_any",
    "parse_all",
    "read_field",
    "read_number",
    "region_named",
    "unread_told_to",
]
