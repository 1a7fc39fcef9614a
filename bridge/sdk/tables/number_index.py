"""Numbers and their owners in memory: a million of them in 16 bytes each, found in microseconds.

A dict would take 80 bytes a number, twice while a changed file is read, and freeze every thread while it grows.
Here a number lies on one of many small shelves, three arrays side by side: the numbers in order, for each the place of
its owners among all lists of owners, and the line where it stands. Few people own many customers, so each list of
owners is held once.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from bridge.sdk.connector import Owner, Owners
from bridge.sdk.namesakes import shared_names, told_apart

_SHELVES = 1021
"""A prime, so that numbers spread evenly whatever their last digits; a thousand numbers to a shelf at most, usually."""


class OwnerIndex:
    """Owners by number, filled with `add`, then `sort`ed once, then only asked: from any thread."""

    def __init__(self) -> None:
        # Numbers of 15 digits (E.164) need 64 bits; 32 are plenty for lists of owners.
        self._shelves = [(array("Q"), array("I"), array("I")) for _ in range(_SHELVES)]
        self._more_lines: dict[int, list[int]] = {}
        self._lists: list[Owners] = []
        self._apart: list[Owners] = []
        self.shared_names: frozenset[str] = frozenset()
        """Names that several of the owners have, as they are compared; known once it is sorted."""
        self._places: dict[Owners, int] = {}

    def __len__(self) -> int:
        """Count the numbers."""
        return sum(len(numbers) for numbers, *_ in self._shelves)

    def owners(self) -> Owners:
        """Return everybody who owns a number, each of them once."""
        return tuple(dict.fromkeys(owner for owners in self._lists for owner in owners))

    def at(self, place: int) -> Owners:
        """Return the owners at a place."""
        return self._lists[place]

    def place(self, owners: Iterable[Owner]) -> int:
        """Return the place of this list of owners, each of them once; equal lists have one place."""
        once = tuple(dict.fromkeys(owners))
        place = self._places.setdefault(once, len(self._lists))
        if place == len(self._lists):
            self._lists.append(once)
        return place

    def add(self, number: int, place: int, line: int = 0) -> None:
        """Say that `number`, in E.164 digits, belongs to the owners at `place`, after those that it already has."""
        numbers, places, lines = self._shelves[number % _SHELVES]
        numbers.append(number)
        places.append(place)
        lines.append(line)

    def sort(self) -> None:
        """Make the index ready to be asked."""
        self._shelves = [self._sorted(*shelf) for shelf in self._shelves]
        self._places = {}
        shared = self.shared_names = shared_names(self.owners())
        self._apart = [told_apart(owners, shared) for owners in self._lists] if shared else self._lists

    def crowded(self, most: int) -> list[int]:
        """Return the numbers that have more than `most` owners."""
        crowded = {place for place, owners in enumerate(self._lists) if len(owners) > most}
        shelves = self._shelves if crowded else []
        return [number for shelf in shelves for number, place, _ in zip(*shelf, strict=True) if place in crowded]

    def find(self, number: int) -> Owners | None:
        """Return the owners of `number`, none if nobody owns it, None if it is not there at all.

        They come without a name that several people in the index have.
        """
        numbers, places, _ = self._shelves[number % _SHELVES]
        at = bisect_left(numbers, number)
        if at == len(numbers) or numbers[at] != number:
            return None
        return self._apart[places[at]]

    def lines(self, number: int) -> tuple[int, ...]:
        """Return the lines in which `number` stands, in order, none if it is not there."""
        numbers, _, lines = self._shelves[number % _SHELVES]
        at = bisect_left(numbers, number)
        if at == len(numbers) or numbers[at] != number:
            return ()
        return (lines[at], *self._more_lines.get(number, ()))

    def _sorted(
        self, numbers: "array[int]", places: "array[int]", lines: "array[int]"
    ) -> tuple["array[int]", "array[int]", "array[int]"]:
        """Return a shelf in order of its numbers; one that lies there twice has the owners of both, in file order."""
        ordered, their_places, their_lines = array("Q"), array("I"), array("I")
        last = None
        for at in sorted(range(len(numbers)), key=numbers.__getitem__):
            number, place = numbers[at], places[at]
            if number != last:
                ordered.append(number)
                their_places.append(place)
                their_lines.append(lines[at])
                last = number
                continue
            if lines[at] != their_lines[-1]:
                self._more_lines.setdefault(number, []).append(lines[at])
            if place != their_places[-1]:
                their_places[-1] = self.place((*self._lists[their_places[-1]], *self._lists[place]))
        return ordered, their_places, their_lines
