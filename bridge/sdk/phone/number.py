"""Telephone numbers: every spelling of one customer's number is one key, and no two customers share a key.

The key is E.164. libphonenumber reads the numbers of the world; Vietnam's own come from `bridge.sdk.phone.vietnam`,
since libphonenumber knows neither the renumberings nor, going by *valid*, many numbers in service. The bulk of a file
is plain Vietnamese digits: one pattern reads these at a twentieth of the cost, with the same result.

`00` means `+` everywhere. Without either a number belongs to the region. One that can be no Vietnamese number and is
valid with a plus in front has lost it: `6591234567`, as Excel leaves numbers of Singapore behind.

A spelling that here would be somebody else's number is none: what a connector reaches for keeps its country code.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import spelling, vietnam
from bridge.sdk.phone.countries import country_of
from bridge.sdk.readings import Span, masked

HOME = "VN"

_PLUS_84 = f"+{vietnam.COUNTRY_CODE}"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")  # the standard's 15 digits at most; fewer than 7 are short codes
_VIETNAMESE = re.compile(r"(\+84|0084|84)?0?([1-9][0-9]{7,9})")
_DOUBLED = re.compile(r"(\+|00)?840{0,2}840?([1-9][0-9]{8,9})")
_LOST_PLUS = re.compile(r"(?!84)[1-9][0-9]{9,14}")  # 8 and 9 digits are those of Vietnam's hotlines and mobiles
_DIGIT = re.compile(r"\d")
_LONGEST_CODE = 5  # 00 and a country's code, or 84 and a zero


@dataclass(frozen=True, slots=True, order=True, repr=False)
class PhoneNumber:
    """A telephone number, made by `parse`. Two are the same customer's exactly if their `e164` is equal.

    `str` and `repr` show the last three digits only, so that no log line gives a caller away by accident.
    """

    e164: str

    @classmethod
    def parse(cls, text: str, region: str = HOME) -> "PhoneNumber":
        """Read one number in any usual spelling; an extension behind it is dropped.

        `region` (ISO 3166) is the country of numbers written without `+` or `00`. Raises InvalidNumber for a withheld
        number, an internal extension, a short code and everything else that no customer can call from.
        """
        return cls(read_vietnamese(text, region) or _read_somehow(text, region))

    @property
    def digits(self) -> str:
        """The number with its country code: `84983223566`. With `+` if without it would be somebody else's here."""
        digits = self.e164[1:]
        return digits if self._vietnamese or read_vietnamese(digits, HOME) is None else self.e164

    @property
    def national(self) -> str:
        """The number as it is written in Vietnam: `0983223566`, and `+66812345678` for one of another country."""
        return self.national_in(HOME)

    @property
    def nsn(self) -> str:
        """The national significant number, without country code and leading zero: `983223566`.

        A number of another country keeps its code, `66812345678`: without, its digits would be somebody else's here.
        """
        return self.nsn_in(HOME)

    @property
    def nsns(self) -> tuple[str, ...]:
        """The `nsn` of today and that of before Vietnam's renumberings, for a search that finds parts of a field."""
        return tuple(filter(None, (self.nsn, vietnam.before(self.nsn) if self._vietnamese else "")))

    def national_in(self, region: str) -> str:
        """Return the number as it is written in `region`, digits only; with `+` and code if it is no number of it."""
        return self.national_at_home if self.is_of(region) else self.e164

    def nsn_in(self, region: str) -> str:
        """Return the significant number in `region`; the digits with their code if it is no number of it."""
        return self.nsn_at_home if self.is_of(region) else self.digits

    @property
    def national_at_home(self) -> str:
        """The number as it is written in its own country, which is somebody else's in any other; see `nsn_at_home`."""
        if self._vietnamese:
            return vietnam.national(self.nsn_at_home)
        written = phonenumbers.format_number(phonenumbers.parse(self.e164), phonenumbers.PhoneNumberFormat.NATIONAL)
        return "".join(filter(str.isdigit, written))

    @property
    def nsn_at_home(self) -> str:
        """The national significant number in the number's own country, which is somebody else's in any other.

        Ask a source for it only if it keeps the country beside, and what it finds is read by that; else `nsn` is right.
        """
        if self._vietnamese:
            return self.e164[3:]
        return phonenumbers.national_significant_number(phonenumbers.parse(self.e164))

    @property
    def legacy(self) -> str:
        """The national spelling before Vietnam's renumberings of 2017 and 2018: `01201234567`.

        Empty where there was none, and where it has come to mean somebody else's number.
        """
        old = vietnam.before(self.nsn) if self._vietnamese else ""
        return old and vietnam.national(old)

    @property
    def interleaved(self) -> str:
        """A pattern for SQL's LIKE that passes over separators: `%9%8%3%2%2%3%5%6%6`.

        It also finds longer numbers, so what it finds has to be compared as numbers.
        """
        return self.interleaved_in(HOME)

    def interleaved_in(self, region: str) -> str:
        """Return the pattern that finds the number as it is written in `region`."""
        return "".join(f"%{digit}" for digit in self.nsn_in(region).removeprefix("+"))

    @property
    def forms(self) -> tuple[str, ...]:
        """The spellings without separators that a source may hold, most likely first, to be asked for all at once.

        Each of them, parsed in Vietnam, is this number again.
        """
        if not self._vietnamese:
            lost_plus = (self.e164[1:],) if _read_without_plus(self.e164[1:]) == self.e164 else ()
            return (*self.likely_forms, *lost_plus)
        with_zero = (f"84{vietnam.national(nsn)}" for nsn in self.nsns if not vietnam.is_hotline(nsn))
        return (*self.likely_forms, *with_zero)  # what is left of +84 (0) …

    @property
    def likely_forms(self) -> tuple[str, ...]:
        """Those `forms` that are worth a request each."""
        if not self._vietnamese:
            return (self.e164, f"00{self.e164[1:]}")
        spellings = ((vietnam.national(nsn), f"+84{nsn}", f"84{nsn}", nsn, f"0084{nsn}") for nsn in self.nsns)
        return tuple(dict.fromkeys(spelling for spellings_of_one in spellings for spelling in spellings_of_one))

    @property
    def country(self) -> str:
        """What the number's country is called in English."""
        return country_of(self.e164)

    def is_of(self, region: str) -> bool:
        """Tell whether it has the country code of `region`."""
        if self._vietnamese or region == HOME:
            return self._vietnamese and region == HOME
        return bool(phonenumbers.country_code_for_region(region) == phonenumbers.parse(self.e164).country_code)

    @property
    def is_valid(self) -> bool:
        """Whether libphonenumber knows it as assigned, which some numbers in service are not."""
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(self.e164)))

    @property
    def masked(self) -> str:
        """What logs may show: the last three digits."""
        return f"…{self.e164[-3:]}"

    def masked_in(self, text: str) -> str:
        """Return the text with the number masked wherever it stands, whatever stands between its digits."""
        return masked(text, self._find, self.masked)

    def _find(self, text: str) -> Iterator[Span]:
        """Find the number in the digits of the text; what else is between them does not count."""
        places = [found.start() for found in _DIGIT.finditer(text)]
        digits = "".join(str(int(text[place])) for place in places)
        for nsn in {self.nsn_at_home, *self.nsns} - {self.e164}:
            for found in re.finditer(nsn, digits):
                first = found.start()
                while first and found.start() - first < _LONGEST_CODE and places[first - 1] == places[first] - 1:
                    first -= 1
                start = places[first]
                yield start - (text[start - 1 : start] == "+"), places[found.end() - 1] + 1

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"PhoneNumber({self.masked})"

    @property
    def _vietnamese(self) -> bool:
        return self.e164.startswith(_PLUS_84)


def read_number(text: str, region: str = HOME) -> PhoneNumber | None:
    """Read one number as `PhoneNumber.parse` does; None if it is none."""
    try:
        return PhoneNumber.parse(text, region)
    except InvalidNumber:
        return None


def read_vietnamese(number: str, region: str) -> str | None:
    """Read a Vietnamese number without separators, as `read` would; None if it is not obviously one."""
    found = _VIETNAMESE.fullmatch(number)
    if found is None or (region != HOME and found[1] not in {"+84", "0084"}):
        return None
    nsn = vietnam.normalise(found[2])
    return None if nsn is None else f"+84{nsn}"


def read(text: str, region: str) -> str:
    """Return the E.164 form of one number that says what it is, however it is written. Raises InvalidNumber."""
    number = spelling.dialled(text)
    if number.startswith("+0"):  # the plus belongs to a country code, and here is none
        number = number[1:]
    return read_vietnamese(number, region) or _read_doubled(number, region) or _read_worldwide(number, region)


def read_abroad(text: str) -> str | None:
    """Read a number of another country that has lost its plus, which `read` refuses; None if it is not certainly one.

    It is one if its length is no Vietnamese number's and libphonenumber calls it *valid*. Of Vietnamese mobiles with a
    digit too many some 7 % look so as well: whoever can has to show what was taken for what.
    """
    try:
        number = spelling.dialled(text)
    except InvalidNumber:
        return None
    e164 = _read_without_plus(number)
    if e164 is None:
        return None
    code = str(phonenumbers.parse(e164).country_code)
    return e164 if spelling.first_digits(text) in {number, code} else None


def is_doubtful(number: PhoneNumber) -> bool:
    """Tell whether its country does not have it, and Vietnam has it without the plus: `+901234567`, `00901234567`."""
    return not number.is_of(HOME) and read_vietnamese(number.e164[1:], HOME) is not None and not number.is_valid


def _read_somehow(text: str, region: str) -> str:
    try:
        return read(text, region)
    except InvalidNumber:
        abroad = read_abroad(text) if region == HOME else None
        if abroad is None:
            raise
        return abroad


def _read_without_plus(number: str) -> str | None:
    if not _LOST_PLUS.fullmatch(number) or read_vietnamese(number, HOME):
        return None
    try:
        parsed = phonenumbers.parse(f"+{number}")
    except phonenumbers.NumberParseException:
        return None
    e164: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return e164 if e164 == f"+{number}" and phonenumbers.is_valid_number(parsed) else None


def _read_doubled(number: str, region: str) -> str | None:
    """Read a Vietnamese number whose country code was written twice: no number of today is as long."""
    found = _DOUBLED.fullmatch(number)
    if found is None or (region != HOME and not found[1]):
        return None
    nsn = vietnam.normalise(found[2])
    return None if nsn is None or vietnam.is_hotline(nsn) else f"+84{nsn}"


def _read_worldwide(number: str, region: str) -> str:
    """Read a number without separators by libphonenumber. Raises InvalidNumber.

    *Possible* is asked and never *valid*, which lags behind what carriers put in service.
    """
    if number.startswith("00"):
        number = f"+{number[2:]}"
    try:
        parsed = phonenumbers.parse(number, region)
        e164: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        again = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        raise InvalidNumber("too short, or no country's number") from None
    if parsed.country_code == vietnam.COUNTRY_CODE:
        nsn = vietnam.normalise(phonenumbers.national_significant_number(parsed))
        if nsn is None:
            raise InvalidNumber("no Vietnamese number has this length and prefix")
        return f"+84{nsn}"
    possible = phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE
    if not possible or not _E164.fullmatch(e164):
        raise InvalidNumber("no number of its country has this length")
    if again != parsed:
        raise InvalidNumber("it would be another number when read again")
    return e164
