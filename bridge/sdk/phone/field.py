"""Fields with telephone numbers as people type them: every number that is certain, a word about each that is not.

A field is cut at whatever no number contains. No cut may make a number of a part of one: where digits go on beyond a
sign without a blank, both sides have to be whole numbers, or the one that counts has to be one that nothing could make
longer. What has seven digits or more and cannot be read is told to whoever listens, as are numbers hidden in part.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import spelling, vietnam
from bridge.sdk.phone.countries import region_named
from bridge.sdk.phone.number import HOME, PhoneNumber, read, read_abroad, read_vietnamese

_LONGEST_FIELD = 500  # characters
_FEWEST_DIGITS = 7
_LONGEST_SHOWN = 40

_SIGNS_THAT_HIDE = r"[xX*#?_\u2022\u25cf\u00d7\u2217\u2026\u2588\u25a0]+"
_HIDING = re.compile(rf"{_SIGNS_THAT_HIDE}(?:\s+{_SIGNS_THAT_HIDE})*")
_LIST_SIGN = re.compile(r"[;|\r\n]")
_FIRST_LETTERS = re.compile(r"[^\W0-9_]+")
_LAST_LETTERS = re.compile(r"[^\W0-9_]+\Z")
_LIKE_DIGITS = frozenset("OoQIlSsBbZz")
_CODE = re.compile(r"[^0-9+]*(\+|00)?[^0-9+]*([1-9][0-9]{0,2})[^0-9+]*")
_LABEL = re.compile(r"\A[\s(\[]*[1-9][\s.)\]-]+(?=[0+])")  # 1. 0901…
_ENDING = re.compile(r"\s*([0-9]{1,3})\s*")
_DASHED = re.compile(r"(.*[0-9])\s*-+\s*([0-9]{1,3})\s*")
_WORDS = re.compile(r"[^\W0-9_]+(?: [^\W0-9_]+)*")
_ALL_BUT_THREE_DIGITS = re.compile(r"[0-9](?=(?:[^0-9]*[0-9]){3})")

_FIRST_CUT = re.compile(r"(.*?)(/|\s-+\s)(.*)", re.DOTALL)
_LAST_CUT = re.compile(r"(.*)(/|\s-+\s)(.*?)", re.DOTALL)

_HIDDEN = "some of its digits are hidden"
_TWO_WAYS = "it can be read in two ways"
_TORN = "digits that may belong to it stand apart from it"
_GOES_ON = "its digits go on behind something that no number has"
_ANOTHER_ENDING = "the ending of a second number: write that number in full"
_UNCERTAIN = "no telephone number can be read with certainty"


@dataclass(frozen=True, slots=True, repr=False)
class Unread:
    """A part of a field that seems to hold a number, and why none was read. `str` may stand in a log."""

    text: str
    reason: str

    @property
    def masked(self) -> str:
        """The part without its digits, but for the last three, and without words."""
        return _ALL_BUT_THREE_DIGITS.sub("•", re.sub(r"[^\W\d_]{2,}", "…", self.text))[:_LONGEST_SHOWN]

    def __str__(self) -> str:
        return f"'{self.masked}': {self.reason}"

    def __repr__(self) -> str:
        return f"Unread({self})"


class FieldReading(NamedTuple):
    """What a field holds: `numbers`, each once, in order, and what `unread` parts there are.

    `assumed` are those numbers that were written without the plus of their country and may be slips instead. `lack`
    says why there is no number though something is written; empty for an empty field.
    """

    numbers: tuple[PhoneNumber, ...] = ()
    unread: tuple[Unread, ...] = ()
    assumed: tuple[PhoneNumber, ...] = ()
    lack: str = ""


_LISTENER: ContextVar[Callable[[Unread], None] | None] = ContextVar("unread", default=None)


@contextmanager
def unread_told_to(listener: Callable[[Unread], None]) -> Iterator[None]:
    """Let `listener` hear what cannot be read of any field that this thread reads meanwhile."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def read_field(text: str, region: str = HOME, country: str = "") -> FieldReading:
    """Read a field such as `0901234567 / (028) 3812-3456 ext 12; Lan: 0912345678`.

    `region` is the country of numbers without `+` or `00`. `country` is what another field says about it, `+66`, `66`,
    `TH` or `Thailand`: it decides, and no number is taken for any other country's then.
    """
    if not country and (e164 := read_vietnamese(text, region)):
        return FieldReading((PhoneNumber(e164),))
    reading = _read(text, region, country)
    if reading.unread and (listener := _LISTENER.get()):
        for unread in reading.unread:
            listener(unread)
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
    number = None if spelling.ALTERNATIVE.search(field) else _maybe(field, named or region)
    if number and vietnam_has(number):  # no two whole numbers are as short as the longest spelling of one
        return FieldReading((number,))
    if not any(map(str.isalnum, field)):
        return FieldReading()
    return _Field(field, named or region, guesses=not country).reading()


def vietnam_has(number: PhoneNumber) -> bool:
    """Tell whether it is a number of Vietnam."""
    return number.e164.startswith("+84")


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
        return len(self.numbers) == 1 and vietnam_has(self.numbers[0]) and _is_whole(self.text)

    def spoil(self, reason: str) -> None:
        self.numbers, self.reason, self.rest = [], self.reason or reason, []


class _Field:
    """One field, already `plain`, and its parts."""

    def __init__(self, field: str, region: str, *, guesses: bool) -> None:
        self._field = field
        self._region = region
        self._guesses = guesses and region == HOME
        self._is_told_country = not guesses and region != HOME
        texts, self._gaps = _with_hiding_apart(*spelling.stretches(field))
        self._stretches = [_Stretch(text) for text in texts]

    def reading(self) -> FieldReading:
        for stretch in self._stretches:
            if stretch.digits >= _FEWEST_DIGITS:
                self._read(stretch)
        for gap, (left, right) in zip(self._gaps, pairwise(self._stretches), strict=True):
            _judge(left, gap, right)
            self._join(left, gap, right)
        numbers = tuple(dict.fromkeys(number for stretch in self._stretches for number in stretch.numbers))
        assumed = tuple(dict.fromkeys(n for stretch in self._stretches if stretch.assumed for n in stretch.numbers))
        unread = tuple(self._unread())
        if not numbers and not unread and sum(map(str.isdigit, self._field)) >= _FEWEST_DIGITS:
            unread = (Unread(self._field, _UNCERTAIN),)
        lack = "" if numbers else unread[0].reason if unread else _UNCERTAIN
        return FieldReading(numbers, unread, assumed, lack)

    def _read(self, stretch: _Stretch) -> None:
        try:
            stretch.numbers, stretch.rest = _numbers_of(stretch.text, self._region)
        except InvalidNumber as error:
            stretch.reason = str(error)
        if self._is_told_country and any(one.is_of(self._region) and not one.is_valid for one in stretch.numbers):
            stretch.spoil("no number of the country beside it")
        if stretch.numbers or not self._guesses or spelling.ALTERNATIVE.search(stretch.text):
            return
        if e164 := read_abroad(stretch.text):
            number = PhoneNumber(e164)
            if self._says_otherwise(number):
                stretch.reason = "without + it cannot be told whose country's it is"
            else:
                stretch.numbers, stretch.assumed = [number], True

    def _says_otherwise(self, number: PhoneNumber) -> bool:
        """Tell whether a country is named in the field that is not this number's."""
        words = [word for gap in self._gaps for phrase in _WORDS.findall(gap) for word in (phrase, *phrase.split())]
        named = {region_named(word) for word in words if len(word) > 3 or word.isupper()} - {""}  # noqa: PLR2004
        return any(not number.is_of(region) for region in named)

    def _join(self, left: _Stretch, gap: str, right: _Stretch) -> None:
        """Spoil a number if it would be another with the few digits beside it, from which a sign or words part it."""
        others = []
        if right.numbers and not left.numbers and 0 < left.digits < _FEWEST_DIGITS:
            if code := _CODE.fullmatch(left.text):
                joined = _maybe(f"+{code[2]}{right.text}", self._region)
                others += [joined] if code[1] or (joined and joined.is_valid) else []
            if not right.begins:
                joined = _maybe(left.text + right.text, self._region)
                others += [joined] if joined or left.begins else []
            if any(right.numbers != [other] for other in others):
                right.spoil(_TORN)
        elif left.numbers and not right.numbers and 0 < right.digits < _FEWEST_DIGITS and not _WORDS.search(gap):
            joined = _maybe(left.text + right.text, self._region)
            if joined and left.numbers != [joined] and not vietnam.is_hotline(left.numbers[-1].nsn):
                left.spoil(_TORN)

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
    if hidden + sum(stretch.digits for stretch in part) >= _FEWEST_DIGITS:
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


def _numbers_of(part: str, region: str) -> tuple[list[PhoneNumber], list[Unread]]:
    """Read a part in which a slash or a spaced dash may stand inside a number or between two; and what is left."""
    pieces = spelling.ALTERNATIVE.split(part)
    found = [_succession(piece, region) for piece in pieces]
    apart = [number for numbers in found for number in numbers]
    if all(found) and len(pieces) > 1:
        return apart, []
    together = _maybe(part, region)
    if apart and together and apart != [together]:
        raise InvalidNumber(_TWO_WAYS)
    if apart:
        return _with_endings(pieces, found) if "/" in part else (apart, _long_ones(pieces, found))
    if alone := together or _maybe(_LABEL.sub("", part), region):
        return [alone], []
    if (dashed := _DASHED.fullmatch(part)) and _is_whole(dashed[1]) and (first := _maybe(dashed[1], region)):
        return _with_endings([dashed[1], dashed[2]], [[first], []])
    read(part, region)  # which says why it is no number
    raise InvalidNumber(_TWO_WAYS)


def _with_endings(pieces: list[str], found: list[list[PhoneNumber]]) -> tuple[list[PhoneNumber], list[Unread]]:
    """Return the numbers of pieces, and those that differ in the last digits from the one before: `…0001/02`.

    Only the next number of a landline is certain to be meant: other digits may be an extension.
    """
    numbers: list[PhoneNumber] = []
    unread = _long_ones(pieces, found)
    for piece, read_from_it in zip(pieces, found, strict=True):
        ending = _ENDING.fullmatch(piece)
        if read_from_it or ending is None or not numbers:
            numbers += read_from_it
            continue
        last = numbers[-1]
        before = found[pieces.index(piece) - 1]
        if before and not _is_whole(pieces[pieces.index(piece) - 1]) and not vietnam.is_hotline(last.nsn):
            raise InvalidNumber(_TWO_WAYS)
        size = len(ending[1])
        is_next = int(ending[1]) == int(last.e164[-size:]) + 1
        if is_next and vietnam_has(last) and last.nsn.startswith("2"):
            numbers.append(PhoneNumber(last.e164[:-size] + ending[1]))
        elif size < 3:  # noqa: PLR2004 - three digits are an extension
            unread.append(Unread(piece.strip(), _ANOTHER_ENDING))
    return numbers, unread


def _long_ones(pieces: list[str], found: list[list[PhoneNumber]]) -> list[Unread]:
    """Return the pieces without a number that are as long as one."""
    lacking = [piece for piece, numbers in zip(pieces, found, strict=True) if not numbers]
    return [Unread(one.strip(), _UNCERTAIN) for one in lacking if sum(map(str.isdigit, one)) >= _FEWEST_DIGITS]


def _succession(part: str, region: str) -> list[PhoneNumber]:
    """Read a part in which a blank, a dash or a dot stands between numbers only if all its pieces are numbers."""
    if e164 := read_vietnamese(part.strip(), region):
        return [PhoneNumber(e164)]
    for separator in spelling.SUCCESSIONS:
        numbers: list[PhoneNumber] = []
        pieces = separator.split(part.strip())
        for piece in pieces if len(pieces) > 1 else ():
            number = _maybe(piece, region)
            if number is None:
                break
            numbers.append(number)
        else:
            if numbers:
                return numbers
    whole = _maybe(part, region)
    return [whole] if whole else []


def _maybe(text: str, region: str) -> PhoneNumber | None:
    try:
        return PhoneNumber(read(text, region))
    except InvalidNumber:
        return None


def _is_whole(text: str) -> bool:
    """Tell whether no number of Vietnam begins with what is dialled here and goes on."""
    try:
        dialled = spelling.dialled(text)
        return all(read_vietnamese(dialled + more, HOME) is None for more in ("0", "00", "000", "0000"))
    except InvalidNumber:
        return False
