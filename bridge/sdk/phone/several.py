"""Several numbers in a stretch of what numbers consist of: where one ends and the next begins.

What can be read in two ways is read in none.
"""

import re

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone import spelling, vietnam
from bridge.sdk.phone.number import HOME, PhoneNumber, read, read_vietnamese
from bridge.sdk.phone.unread import Unread

FEWEST_DIGITS = 7
UNCERTAIN = "no telephone number can be read with certainty"

_LABEL = re.compile(r"\A[\s(\[]*[1-9][\s.)\]-]+(?=[0+])")  # 1. 0901…
_ENDING = re.compile(r"\s*([0-9]{1,6})\s*")
_DASHED = re.compile(r"(.*[0-9])\s*-+\s*([0-9]{1,3})\s*")
_A_ROW = 10  # numbers
_TWO_WAYS = "it can be read in two ways"
_ANOTHER_ENDING = "the ending of a second number: write that number in full"


def numbers_of(part: str, region: str) -> tuple[list[PhoneNumber], list[Unread]]:
    """Read a part in which a slash or a spaced dash may stand inside a number or between two; and what is left."""
    pieces = spelling.ALTERNATIVE.split(part)
    found = [_succession(piece, region) for piece in pieces]
    apart = [number for numbers in found for number in numbers]
    if all(found) and len(pieces) > 1:
        return apart, []
    together = written_in_full(part, region)
    if apart and together and apart != [together]:
        raise InvalidNumber(_TWO_WAYS)
    if apart:
        return _with_endings(pieces, found, is_listed="/" in part)
    if alone := together or written_in_full(_LABEL.sub("", part), region):
        return [alone], []
    if (dashed := _DASHED.fullmatch(part)) and is_whole(dashed[1]) and (first := written_in_full(dashed[1], region)):
        numbers, rest = _with_endings([dashed[1], dashed[2]], [[first], []], is_listed=True)
        if not rest:  # else it may as well be one number with a digit or two more
            return numbers, []
    read(part, region)  # which says why it is no number
    raise InvalidNumber(_TWO_WAYS)


def others_in(part: str, regions: set[str], numbers: list[PhoneNumber]) -> bool:
    """Tell whether one of the regions has what was read of a part, and as another number."""
    for region in regions if numbers else ():
        try:
            there, _ = numbers_of(part, region)
        except InvalidNumber:
            continue
        if any(number.is_valid for number in there if number not in numbers):
            return True
    return False


def second_number(piece: str, first: PhoneNumber) -> Unread | None:
    """Return digits beside a number that seem to be the ending of another soon after it: `…3456, 57`."""
    ending = _ENDING.fullmatch(piece)
    if ending is None or not 0 < int(ending[1]) - int(first.e164[-len(ending[1]) :]) < _A_ROW:
        return None
    return Unread(piece.strip(), _ANOTHER_ENDING)


def _with_endings(
    pieces: list[str], found: list[list[PhoneNumber]], *, is_listed: bool
) -> tuple[list[PhoneNumber], list[Unread]]:
    """Return the numbers of pieces, and those that differ in the last digits from the one before: `…0001/02`.

    Only the next number of a landline is certain to be meant: other digits may be an extension, and where nothing says
    that there is a list, anything.
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
        if before and not is_whole(pieces[pieces.index(piece) - 1]) and not vietnam.is_hotline(last.nsn):
            raise InvalidNumber(_TWO_WAYS)
        size = len(ending[1])
        is_next = int(ending[1]) == int(last.e164[-size:]) + 1
        if is_next and last.is_of(HOME) and last.nsn.startswith("2"):
            numbers.append(PhoneNumber(last.e164[:-size] + ending[1]))
        elif is_listed and size < 3:  # noqa: PLR2004 - three digits are an extension
            unread.append(Unread(piece.strip(), _ANOTHER_ENDING))
        elif second := second_number(piece, last):
            unread.append(second)
    return numbers, unread


def _long_ones(pieces: list[str], found: list[list[PhoneNumber]]) -> list[Unread]:
    """Return the pieces without a number that are as long as one."""
    lacking = [piece for piece, numbers in zip(pieces, found, strict=True) if not numbers]
    return [Unread(one.strip(), UNCERTAIN) for one in lacking if sum(map(str.isdigit, one)) >= FEWEST_DIGITS]


def _succession(part: str, region: str) -> list[PhoneNumber]:
    """Read a part in which a blank, a dash or a dot stands between numbers only if all its pieces are numbers."""
    if e164 := read_vietnamese(part.strip(), region):
        return [PhoneNumber(e164)]
    for separator in spelling.SUCCESSIONS:
        numbers: list[PhoneNumber] = []
        pieces = separator.split(part.strip())
        for piece in pieces if len(pieces) > 1 else ():
            number = written_in_full(piece, region)
            if number is None:
                break
            numbers.append(number)
        else:
            if numbers:
                return numbers
    whole = written_in_full(part, region)
    return [whole] if whole else []


def written_in_full(text: str, region: str) -> PhoneNumber | None:
    """Read one number that says itself what it is; None if it is none."""
    try:
        return PhoneNumber(read(text, region))
    except InvalidNumber:
        return None


def is_whole(text: str) -> bool:
    """Tell whether no number of Vietnam begins with what is dialled here and goes on."""
    try:
        dialled = spelling.dialled(text)
        return all(read_vietnamese(dialled + more, HOME) is None for more in ("0", "00", "000", "0000"))
    except InvalidNumber:
        return False
