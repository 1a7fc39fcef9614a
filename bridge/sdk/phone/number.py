"""Telephone numbers: every spelling of one customer's number is one key, and no two customers share a key.

The key is E.164. libphonenumber reads the numbers of the world; Vietnam's own come from `bridge.sdk.phone.vietnam`,
since libphonenumber knows neither the renumberings nor, going by *valid*, many numbers in service. The bulk of a file
is plain Vietnamese digits: one pattern reads these at a twentieth of the cost, with the same result.

`00` means `+` everywhere. Without either a number belongs to the region: `821012345678` is not Korean.
"""

import re
from dataclasses import dataclass

import phonenumbers

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import spelling, vietnam

_PLUS_84 = f"+{vietnam.COUNTRY_CODE}"
_LONGEST_FIELD = 500  # characters
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")  # the standard's 15 digits at most; fewer than 7 are short codes
_VIETNAMESE = re.compile(r"(\+84|0084|84)?0?([1-9][0-9]{7,9})")


@dataclass(frozen=True, slots=True, order=True, repr=False)
class PhoneNumber:
    """A telephone number, made by `parse`. Two are the same customer's exactly if their `e164` is equal.

    `str` and `repr` show the last three digits only, so that no log line gives a caller away by accident.
    """

    e164: str

    @classmethod
    def parse(cls, text: str, region: str = "VN") -> "PhoneNumber":
        """Read one number in any usual spelling; an extension behind it is dropped.

        `region` (ISO 3166) is the country of numbers written without `+` or `00`. Raises InvalidNumber for a withheld
        number, an internal extension, a short code and everything else that no customer can call from.
        """
        return cls(_read_vietnamese(text, region) or _read(text, region))

    @property
    def digits(self) -> str:
        """The number with its country code: `84983223566`."""
        return self.e164[1:]

    @property
    def national(self) -> str:
        """The number as dialled inside its country, digits only: `0983223566`."""
        if self._vietnamese:
            return vietnam.national(self.nsn)
        written = phonenumbers.format_number(phonenumbers.parse(self.e164), phonenumbers.PhoneNumberFormat.NATIONAL)
        return "".join(filter(str.isdigit, written))

    @property
    def nsn(self) -> str:
        """The national significant number, without country code and leading zero: `983223566`."""
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
        return "".join(f"%{digit}" for digit in self.nsn)

    @property
    def forms(self) -> tuple[str, ...]:
        """The spellings without separators that a source may hold, most likely first.

        Each of them, parsed in Vietnam, is this number again. A foreign number has therefore none without `+` or `00`.
        """
        if not self._vietnamese:
            return (self.e164, f"00{self.digits}")
        nsns = (self.nsn, vietnam.before(self.nsn))
        spellings = ((vietnam.national(nsn), f"+84{nsn}", f"84{nsn}", nsn, f"0084{nsn}") for nsn in nsns if nsn)
        return tuple(dict.fromkeys(spelling for spellings_of_one in spellings for spelling in spellings_of_one))

    @property
    def masked(self) -> str:
        """What logs may show: the last three digits."""
        return f"…{self.e164[-3:]}"

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"PhoneNumber({self.masked})"

    @property
    def _vietnamese(self) -> bool:
        return self.e164.startswith(_PLUS_84)


def read_number(text: str, region: str = "VN") -> PhoneNumber | None:
    """Read one number as `PhoneNumber.parse` does; None if it is none."""
    try:
        return PhoneNumber.parse(text, region)
    except InvalidNumber:
        return None


def parse_all(text: str, region: str = "VN") -> tuple[PhoneNumber, ...]:
    """Read every number of a field such as `0901234567 / (028) 3812-3456 ext 12; Lan: 0912345678`.

    What cannot be read beside a number is passed over; what can be read in two ways counts as unreadable. Nothing for
    a field without letters and digits. Raises InvalidNumber if something is there, but no number.
    """
    if len(text) > _LONGEST_FIELD:
        raise InvalidNumber(f"longer than {_LONGEST_FIELD} characters")
    field = spelling.to_ascii(text)
    number = None if spelling.ALTERNATIVE.search(field) else read_number(field, region)
    if number and number.e164.startswith(_PLUS_84):  # no two whole numbers are as short as the longest spelling of one
        return (number,)
    if not any(map(str.isalnum, field)):
        return ()
    numbers = dict.fromkeys(number for part in spelling.parts(field) for number in _alternatives(part, region))
    if not numbers:
        raise InvalidNumber("no telephone number can be read with certainty")
    return tuple(numbers)


def _alternatives(part: str, region: str) -> list[PhoneNumber]:
    """Read a part in which a slash or a spaced dash may stand inside a number or between two."""
    pieces = [_succession(piece, region) for piece in spelling.ALTERNATIVE.split(part)]
    apart = [number for piece in pieces for number in piece]
    if all(pieces):
        return apart
    together = read_number(part, region)
    if together is None or apart == [together]:
        return apart
    return [] if apart else [together]


def _succession(part: str, region: str) -> list[PhoneNumber]:
    """Read a part in which a blank or a dash stands between numbers only if all its pieces are numbers."""
    for separator in spelling.SUCCESSIONS:
        pieces = separator.split(part.strip())
        numbers = [number for piece in pieces if (number := read_number(piece, region))]
        if len(numbers) == len(pieces):
            return numbers
    whole = read_number(part, region)
    return [whole] if whole else []


def _read(text: str, region: str) -> str:
    """Return the E.164 form of one number, however it is written. Raises InvalidNumber."""
    number = spelling.dialled(text)
    return _read_vietnamese(number, region) or _read_worldwide(number, region)


def _read_vietnamese(number: str, region: str) -> str | None:
    """Read a Vietnamese number without separators, as `_read_worldwide` would; None if it is not obviously one."""
    found = _VIETNAMESE.fullmatch(number)
    if found is None or (region != "VN" and found[1] not in {"+84", "0084"}):
        return None
    nsn = vietnam.normalise(found[2])
    return None if nsn is None else f"+84{nsn}"


def _read_worldwide(number: str, region: str) -> str:
    """Read a number without separators by libphonenumber. Raises InvalidNumber.

    *Possible* is asked and never *valid*, which lags behind what carriers put in service.
    """
    if number.startswith("00"):
        number = f"+{number[2:]}"
    try:
        parsed = phonenumbers.parse(number, region)
        e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
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


def holds(text: str | None, number: PhoneNumber, region: str = "VN") -> bool:
    """Tell whether a field holds the number, compared whole; a field that is empty or unreadable holds none."""
    try:
        return number in parse_all(text or "", region)
    except InvalidNumber:
        return False
