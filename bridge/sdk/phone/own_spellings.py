"""The spellings of a number that are nobody else's, for whoever asks a source that cannot be told the country.

Without `+` a number of another country may be somebody's here: 951234567 is a mobile number in Vietnam, +951234567 one
in Myanmar. Every spelling is therefore read again as the source's region would read it. That is dear for a number of
another country, so it is done once for each spelling: make one of these for a call, and ask it throughout.
"""

from functools import cached_property

from bridge.sdk.phone.number import PhoneNumber, read_number


class OwnSpellings:
    """A number's spellings, and whose number each of them is in `region`; for one thread at a time."""

    def __init__(self, number: PhoneNumber, region: str) -> None:
        self.number = number
        self._region = region
        self._readings: dict[str, PhoneNumber | None] = {}

    @cached_property
    def national(self) -> str:
        """The number as it is written in the region; empty for one of another country."""
        return self.number.national_in(self._region) if self.number.is_of(self._region) else ""

    @cached_property
    def nsn(self) -> str:
        """The number without country code and leading zero; empty for one of another country."""
        return self.number.nsn_at_home if self.number.is_of(self._region) else ""

    @cached_property
    def interleaved(self) -> str:
        """The pattern for LIKE; that of another country's number begins with its code."""
        return self.number.interleaved_in(self._region)

    def is_nobody_elses(self, text: str) -> bool:
        """Tell whether the text is this number in `region`, or none."""
        return self._read(text) in {self.number, None}

    def is_certain(self, text: str) -> bool:
        """Tell whether the text's digits are this number or none, be they read with `+` or without."""
        digits = text.removeprefix("+")
        return self.is_nobody_elses(digits) and self.is_nobody_elses(f"+{digits}")

    def _read(self, text: str) -> PhoneNumber | None:
        if text not in self._readings:
            self._readings[text] = read_number(text, self._region)
        return self._readings[text]
