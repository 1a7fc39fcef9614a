"""Who answers for an owner who is away: applied to every answer anew, behind whatever is remembered.

A rule begins and ends by the local clock, without a reload. It holds for the person: whom the rule names and whom the
connector names are one if their texts are equal, or if one row of a list of extensions is both theirs; that two ring at
one phone makes nobody one person. A deputy who is away leads to his own deputies. Where that leads to nobody who can be
rung, the owner rings as if there were no rule: a slip may not make a customer nobody's.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from bridge.config.moments import begins, ends, written
from bridge.extensions.index import ExtensionMap, Row, are_same
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceError
from bridge.sdk.tables.columns import several_in
from bridge.sdk.tables.owners import owner_called, parts_of, people_in
from bridge.sdk.words import fold

_PHONE = re.compile(r"(?:ext|extension|so may le|may le|so noi bo|may nhanh)\.?\s*:?\s*([0-9]{1,20})", re.ASCII)
_LONGEST_CHAIN = 5
_MOST_STEPS = 100

Clock = Callable[[], datetime]
"""Gives the local time, without a time zone."""


class Phase(StrEnum):
    """Where a rule stands in time."""

    TO_COME = "to come"
    IN_FORCE = "in force"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Rule:
    """For one owner the deputies, in ringing order, and when; `place` says where that is written."""

    owner: str
    deputies: tuple[str, ...]
    first: date | datetime | None
    until: date | datetime | None
    beside: bool
    place: str

    @property
    def begin(self) -> datetime | None:
        """The instant at which it begins, if it has not always held."""
        return begins(self.first) if self.first else None

    def phase(self, at: datetime) -> Phase:
        """Tell whether it holds at an instant."""
        if self.begin and at < self.begin:
            return Phase.TO_COME
        return Phase.OVER if self.until and at >= ends(self.until) else Phase.IN_FORCE

    def __str__(self) -> str:
        """Say it in one line: `lan@… is away from 2026-12-01 until 2026-12-14: minh@… instead (…inline[0])`."""
        period = f"{f' from {written(self.first)}' if self.first else ''}{self.end}"
        how = "beside" if self.beside else "instead"
        return f"{self.owner} is away{period}: {', '.join(self.deputies)} {how} ({self.place})"

    @property
    def end(self) -> str:
        """When it ends, for people; nothing if it does not."""
        return f" until {written(self.until)}" if self.until else ""


class Lists(Protocol):
    """What is known about people's own extensions."""

    def maps(self) -> tuple[ExtensionMap, ...]:
        """Return the lists in force."""

    def understood(self, owner: Owner) -> Sequence[tuple[Owner, tuple[str, ...]]]:
        """Return the people whom an owner turns out to be, each with the own extensions; none who is not known.

        Raises SourceError if that cannot be told.
        """


@dataclass(slots=True)
class Rung:
    """Who is rung in the end; `notes` say which rules had a part in that, `doubts` what is wrong with them."""

    extensions: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def phone_in(text: str) -> str:
    """Return the extension if a text names a phone instead of a person: `ext 101`, `máy lẻ 101`; else nothing."""
    found = _PHONE.fullmatch(fold(text))
    return found[1] if found else ""


def named_in(text: str) -> tuple[str, ...]:
    """Return whom a text names, one by one where it can only be several: phones, e-mails, ids; mostly the text."""
    pieces = several_in(text)
    if any(map(phone_in, pieces)):
        return pieces
    return parts_of(text) or (text,)


class DeputyRules:
    """The rules in force, whichever list they come from."""

    def __init__(self, rules: Callable[[], tuple[Rule, ...]], now: Clock = datetime.now) -> None:
        self._rules = rules
        self.now = now
        self._made = _RulesFor((), (), now())

    def answering(self, owner: Owner, lists: Lists, at: datetime | None = None) -> Rung:
        """Return who is rung for one person, now or at another instant. Raises SourceError if that cannot be told."""
        search = _Search(self._made_for(lists), lists, at or self.now())
        rung = search.rung
        rung.extensions = tuple(dict.fromkeys(search.of(owner, ())))
        return rung

    def all(self) -> tuple[Rule, ...]:
        """Return the rules, also those that are over."""
        return self._rules()

    def concern(self, rule: Rule, owner: Owner, lists: Lists) -> bool:
        """Tell whether a rule is about a person, whether it is in force or not."""
        return rule in self._made_for(lists).about(owner)

    def _made_for(self, lists: Lists) -> "_RulesFor":
        rules, maps = self._rules(), lists.maps()
        made = self._made
        if not made.are_of(rules, maps):
            made = self._made = _RulesFor(rules, maps, self.now())
        return made


class _RulesFor:
    """The rules that are not `over` yet, by the people and phones that they name, as the lists know these.

    Made anew if rules or lists change.
    """

    def __init__(self, rules: tuple[Rule, ...], maps: tuple[ExtensionMap, ...], over: datetime) -> None:
        self._rules, self._maps = rules, maps
        self._of_phone: dict[str, list[Rule]] = {}
        self._written: dict[str, list[Rule]] = {}
        self._of_row: dict[int, list[Rule]] = {}
        for rule in (rule for rule in rules if rule.phase(over) is not Phase.OVER):
            phone = phone_in(rule.owner)
            if phone:
                self._of_phone.setdefault(phone, []).append(rule)
            elif not any(entries.is_shared(rule.owner) for entries in maps):
                self._written.setdefault(rule.owner, []).append(rule)
                for row in _linked_rows(owner_called(rule.owner), maps):
                    self._of_row.setdefault(id(row), []).append(rule)
        self._called = ExtensionMap(of_any_kind=(((owner,), ("0",)) for owner in self._written))

    def are_of(self, rules: tuple[Rule, ...], maps: tuple[ExtensionMap, ...]) -> bool:
        """Tell whether they were made of just these."""
        return are_same(maps, self._maps) and rules is self._rules

    def of_phone(self, extension: str, at: datetime) -> tuple[Rule, ...]:
        """Return the rules in force for a phone, whoever it rings for."""
        return _in_force(self._of_phone.get(extension, ()), at)

    def of_person(self, owner: Owner, at: datetime) -> tuple[Rule, ...]:
        """Return the rules in force for a person."""
        return _in_force(self.about(owner), at) if self._written else ()

    def about(self, owner: Owner) -> list[Rule]:
        """Return all rules for a person."""
        found = [rule for row in self._called.rows_of(owner) for rule in self._written[row.written[0]]]
        rows = rows_of(owner, self._maps)
        found += [rule for row in rows for rule in self._of_row.get(id(row), ())]
        if owner == Owner(extension=owner.extension):
            found += self._of_those_at(owner.extension or "")
        return found

    def _of_those_at(self, extension: str) -> list[Rule]:
        """Return the rules for the one person at a phone, if nothing else is known of the owner."""
        rows = [row for entries in self._maps for row in entries.rows_at(extension)]
        whose = [self._of_row.get(id(row), []) for row in rows]
        return [rule for rule in whose[0] if all(rule in rules for rules in whose)] if whose else []


@dataclass(slots=True)
class _Search:
    """One way from an owner to who is rung at an instant. `seen` are the rules that led where it is."""

    rules: _RulesFor
    lists: Lists
    at: datetime
    rung: Rung = field(default_factory=Rung)
    steps: int = 0

    def of(self, owner: Owner, seen: tuple[Rule, ...]) -> tuple[str, ...]:
        if rules := self.rules.of_person(owner, self.at):
            return self._through(rules, seen, lambda: self._own(owner, (*seen, *rules)))
        return self._own(owner, seen)

    def _own(self, owner: Owner, seen: tuple[Rule, ...]) -> tuple[str, ...]:
        """Return the owner's own extensions, with deputies for phones, and for those of whom the owner consists."""
        found: list[str] = []
        for person, extensions in self.lists.understood(owner):
            rules = self.rules.of_person(person, self.at) if person != owner else ()
            if rules:
                found += self._through(rules, seen, _always(extensions))
            else:
                found += [other for extension in extensions for other in self._of_phone(extension, seen)]
        return tuple(found)

    def _of_phone(self, extension: str, seen: tuple[Rule, ...]) -> tuple[str, ...]:
        rules = self.rules.of_phone(extension, self.at)
        return self._through(rules, seen, _always((extension,))) if rules else (extension,)

    def _through(
        self, rules: tuple[Rule, ...], seen: tuple[Rule, ...], own: Callable[[], tuple[str, ...]]
    ) -> tuple[str, ...]:
        """Return who is rung where these rules hold; `own` gives whom the owner would ring at."""
        self.steps += 1
        if any(rule in seen for rule in rules):
            return self._doubt(f"{rules[0].owner} is away, too: the deputies lead round in a circle")
        if len(seen) >= _LONGEST_CHAIN or self.steps > _MOST_STEPS:
            return self._doubt(f"more than {_LONGEST_CHAIN} deputies one behind the other")
        self.rung.notes += map(str, rules)
        found = list(own()) if all(rule.beside for rule in rules) else []
        for deputy in dict.fromkeys(deputy for rule in rules for deputy in rule.deputies):
            found += self._deputy(deputy, (*seen, *rules))
        if not found and not seen:
            self._doubt(f"no deputy of {rules[0].owner} can be rung: the owner rings as if there were no rule")
            return own()
        return tuple(found)

    def _deputy(self, text: str, seen: tuple[Rule, ...]) -> tuple[str, ...]:
        if phone := phone_in(text):
            rules = self.rules.of_person(Owner(extension=phone), self.at)
            return self._through(rules, seen, _always((phone,))) if rules else self._of_phone(phone, seen)
        doubts = len(self.rung.doubts)
        try:
            found = tuple(other for person in people_in(owner_called(text)) for other in self.of(person, seen))
        except SourceError as error:
            return self._doubt(f"whether {text} has an extension cannot be told: {error}")
        if not found and len(self.rung.doubts) == doubts:
            self._doubt(f"{text} is to answer, and has no extension")
        return found

    def _doubt(self, words: str) -> tuple[str, ...]:
        self.rung.doubts.append(words)
        return ()


def rows_of(owner: Owner, maps: Iterable[ExtensionMap]) -> tuple[Row, ...]:
    """Return the rows of all lists that are an owner's."""
    return tuple(row for entries in maps for row in entries.rows_of(owner))


def _linked_rows(owner: Owner, maps: Iterable[ExtensionMap]) -> Iterable[Row]:
    """Return the same, and the rows that have an e-mail of these."""
    rows = rows_of(owner, maps)
    emails = {email for row in rows for email in row.emails}
    linked = [row for email in emails for row in rows_of(Owner(email=email), maps)]
    return {id(row): row for row in (*rows, *linked)}.values()


def _in_force(rules: Iterable[Rule], at: datetime) -> tuple[Rule, ...]:
    return tuple(dict.fromkeys(rule for rule in rules if rule.phase(at) is Phase.IN_FORCE))


def _always(extensions: tuple[str, ...]) -> Callable[[], tuple[str, ...]]:
    return lambda: extensions
