"""The end of `omi-bridge check --online`: how well owners and extensions fit together, and what to write where not.

Connectors name the owners that they know, as far as they can. Who has no extension is no failure, for the calls of
everybody else are answered all the same; that nobody has one is.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from bridge.diagnosis.finding import Finding, Severity, at_most
from bridge.extensions.directory import People, key_to_write
from bridge.extensions.index import ExtensionMap, Row
from bridge.extensions.lists import ExtensionLists
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceError
from bridge.sdk.namesakes import shared_names, told_apart
from bridge.sdk.words import canonical, fold, visible

_SUBJECT = "directory"
_MOST_IN_A_LINE = 5
_SHORT_NUMBER = re.compile(r"[0-9]{2,5}", re.ASCII)

NO_CUSTOMERS: Mapping[str, Mapping[Owner, int]] = MappingProxyType({})

_Identity = tuple[str, ...]


class DirectoryReport:
    """What is to be said about `lists`, given the owners that each connector names.

    `silent` connectors cannot; each stands there with what to write so that it can, if that is known. `customers` are
    how many an owner has, by connector, as far as they can tell.
    """

    def __init__(
        self,
        lists: ExtensionLists,
        named: Mapping[str, Sequence[Owner]],
        silent: Mapping[str, str],
        customers: Mapping[str, Mapping[Owner, int]] = NO_CUSTOMERS,
    ) -> None:
        self._lists = lists
        self._named = named
        self._silent = silent
        self._namesakes = {name: shared_names(owners) for name, owners in named.items()}
        self._customers: Counter[_Identity] = Counter()
        self._customers_told = customers
        self._owners = self._as_asked(customers)
        self._pbx = [source for source in lists.sources if source.of_the_pbx and source.ready]

    def findings(self) -> Iterator[Finding]:
        """Give the report, the most useful first, at most so many lines of a kind."""
        try:
            people = {owner: self._lists.directory.people(owner) for owner in self._owners}
        except SourceError as error:
            yield Finding(_SUBJECT, f"cannot be judged without all lists of extensions: {error}", Severity.WARNING)
            return
        rung = {person: extensions for found in people.values() for person, extensions in found}
        yield self._nobody_rings(people) or Finding(_SUBJECT, self._summary(people))
        yield from _first(self._called_alike())
        yield from _first(self._without_extension(people))
        yield from _first(self._shared(rung))
        if self._silent:
            told = f"whether every entry under 'extensions:' is used cannot be told: {', '.join(self._silent)} "
            advice = "".join(f"; {name} can with `{key}`" for name, key in self._silent.items() if key)
            yield Finding(_SUBJECT, f"{told}cannot name all owners{advice}")
        else:
            yield from _first(self._unused({*self._owners, *rung}))
        if self._pbx:
            yield from _first(self._unknown_to_the_pbx(rung))

    def _as_asked(self, customers: Mapping[str, Mapping[Owner, int]]) -> tuple[Owner, ...]:
        """Return the owners as they are looked up: each once, without a name that several of a connector have."""
        found: dict[_Identity, Owner] = {}
        for name, owners in self._named.items():
            for owner in owners:
                for apart in told_apart((owner,), self._namesakes[name]):
                    found.setdefault(_identity(apart), apart)
                    self._customers[_identity(apart)] += customers.get(name, {}).get(owner, 0)
        return tuple(found.values())

    def _summary(self, people: Mapping[Owner, People]) -> str:
        if not self._named:
            return "no connector can name its owners: the log names those without an extension as they turn up"
        reachable = sum(any(extensions for _, extensions in found) for found in people.values())
        silent = sum(bool(found) and not any(extensions for _, extensions in found) for found in people.values())
        on_purpose = f", {silent} without one on purpose" if silent else ""
        return f"{len(people)} owner(s) named by {', '.join(self._named)}; {reachable} with an extension{on_purpose}"

    def _nobody_rings(self, people: Mapping[Owner, People]) -> Finding | None:
        """Tell that no owner has an extension, and none is without one on purpose; None if that is not so.

        It is sure, and so a failure, of connectors that hold all their customers; others may bring extensions along.
        """
        if not people or any(people.values()):
            return None
        told = f"{len(people)} owner(s) named by {', '.join(self._named)}, and none has an extension: no phone rings"
        if all(map(_is_like_an_extension, people)):
            told += ": if what names them are their extensions, name that column so: `columns: {extension: 'Header'}`"
        elif not any(len(entries) for _, entries in self._lists.own_maps()) and not self._pbx:
            first = max(people, key=lambda owner: self._customers[_identity(owner)])
            told += (
                ": write who has which extension, `extensions: {inline: {"
                f"{key_to_write(first)}: EXTENSION}}}}`, or name a list of them, such as "
                "`extensions: {csv: {path: extensions.csv}}`"
            )
        is_sure = not self._silent and all(self._customers_told.get(name) for name in self._named)
        return Finding(_SUBJECT, told, Severity.FAILED if is_sure else Severity.WARNING)

    def _called_alike(self) -> Iterator[str]:
        """Tell of names that several owners of a connector have, unless all of them are known by something else."""
        for connector, owners in self._named.items():
            for name in sorted(self._namesakes[connector]):
                called = [owner for owner in owners if canonical(owner.name or "") == name]
                alone = told_apart(tuple(called), {name})
                if len(alone) < len(called) or not all(map(self._lists.directory.people, alone)):
                    keys = " and ".join(f"`{key_to_write(owner)}: EXTENSION`" for owner in alone[:_MOST_IN_A_LINE])
                    yield (
                        f"'{called[0].name}' is what several owners of {connector} are called "
                        f"({_some(map(str, alone), '; ')}), and leads to nobody: write {keys} under extensions.inline"
                    )

    def _without_extension(self, people: Mapping[Owner, People]) -> Iterator[str]:
        elsewhere = ", or give them a phone in OMICall" if self._pbx else ""
        lists = [*self._lists.own_maps(), *((source.name, source.current()) for source in self._pbx)]
        missing = [owner for owner, found in people.items() if not found]
        for owner in sorted(missing, key=lambda owner: -self._customers[_identity(owner)]):
            count = self._customers[_identity(owner)]
            notes = [f"{count} customer{'s' if count > 1 else ''}"] if count else []
            notes += filter(None, [self._lists.directory.doubt(owner)])
            because = f" ({'; '.join(notes)})" if notes else ""
            told = _told_of_namesakes(owner, lists)
            key = key_to_write(owner)
            written = f"write `{key}: EXTENSION` under extensions.inline{elsewhere}, or `{key}: []` if none is to be"
            yield f"no extension for {owner}{because}: {told or written}"

    def _shared(self, rung: Mapping[Owner, Sequence[str]]) -> Iterator[str]:
        """Tell of extensions at which several ring who are not known, or likely, to be one person."""
        by_extension: dict[str, list[Owner]] = {}
        for owner, extensions in rung.items():
            for extension in extensions:
                by_extension.setdefault(extension, []).append(owner)
        maps = self._lists.directory.maps()
        for extension, sharing in by_extension.items():
            people = _likely_people(sharing, maps) if len(sharing) > 1 else sharing
            if len(people) > 1:
                yield (
                    f"extension {extension} rings for {len(people)} owners: {_some(map(str, people), '; ')}: "
                    "if that is a slip, write each with their own under extensions.inline"
                )

    def _unused(self, people: Collection[Owner]) -> Iterator[str]:
        """Give the entries none of whose names is an owner's; names that lead to the same are one entry."""
        names = {canonical(name) for owner in people for name in (owner.email, owner.login, owner.name) if name}
        for place, entries in self._lists.own_maps():
            theirs = {row for owner in people for row in entries.rows_of(owner)}
            by_extensions: dict[tuple[str, ...], list[Row]] = {}
            for row in entries.rows:
                by_extensions.setdefault(row.extensions, []).append(row)
            for extensions, rows in by_extensions.items():
                written = [name for row in rows for name in row.written]
                if theirs.isdisjoint(rows) and not any(canonical(name) in names for name in written):
                    listed = ", ".join(extensions) or "none"
                    yield (
                        f"{place}: {_some(written)} (extension {listed}) is no owner that a connector "
                        "names: take it out if they have left, else write it as the connector does"
                    )

    def _unknown_to_the_pbx(self, rung: Mapping[Owner, Sequence[str]]) -> Iterator[str]:
        known = frozenset().union(*(source.extensions for source in self._pbx))
        whose: dict[tuple[str, str], list[str]] = {}
        for place, entries in self._lists.own_maps():
            for row in entries.rows:
                for extension in row.extensions:
                    whose.setdefault((extension, place), []).extend(row.written)
        listed = {extension for extension, _ in whose}
        for owner, found in rung.items():
            for extension in set(found) - listed:
                whose.setdefault((extension, "a connector's answer"), []).append(str(owner))
        for (extension, place), names in whose.items():
            if extension not in known:
                yield (
                    f"{place}: {extension} of {_some(names)} is no internal phone of OMICall: correct it, "
                    "unless it is the number of a group"
                )


def _is_like_an_extension(owner: Owner) -> bool:
    """Tell whether all that is known of an owner is a short number."""
    return bool(owner.id and _SHORT_NUMBER.fullmatch(owner.id) and not (owner.email or owner.login or owner.name))


def _told_of_namesakes(owner: Owner, lists: Iterable[tuple[str, ExtensionMap]]) -> str:
    """Return what to do if a list knows the owner's name, but not whether the owner is meant, or nothing."""
    for place, entries in lists:
        if found := entries.namesakes(owner):
            whose = f"{place} has the name with {', '.join(found)}, and cannot tell whether they are meant"
            if owner.email or owner.login or owner.id:
                return f"{whose}: if one is theirs, write `{key_to_write(owner)}: {found[0]}` under extensions.inline"
            return f"{whose}: let the connector name the e-mail as well"
    return ""


def _likely_people(owners: Iterable[Owner], maps: Collection[ExtensionMap]) -> list[Owner]:
    """Return one owner for each person, of owners who ring at one phone.

    There, texts that are equal without accents are likely one person's, and so is what stands in one row of a list.
    """
    groups: list[tuple[Owner, set[object]]] = []
    for owner in owners:
        texts = (("id", owner.id), ("email", owner.email), ("login", owner.login), ("name", owner.name))
        marks: set[object] = {(kind, fold(text)) for kind, text in texts if text}
        marks |= {row for entries in maps for row in entries.rows_of(owner)}
        linked = [group for group in groups if group[1] & marks]
        groups = [group for group in groups if group not in linked]
        groups.append((linked[0][0] if linked else owner, marks.union(*(known for _, known in linked))))
    return [owner for owner, _ in groups]


def _identity(owner: Owner) -> _Identity:
    """Return what is equal for all spellings of one owner: an id with its capitals, unless it may be a mere name."""
    id_ = owner.id or ""
    texts = (owner.email, owner.login, owner.name)
    known = canonical(id_) if canonical(id_) in {canonical(text) for text in texts if text} else visible(id_)
    return (known, *(canonical(text or "") for text in texts), owner.extension or "")


def _first(messages: Iterable[str]) -> Iterator[Finding]:
    return at_most(_SUBJECT, messages, Severity.WARNING)


def _some(names: Iterable[str], between: str = ", ") -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_IN_A_LINE} more" if len(listed) > _MOST_IN_A_LINE else ""
    return between.join(listed[:_MOST_IN_A_LINE]) + more
