"""Other answers made out of a good one: with another number in it, or with something of another type in some place.

An answer's envelope is what leads to its records: the answer itself, and the objects and lists on the way down to the
first list. Rubbish there must never pass for "nobody". Inside a record much is a matter of taste (a customer without
an owner, a field that is left out): there a connector may think what it likes, as long as it does not crash.
"""

import re
from collections.abc import Iterator

from bridge.sdk.phone import PhoneNumber, holds

_WRITTEN = re.compile(r"[+(]*[0-9][0-9 ().\-/]*[0-9]")
"""What may be a telephone number in a text."""
_TYPES: tuple[object, ...] = (None, True, 7, "text", [], {})
_NO_RECORDS: tuple[list[object], ...] = ([None], [7], ["text"], [[]])

Place = tuple[str | int, ...]
"""The keys and numbers that lead from an answer to something in it."""

Mutation = tuple[str, object]
"""In words what was changed, and the answer as it is then."""


def renumbered(answer: object, number: PhoneNumber, spelling: str) -> object:
    """Return the answer with `spelling` in all places where `number` stands."""
    match answer:
        case dict():
            return {key: renumbered(value, number, spelling) for key, value in answer.items()}
        case list():
            return [renumbered(value, number, spelling) for value in answer]
        case str() if holds(answer, number):
            return spelling
        case int() if not isinstance(answer, bool) and holds(str(answer), number):
            digits = spelling.removeprefix("+")
            return int(digits) if digits.isdigit() else answer
    return answer


def renumbered_text(body: bytes, number: PhoneNumber, spelling: str) -> bytes:
    """Return a body that is a text, such as XML, with `spelling` in all places where `number` stands."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    return _WRITTEN.sub(lambda found: spelling if holds(found[0], number) else found[0], text).encode()


def envelopes(answer: object) -> Iterator[Mutation]:
    """Give the answer with something of another type in each place of its envelope."""
    outer = _outer(answer)
    for place, value in [((), answer), *((place, value) for place, value in _walk(answer) if place in outer)]:
        for other in (*_TYPES, *_other_records(value)):
            if other != value and (type(other) is not type(value) or other):
                yield _changed(answer, place, other)
    if isinstance(answer, dict) and answer:
        yield _changed(answer, (), {})


def inside(answer: object) -> Iterator[Mutation]:
    """Give the answer with something of another type in each place that is not of its envelope."""
    outer = _outer(answer)
    for place, value in _walk(answer):
        if place not in outer:
            for other in (*_TYPES, *_NO_RECORDS):
                if type(other) is not type(value) or other != value:
                    yield _changed(answer, place, other)


def _other_records(value: object) -> Iterator[object]:
    """Give lists of what is no record of this list: another number in a list of numbers may well be one."""
    if isinstance(value, list):
        kinds = {type(record) for record in value}
        yield from (records for records in _NO_RECORDS if type(records[0]) not in kinds)


def _walk(answer: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Give every place below the answer, and what stands there."""
    below: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(answer, dict):
        below = iter(answer.items())
    elif isinstance(answer, list):
        below = iter(enumerate(answer))
    for key, value in below:
        yield (*place, key), value
        yield from _walk(value, (*place, key))


def _lists(answer: object) -> list[Place]:
    """Return the places of the lists that stand in no other list."""
    found = [place for place, value in _walk(answer) if isinstance(value, list)]
    return [place for place in found if not any(isinstance(key, int) for key in place)]


def _outer(answer: object) -> set[Place]:
    """Return the places of the envelope below the answer itself."""
    return {place[:length] for place in _lists(answer) for length in range(1, len(place) + 1)}


def _replaced(answer: object, place: Place, other: object) -> object:
    """Return a copy of the answer with `other` in one place."""
    if not place:
        return other
    first, rest = place[0], place[1:]
    if isinstance(answer, dict):
        return {key: _replaced(value, rest, other) if key == first else value for key, value in answer.items()}
    if isinstance(answer, list):
        return [_replaced(value, rest, other) if index == first else value for index, value in enumerate(answer)]
    return answer


def _changed(answer: object, place: Place, other: object) -> Mutation:
    where = f"in the place of {'.'.join(map(str, place))}" if place else "instead of everything"
    return f"{other!r} {where}", _replaced(answer, place, other)
