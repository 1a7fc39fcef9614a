"""The spellings of a number that the templates of the rest connector know, and which of them say whose number it is.

What a search with `match: exact` finds is not compared again. A CRM may keep digits without `+` and compare these: then
`951234567` is +95 1234567 of Yangon as well as 095 1234567 of a Vietnamese who was typed without his zero. So such a
search is made only with spellings whose digits are the caller's, be they read with `+` or without.
"""

from collections.abc import Callable, Mapping
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


_MAKERS: Mapping[str, Callable[[OwnSpellings], object]] = {
    "e164": lambda own: own.number.e164,
    "digits": lambda own: own.number.digits,
    "national": lambda own: own.national or own.number.e164,
    "nsn": lambda own: own.nsn or own.number.digits,
    "nsns": lambda own: [own.nsn or own.number.digits, *own.number.nsns[1:]],
    "legacy": lambda own: own.number.legacy,
    "interleaved": lambda own: own.interleaved,
    "forms": lambda own: list(own.number.forms),
    "all": lambda own: list(own.number.likely_forms),
    "national_at_home": lambda own: own.number.national_at_home,
    "nsn_at_home": lambda own: own.number.nsn_at_home,
}


class _MadeWhenAskedFor(Spellings):
    """Those of one number: a template asks for one of them, and all of them together take a while."""

    def __init__(self, own: OwnSpellings) -> None:
        super().__init__()
        self._own = own

    def __missing__(self, form: str) -> object:
        made = self[form] = _MAKERS[form](self._own)
        return made


class TemplateSpellings:
    """The spellings of one number, made when they are first asked for."""

    def __init__(self, number: PhoneNumber, region: str) -> None:
        self._own = OwnSpellings(number, region)

    @cached_property
    def all(self) -> Spellings:
        """All of them; those of a foreign number have its code: without, it might be somebody else's in the region."""
        return _MadeWhenAskedFor(self._own)

    @cached_property
    def certain(self) -> Spellings | None:
        """Those for a search whose answer is not compared again; None if the number has no certain one."""
        found, is_certain = Spellings({form: self.all[form] for form in _MAKERS}), self._own.is_certain
        if not is_certain(found["e164"]):
            return None
        for form, instead in (("national", "e164"), ("nsn", "national"), ("legacy", None)):
            if not is_certain(found[form]):
                found[form] = found[instead] if instead else ""
        found.update(national_at_home=found["national"], nsn_at_home=found["nsn"])
        for several in ("forms", "all", "nsns"):
            found[several] = [form for form in found[several] if is_certain(form)]
        return found
