"""The end of `omi-bridge check --online`: how well owners and extensions fit together, and what to write where not.

Connectors name the owners that they know, as far as they can; nothing here is a failure, for the calls of everybody
else are answered all the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bridge.diagnosis.finding import Finding, Severity
from bridge.extensions.directory import key_to_write
from bridge.extensions.index import ExtensionMap, fold
from bridge.extensions.lists import ExtensionLists
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceError

_SUBJECT = "directory"
_MOST_LINES = 20
_MOST_IN_A_LINE = 5


class DirectoryReport:
    """What is to be said about `lists`, given the owners that each connector names.

    `silent` connectors cannot; each stands there with what to write so that it can, if that is known.
    """

    def __init__(self, lists: ExtensionLists, named: Mapping[str, Sequence[Owner]], silent: Mapping[str, str]) -> None:
        self._lists = lists
        self._named = named
        self._silent = silent
        self._owners = tuple(dict.fromkeys(owner for owners in named.values() for owner in owners))
        self._pbx = [source for source in lists.sources if source.of_the_pbx and source.ready]

    def findings(self) -> Iterator[Finding]:
        """Give the report, the most useful first, at most so many lines of a kind."""
        try:
            rung = {owner: self._lists.directory.find(owner) for owner in self._owners}
        except SourceError as error:
            yield Finding(_SUBJECT, f"cannot be judged without all lists of extensions: {error}", Severity.WARNING)
            return
        yield Finding(_SUBJECT, self._summary(rung))
        yield from _first(self._without_extension(rung))
        yield from _first(_shared(rung))
        if self._silent:
            told = f"whether every entry under 'extensions:' is used cannot be told: {', '.join(self._silent)} "
            advice = "".join(f"; {name} can with `{key}`" for name, key in self._silent.items() if key)
            yield Finding(_SUBJECT, f"{told}cannot name all owners{advice}")
        else:
            yield from _first(self._unused())
        if self._pbx:
            yield from _first(self._unknown_to_the_pbx(rung))

    def _summary(self, rung: Mapping[Owner, Sequence[str]]) -> str:
        if not self._named:
            return "no connector can name its owners: the log names those without an extension as they turn up"
        reachable = sum(1 for extensions in rung.values() if extensions)
        return f"{len(rung)} owner(s) named by {', '.join(self._named)}; {reachable} with an extension"

    def _without_extension(self, rung: Mapping[Owner, Sequence[str]]) -> Iterator[str]:
        elsewhere = ", or give them a phone in OMICall" if self._pbx else ""
        lists = [*self._lists.own_maps(), *((source.name, source.current()) for source in self._pbx)]
        for owner, extensions in rung.items():
            if not extensions:
                told = _told_of_namesakes(owner, lists)
                written = f"write `{key_to_write(owner)}: EXTENSION` under extensions.inline{elsewhere}"
                yield f"no extension for {owner}: {told or written}"

    def _unused(self) -> Iterator[str]:
        """Give the entries none of whose names is an owner's; names that lead to the same are one entry."""
        ids = {owner.id for owner in self._owners}
        names = {fold(name) for owner in self._owners for name in (owner.email, owner.login, owner.name) if name}
        for place, entries in self._lists.own_maps():
            by_extensions: dict[tuple[str, ...], list[str]] = {}
            for row in entries.rows:
                by_extensions.setdefault(row.extensions, []).extend(row.written)
            for extensions, written in by_extensions.items():
                if not any(name in ids or fold(name) in names for name in written):
                    yield (
                        f"{place}: {_some(written)} (extension {', '.join(extensions)}) is no owner that a connector "
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


def _shared(rung: Mapping[Owner, Sequence[str]]) -> Iterator[str]:
    by_extension: dict[str, list[Owner]] = {}
    for owner, extensions in rung.items():
        for extension in extensions:
            sharing = by_extension.setdefault(extension, [])
            if not any(_may_be_one(owner, other) for other in sharing):
                sharing.append(owner)
    for extension, sharing in by_extension.items():
        if len(sharing) > 1:
            yield (
                f"extension {extension} rings for {len(sharing)} owners: {_some(map(str, sharing), '; ')}: "
                "if that is a slip, write each with their own under extensions.inline"
            )


def _told_of_namesakes(owner: Owner, lists: Iterable[tuple[str, ExtensionMap]]) -> str:
    """Return what to do if a list knows the owner's name, but not whether the owner is meant, or nothing."""
    for place, entries in lists:
        if found := entries.namesakes(owner):
            whose = f"{place} has the name with {', '.join(found)}, and cannot tell whether they are meant"
            if owner.email or owner.login or owner.id:
                return f"{whose}: if one is theirs, write `{key_to_write(owner)}: {found[0]}` under extensions.inline"
            return f"{whose}: let the connector name the e-mail as well"
    return ""


def _may_be_one(one: Owner, other: Owner) -> bool:
    """Tell whether two connectors, or two rows, may speak of the same person."""
    pairs = ((one.id, other.id), (one.email, other.email), (one.login, other.login), (one.name, other.name))
    return any(mine and theirs and fold(mine) == fold(theirs) for mine, theirs in pairs)


def _first(messages: Iterable[str]) -> Iterator[Finding]:
    """Give the first messages as warnings, and the number of the others."""
    count = 0
    for count, message in enumerate(messages, 1):
        if count <= _MOST_LINES:
            yield Finding(_SUBJECT, message, Severity.WARNING)
    if count > _MOST_LINES:
        yield Finding(_SUBJECT, f"and {count - _MOST_LINES} more of this kind", Severity.WARNING)


def _some(names: Iterable[str], between: str = ", ") -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_IN_A_LINE} more" if len(listed) > _MOST_IN_A_LINE else ""
    return between.join(listed[:_MOST_IN_A_LINE]) + more
