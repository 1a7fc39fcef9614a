"""The spellings of a number that the templates of the rest connector know, and which of them say whose number it is.

What a search with `match: exact` finds is not compared again. A CRM may keep digits without `+` and compare these: then
`951234567` is +95 1234567 of Yangon as well as 095 1234567 of a Vietnamese who was typed without his zero. So such a
search is made only with spellings whose digits are the caller's, be they read with `+` or without.
"""

from typing import Any

from bridge.sdk import InvalidNumber, PhoneNumber, holds
from connectors.rest.config.steps import FORMS


class Spellings(dict[str, Any]):
    """The spellings of a number for templates; `{% if hotline %}` tells whether there is one."""

    def __bool__(self) -> bool:
        return bool(self["e164"])


def spellings(number: PhoneNumber | None, region: str) -> Spellings:
    """Return them all; those of a foreign number have its code: without, it might be somebody else's in `region`."""
    found = Spellings({form: getattr(number, form, "") for form in FORMS}, forms=list(number.forms) if number else [])
    if number and not holds(number.national, number, region):
        interleaved = "".join(f"%{digit}" for digit in number.digits)
        found.update(national=number.e164, nsn=number.digits, interleaved=interleaved)
    return found


def certain_spellings(number: PhoneNumber, region: str) -> Spellings | None:
    """Return those for a search whose answer is not compared again; None if the number has no certain one."""
    found = spellings(number, region)
    if not _is_certain(number.digits, number, region):
        return None
    for form, instead in (("national", "e164"), ("nsn", "national"), ("legacy", None)):
        if not _is_certain(found[form], number, region):
            found[form] = found[instead] if instead else ""
    found["forms"] = [form for form in found["forms"] if _is_certain(form, number, region)]
    return found


def _is_certain(text: str, number: PhoneNumber, region: str) -> bool:
    """Tell whether these digits, with and without `+`, are this number or none."""
    digits = text.removeprefix("+")
    return all(_read(written, region) in {None, number} for written in (digits, f"+{digits}"))


def _read(text: str, region: str) -> PhoneNumber | None:
    try:
        return PhoneNumber.parse(text, region)
    except InvalidNumber:
        return None
