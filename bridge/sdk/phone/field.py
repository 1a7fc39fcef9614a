"""Fields with telephone numbers as people type them: every number that is certain, a word about each that is not.

A field is cut at whatever no number contains. No cut may make a number of a part of one: where digits go on beyond a
sign without a blank, both sides have to be whole numbers, or the one that counts has to be one that nothing could make
longer. What has seven digits or more and cannot be read is told to whoever listens, as are numbers hidden in part.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import spelling
from bridge.sdk.phone.countries import region_named, regions_in
from bridge.sdk.phone.number import HOME, PhoneNumber, is_doubtful, read_abroad, read_vietnamese
from bridge.sdk.phone.several import (
    FEWEST_DIGITS,
    UNCERTAIN,
    is_whole,
    numbers_of,
    others_in,
    second_number,
    written_in_full,
)
from bridge.sdk.phone.unread import Unread, tell

_LONGEST_FIELD = 500  # characters

_SIGNS_THAT_HIDE = r"[xX*#?_\u2022\u25cf\u00d7\u2217\u2026\u2588\u25a0]+"
_HIDING = re.compile(rf"{_SIGNS_THAT_HIDE}(?:\s+{_SIGNS_THAT_HIDE})*")
_LIST_SIGN = re.compile(r"[;|\r\n]")
_FIRST_LETTERS = re.compile(r"[^\W0-9_]+")
_LAST_LETTERS = re.compile(r"[^\W0-9_]+\Z")
_LIKE_DIGITS = frozenset("OoQIlSsBbZz")
_CODE = re.compile(r"[^0-9+]*(\+|00)?[^0-9+]*([1-9][0-9]{0,2})[^0-9+]*")
_WORD = re.compile(r"[^\W0-9_]{2}")
_WORDS = re.compile(r"[^\W0-9_]+(?: [^\W0-9_]+)*")

_FIRST_CUT = re.compile(r"(.*?)(/|\s-+\s)(.*)", re.DOTALL)
_LAST_CUT = re.compile(r"(.*)(/|\s-+\s)(.*?)", re.DOTALL)

_HIDDEN = "some of its digits are hidden"
_TORN = "digits that may belong to it stand apart from it"
_WHOSE = "without + it cannot be told whose country's it is"
_NO_COUNTRY = "as it is written, no country has it: write 0 or +84 in front, or its country's code"
_GOES_ON = "its digits go on behind something that no number has"


class FieldReading(NamedTuple):
    """What a field holds: `numbers`, each once, in order, and what `unread` parts there are.

    `assumed` are those numbers that were written without the plus of their country and may be slips instead. `lack`
    says why there is no number though something is written; empty for an empty field.
    """

    numbers: tuple[PhoneNumber, ...] = ()
    unread: tuple[Unread, ...] = ()
    assumed: tuple[PhoneNumber, ...] = ()
    lack: str = ""


def read_field(text: str, region: str = HOME, country: str = "") -> FieldReading:
    """Read a field such as `0901234567 / (028) 3812-3456 ext 12; Lan: 0912345678`.

    `region` is the country of numbers without `+` or `00`. `country` is what another field says about it, `+66`, `66`,
    `TH` or `Thailand`: it decides, and no number is taken for any other country's then.
    """
    if not country and (e164 := read_vietnamese(text, region)):
        return FieldReading((PhoneNumber(e164),))
    reading = _read(text, region, country)
    for unread in reading.unread:
        tell(unread)
    return reading


def parse_all(text: str, region: str = HOME) -> tuple[PhoneNumber, ...]:
    """Read every number of a field, as `read_field` does.

    What cannot be read beside a number is passed over; what can be read in two ways counts as unreadable. Nothing for
    a field without letters and digits. Raises InvalidNumber if something is there, but no number.
    """
    if e164 := read_vietnamese(text, region):
        return (PhoneNumber(e164),)
    reading = read_field(text, region)
    if reading.lack:
        raise InvalidNumber(reading.lack)
    return reading.numbers


def holds(text: str | None, number: PhoneNumber, region: str = HOME, country: str = "") -> bool:
    """Tell whether a field holds the number, compared whole; a field that is empty or unreadable holds none."""
    return number in read_field(text or "", region, country).numbers


def holds_any(texts: Iterable[str | None], number: PhoneNumber, region: str = HOME, country: str = "") -> bool:
    """Tell whether one of a record's fields holds the number."""
    held = [holds(text, number, region, country) for text in texts]  # all of them, so that each is told
    return any(held)


def _read(text: str, region: str, country: str) -> FieldReading:
    country = country.strip()
    if len(text) > _LONGEST_FIELD:
        return FieldReading(lack=(why := f"longer than {_LONGEST_FIELD} characters"), unread=(Unread("…", why),))
    named = region_named(country) if country else ""
    if country and not named:
        # only what says itself where it belongs
        region = "ZZ"
    field = spelling.plain(text)
    number = None if spelling.ALTERNATIVE.search(field) else written_in_full(field, named or region)
    if number and number.is_of(HOME):  # no two whole numbers are as short as the longest spelling of one
        second = second_number(field.rpartition(",")[2], number)  # or what an exchange dials behind a pause
        return FieldReading((number,), (second,) if second else ())
    if not any(map(str.isalnum, field)):
        return FieldReading()
    return _Field(field, named or region, guesses=not country).reading()


class _Stretch:
    """A stretch of what numbers consist of, and what is made of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digits = sum(map(str.isdigit, text))
        self.numbers: list[PhoneNumber] = []
        self.assumed = False
        self.reason = ""
        self.rest: list[Unread] = []

    @property
    def begins(self) -> bool:
        """Whether no digit can be missing in front of it."""
        return self.text.lstrip(" \t.-()[]/'")[:1] in {"0", "+"}

    @property
    def ends(self) -> bool:
        """Whether no digit can be missing behind it: one more would make no number."""
        return len(self.numbers) == 1 and self.numbers[0].is_of(HOME) and is_whole(self.text)

    def spoil(self, reason: str) -> None:
        self.numbers, self.reason, self.rest = [], self.reason or reason, []


class _Field:
    """One field, already `plain`, and its parts."""

    def __init__(self, field: str, region: str, *, guesses: bool) -> None:
        self._field = field
        self._region = region
        self._guesses = guesses and region == HOME
        self._is_told_country = not guesses and region != HOME
        self._is_alone = guesses
        texts, self._gaps = _with_hiding_apart(*spelling.stretches(field))
        self._stretches = [_Stretch(text) for text in texts]

    def reading(self) -> FieldReading:
        for stretch in self._stretches:
            if stretch.digits >= FEWEST_DIGITS:
                self._read(stretch)
        for gap, (left, right) in zip(self._gaps, pairwise(self._stretches), strict=True):
            _judge(left, gap, right)
            self._join(left, gap, right)
        numbers = tuple(dict.fromkeys(number for stretch in self._stretches for number in stretch.numbers))
        assumed = tuple(dict.fromkeys(n for stretch in self._stretches if stretch.assumed for n in stretch.numbers))
        unread = tuple(self._unread())
        if not numbers and not unread and sum(map(str.isdigit, self._field)) >= FEWEST_DIGITS:
            unread = (Unread(self._field, UNCERTAIN),)
        lack = "" if numbers else unread[0].reason if unread else UNCERTAIN
        return FieldReading(numbers, unread, assumed, lack)

    def _read(self, stretch: _Stretch) -> None:
        try:
            stretch.numbers, stretch.rest = numbers_of(stretch.text, self._region)
        except InvalidNumber as error:
            stretch.reason = str(error)
        if self._is_told_country and any(one.is_of(self._region) and not one.is_valid for one in stretch.numbers):
            stretch.spoil("no number of the country beside it")
        elif self._region == HOME and any(map(is_doubtful, stretch.numbers)):
            stretch.spoil(_NO_COUNTRY)
        elif self._is_alone and others_in(stretch.text, self._regions - {self._region}, stretch.numbers):
            stretch.spoil(_WHOSE)
        if stretch.numbers or not self._guesses or spelling.ALTERNATIVE.search(stretch.text):
            return
        if e164 := read_abroad(stretch.text):
            number = PhoneNumber(e164)
            if not all(map(number.is_of, self._regions)):
                stretch.reason = _WHOSE
            else:
                stretch.numbers, stretch.assumed = [number], True

    @cached_property
    def _regions(self) -> set[str]:
        """The regions of the countries that are named in the field."""
        return {region for gap in self._gaps for remark in _WORDS.findall(gap) for region in regions_in(remark)}

    def _join(self, left: _Stretch, gap: str, right: _Stretch) -> None:
        """Spoil a number if it would be another with the few digits beside it, from which a sign or words part it."""
        others = []
        if right.numbers and not left.numbers and 0 < left.digits < FEWEST_DIGITS:
            if code := _CODE.fullmatch(left.text):
                joined = written_in_full(f"+{code[2]}{right.text}", self._region)
                others += [joined] if code[1] or (joined and joined.is_valid) else []
            if not right.begins:
                joined = written_in_full(left.text + right.text, self._region)
                others += [joined] if joined or left.begins else []
            if any(right.numbers != [other] for other in others):
                right.spoil(_TORN)
        elif left.numbers and not right.numbers and 0 < right.digits < FEWEST_DIGITS and not _WORD.search(gap):
            joined = written_in_full(left.text + right.text, self._region)
            if joined and left.numbers != [joined]:
                left.spoil(_TORN)
        if left.numbers and not right.numbers and (second := second_number(right.text, left.numbers[-1])):
            left.rest.append(second)

    def _unread(self) -> Iterator[Unread]:
        """Give the parts that are unread: stretches without a number that one sign joins, or what hides digits."""
        part: list[_Stretch] = []
        between: list[str] = []
        for stretch, gap, following in zip(self._stretches, self._gaps, self._stretches[1:], strict=False):
            part.append(stretch)
            if _belong_together(stretch, gap, following):
                between.append(gap)
                continue
            yield from _unread_of(part, between)
            part, between = [], []
        yield from _unread_of([*part, self._stretches[-1]], between)


def _belong_together(left: _Stretch, gap: str, right: _Stretch) -> bool:
    if left.numbers or right.numbers:
        return False
    return _hides(left, gap, right) or (_glued(left, right) and not _LIST_SIGN.search(gap))


def _unread_of(part: list[_Stretch], between: list[str]) -> Iterator[Unread]:
    """Give what is unread of stretches that belong together; digits that are hidden count as digits."""
    yield from (unread for stretch in part for unread in stretch.rest)
    if part[0].numbers:
        return
    hidden = sum(len(sign) for gap in between if _HIDING.fullmatch(gap) for sign in gap.split())
    if hidden + sum(stretch.digits for stretch in part) >= FEWEST_DIGITS:
        text = part[0].text + "".join(gap + right.text for gap, right in zip(between, part[1:], strict=True))
        reasons = [stretch.reason for stretch in part if stretch.reason]
        yield Unread(text.strip(), _HIDDEN if hidden else reasons[0] if reasons else _GOES_ON)


def _with_hiding_apart(texts: list[str], gaps: list[str]) -> tuple[list[str], list[str]]:
    """Cut off, at a slash or spaced dash, what hides its digits, so that a number beside it is not lost with it."""
    for at in range(len(gaps) - 1, -1, -1):
        if _HIDING.fullmatch(gaps[at]):
            for place, cut in ((at + 1, _FIRST_CUT.fullmatch(texts[at + 1])), (at, _LAST_CUT.fullmatch(texts[at]))):
                if cut:
                    texts[place : place + 1] = [cut[1], cut[3]]
                    gaps.insert(place, cut[2])
    return texts, gaps


def _judge(left: _Stretch, gap: str, right: _Stretch) -> None:
    """Spoil what stands beside a gap if it may be part of a number that goes on beyond."""
    glued = _glued(left, right)
    if _hides(left, gap, right):
        _keep_the_whole(left, right, _HIDDEN)
    elif any(map(str.isalnum, gap)):
        if glued and not (left.numbers and right.numbers):
            left.spoil(_GOES_ON)
            right.spoil(_GOES_ON)
        elif left.text[-1:].isdigit() and _is_like_a_digit(_FIRST_LETTERS.match(gap)) and not left.ends:
            left.spoil(_GOES_ON)
        elif right.text[:1].isdigit() and _is_like_a_digit(_LAST_LETTERS.search(gap), "Oo") and not right.begins:
            right.spoil(_GOES_ON)
    elif glued and not _LIST_SIGN.search(gap) and not (left.numbers and right.numbers):
        _keep_the_whole(left, right, _GOES_ON)


def _keep_the_whole(left: _Stretch, right: _Stretch, reason: str) -> None:
    if not left.ends:
        left.spoil(reason)
    if not right.begins:
        right.spoil(reason)


def _glued(left: _Stretch, right: _Stretch) -> bool:
    return left.text[-1:].isdigit() and right.text[:1].isdigit()


def _hides(left: _Stretch, gap: str, right: _Stretch) -> bool:
    """Tell whether a gap stands for digits: `09****4567`, `0901 xxx 567`."""
    if not _HIDING.fullmatch(gap) or not (left.digits or right.digits) or (left.numbers and right.numbers):
        return False
    return len(gap) > 1 or left.text[-1:].isdigit() or right.text[:1].isdigit()


def _is_like_a_digit(letters: re.Match[str] | None, but: str = "") -> bool:
    """Tell whether a letter by itself, or a figure of another script, may be meant for a digit; `but` for some."""
    if letters is None:
        return False
    return letters[0] in _LIKE_DIGITS.difference(but) or any(map(str.isnumeric, letters[0]))
