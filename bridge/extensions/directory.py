"""From an owner to extensions: what the company's own lists say, then the connector's answer, then the PBX's list.

How one list is asked stands in `index`, what a text with several names may mean in `readings`, and who answers for whom
is away in `deputies`. An owner without an extension is named once in the log, not at every call.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from bridge.extensions.deputies import DeputyRules
from bridge.extensions.index import ExtensionMap, are_same, extensions_in, inline_map
from bridge.extensions.readings import readings
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceError
from bridge.sdk.tables.owners import people_in

_log = logging.getLogger(__name__)

_EXTENSION = re.compile(r"[0-9]{1,20}", re.ASCII)
_MOST_NAMED = 10_000
_MOST_REACHED = 10_000
_PLAIN_KEY = re.compile(r"\w[\w.@+-]*")
_DEEPEST = 3

People = tuple[tuple[Owner, tuple[str, ...]], ...]
"""People, each with the own extensions; those of somebody who has none on purpose are known, and none."""

_Lists = Sequence[Callable[[], ExtensionMap]]


@dataclass(frozen=True, slots=True)
class Reach:
    """Where an owner is rung; `notes` say what deputies have to do with it, and why a part of a name is not rung."""

    extensions: tuple[str, ...]
    notes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    """For each extension where it stands: the list, and the line in it or the entry; empty where that is not known."""


class Directory:
    """The sources in order, and the first that knows the owner decides.

    `lists` are asked after `inline` and before the connector's own answer counts, those `of_the_pbx` after it. Each
    gives the list in force, and raises SourceError while there never was a good one.
    """

    def __init__(
        self,
        inline: Mapping[str, Sequence[str]],
        lists: Sequence[Callable[[], ExtensionMap]] = (),
        of_the_pbx: Sequence[Callable[[], ExtensionMap]] = (),
        deputies: DeputyRules | None = None,
    ) -> None:
        own = inline_map(inline)
        self.deputies = deputies or DeputyRules(tuple)
        self._own: _Lists = (lambda: own, *lists)
        self._all: _Lists = (*self._own, *of_the_pbx)
        self._named: set[Owner] = set()
        self._reached: tuple[tuple[ExtensionMap, ...], dict[Owner, Reach]] = ((), {})

    def reach(self, owner: Owner) -> Reach:
        """Return where the owner is rung just now; one without an extension is named in the log.

        Raises SourceError if that cannot be told because a list was never read: unknown is not the same as none.

        Where there are no deputies it is found once, for as long as the lists are the same.
        """
        if self.deputies.all():  # what they come to depends on the time
            return self._reach(owner)
        maps = self.maps()
        of, reached = self._reached
        if not are_same(maps, of):
            of, reached = self._reached = maps, {}
        if (known := reached.get(owner)) is None:
            known = self._reach(owner)
            if len(reached) < _MOST_REACHED and are_same(self.maps(), of):
                reached[owner] = known
        return known

    def _reach(self, owner: Owner) -> Reach:
        found: list[str] = []
        told: list[str] = []
        for person in people_in(owner):
            rung = self.deputies.answering(person, self)
            found += rung.extensions
            told += [f"deputy: {line}" for line in (*rung.notes, *rung.doubts)]
            if not rung.extensions and not self.understood(person):
                doubt = self.doubt(person)
                told += [f"not rung: {doubt}"] if doubt else []
                self._name_once(person, doubt)
        extensions = tuple(dict.fromkeys(found))
        return Reach(extensions, tuple(dict.fromkeys(told)), self._places(owner, extensions))

    def extensions_of(self, owner: Owner) -> tuple[str, ...]:
        """Return the extensions of `reach` alone."""
        return self.reach(owner).extensions

    def find(self, owner: Owner) -> tuple[str, ...]:
        """Return the owner's own extensions, whoever is away, without a word in the log; raises SourceError."""
        return tuple(dict.fromkeys(chain.from_iterable(extensions for _, extensions in self.people(owner))))

    def people(self, owner: Owner) -> People:
        """Return the people whom an owner turns out to be, those alone who are known."""
        return tuple(found for person in people_in(owner) for found in self.understood(person))

    def understood(self, owner: Owner) -> People:
        """Return the same for an owner who is one person, as far as that can be told from how the owner is written."""
        if found := _understood(owner, self._own):
            return found
        if owner.extension and _EXTENSION.fullmatch(owner.extension):
            return ((owner, (owner.extension,)),)
        return _understood(owner, self._all) if len(self._all) > len(self._own) else ()

    def _places(self, owner: Owner, extensions: Sequence[str]) -> tuple[str, ...]:
        """Say for each extension where it stands: in a row of the owner's, or the only one that there is with it."""
        maps = self.maps()
        people = [person for person, _ in self.people(owner)]
        own = [row for person in people for entries in maps for row in entries.rows_of(person)]
        places = []
        for extension in extensions:
            rows = [row for row in own if extension in row.extensions]
            if not rows and any(person.extension == extension for person in people):
                places.append("the source itself")
                continue
            of_others = [row for entries in maps for row in entries.rows_at(extension)]
            rows = rows or (of_others if len(of_others) == 1 else [])
            places.append(rows[0].place if rows else "")
        return tuple(places)

    def leads_nowhere(self, owner: Owner) -> bool:
        """Tell whether no list knows the owner, and no deputy answers; not while a list was never read."""
        try:
            ring = [self.deputies.answering(person, self).extensions for person in people_in(owner)]
            return not self.people(owner) and not any(ring)
        except SourceError:
            return False

    def doubt(self, owner: Owner) -> str:
        """Say why an owner of whom something is known is not rung, or nothing."""
        readable = [partial(_same, entries) for entries in self.maps()]
        return "; ".join(dict.fromkeys(_doubts(owner, readable)))

    def maps(self) -> tuple[ExtensionMap, ...]:
        """Return the lists that could be read, in their order."""
        return tuple(_readable(self._all))

    @property
    def without_extension(self) -> int:
        """The number of owners seen so far that have no extension."""
        return len(self._named)

    def _name_once(self, owner: Owner, doubt: str) -> None:
        if owner not in self._named and len(self._named) < _MOST_NAMED:
            self._named.add(owner)
            _log.warning(
                "no extension for %s%s: write `%s: EXTENSION` under extensions.inline (owners so far: %d)",
                owner,
                f" ({doubt})" if doubt else "",
                key_to_write(owner),
                len(self._named),
            )


def key_to_write(owner: Owner) -> str:
    """Return what to write for the owner under `extensions.inline`, in quotes where YAML wants them."""
    key = owner.email or owner.login or owner.id or owner.name or ""
    return key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _known(owner: Owner, lists: _Lists) -> People:
    """Return the owner as the first list has it that knows the owner as written."""
    for current in lists:
        if rows := current().rows_of(owner):
            return ((owner, extensions_in(rows)),)
    return ()


def _understood(owner: Owner, lists: _Lists, depth: int = _DEEPEST) -> People:
    """Return whom the lists know as the owner, or as all the people whom the owner's text may name, if that is sure."""
    if found := _known(owner, lists):
        return found
    meant = list(_meanings(owner, lists, depth))
    same = len({tuple(extensions for _, extensions in people) for people in meant}) == 1
    return meant[0] if same else ()


def _meanings(owner: Owner, lists: _Lists, depth: int) -> Iterator[People]:
    """Give the readings of an owner's text in which everybody is known."""
    for reading in readings(owner) if depth else ():
        people = [_understood(person, lists, depth - 1) for person in reading.people]
        if all(people) and (not reading.alike or len({found[0][1] for found in people}) == 1):
            yield tuple(chain.from_iterable(people)) if not reading.alike else people[-1]


def _doubts(owner: Owner, lists: _Lists) -> Iterator[str]:
    if len({tuple(extensions for _, extensions in people) for people in _meanings(owner, lists, _DEEPEST)}) > 1:
        yield "it may be one person or several, and all of them are known"
        return
    for reading in readings(owner):
        known = [person for person in reading.people if _understood(person, lists)]
        others = [person for person in reading.people if person not in known]
        if known and others:
            yield f"{_shown(known)} known, {_shown(others)} not: nobody is rung for a part of a name"


def _shown(people: Iterable[Owner]) -> str:
    return ", ".join(f"'{person.name or person.email or person.login or person.id}'" for person in people)


def _readable(lists: _Lists) -> Iterator[ExtensionMap]:
    for current in lists:
        try:
            yield current()
        except SourceError:
            continue


def _same(entries: ExtensionMap) -> ExtensionMap:
    return entries
