"""The spellings of a number that the templates of the rest connector know, and which of them say whose number it is.

What a search with `match: exact` finds is not compared again. A CRM may keep digits without `+` and compare these: then
`951234567` is +95 1234567 of Yangon as well as 095 1234567 of a Vietnamese who was typed without his zero. So such a
search is made only with spellings whose digits are the caller's, be they read with `+` or without.
"""

from functools import cached_property, lru_cache
from typing import Any

from bridge.sdk import PhoneNumber
from bridge.sdk.phone import OwnSpellings
from connectors.rest.config.steps import FORMS


class Spellings(dict[str, Any]):
    """The spellings of a number for templates; `{% if hotline %}` tells whether there is one."""

    def __bool__(self) -> bool:
        return bool(self["e164"])


NO_SPELLINGS = Spellings(dict.fromkeys(FORMS, ""), forms=[], nsns=[], all=[])
"""Those of a number that is not known."""


@lru_cache(maxsize=256)
def of_hotline(hotline: PhoneNumber, region: str) -> Spellings:
    """Return those of a hotline, which many calls have."""
    return TemplateSpellings(hotline, region).all


class TemplateSpellings:
    """The spellings of one number, made when they are first asked for."""

    def __init__(self, number: PhoneNumber, region: str) -> None:
        self._own = OwnSpellings(number, region)

    @cached_property
    def all(self) -> Spellings:
        """All of them; those of a foreign number have its code: without, it might be somebody else's in the region."""
        own, number = self._own, self._own.number
        return Spellings(
            e164=number.e164,
            digits=number.digits,
            national=own.national or number.e164,
            nsn=own.nsn or number.digits,
            nsns=[own.nsn or number.digits, *number.nsns[1:]],
            legacy=number.legacy,
            interleaved=own.interleaved,
            forms=list(number.forms),
            all=list(number.likely_forms),
            national_at_home=number.national_at_home,
            nsn_at_home=number.nsn_at_home,
        )

    @cached_property
    def certain(self) -> Spellings | None:
        """Those for a search whose answer is not compared again; None if the number has no certain one."""
        found, is_certain = Spellings(self.all), self._own.is_certain
        if not is_certain(found["e164"]):
            return None
        for form, instead in (("national", "e164"), ("nsn", "national"), ("legacy", None)):
            if not is_certain(found[form]):
                found[form] = found[instead] if instead else ""
        found.update(national_at_home=found["national"], nsn_at_home=found["nsn"])
        for several in ("forms", "all", "nsns"):
            found[several] = [form for form in found[several] if is_certain(form)]
        return found
