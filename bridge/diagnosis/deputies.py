"""What `omi-bridge check` says about deputies: who is away now and soon, what is over, and which rules lead nowhere.

A rule is tried at the instant at which it begins to matter, by the way that calls take: two people who are away at the
same time and stand in for each other are found on the later one's first day.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bridge.diagnosis.finding import Finding, Severity, at_most
from bridge.extensions.deputies import Phase, Rule, phone_in, rows_of
from bridge.extensions.lists import ExtensionLists
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceError
from bridge.sdk.tables.owners import owner_called

_SUBJECT = "deputies"
_SOON = timedelta(days=14)


class DeputyReport:
    """What is to be said about the rules of `lists`.

    `owners` are those whom the connectors name, None if not all of them can, or were not asked.
    """

    def __init__(self, lists: ExtensionLists, owners: Sequence[Owner] | None = None) -> None:
        self._lists = lists
        self._directory = lists.directory
        self._owners = owners
        self._now = lists.directory.deputies.now()

    def findings(self) -> Iterator[Finding]:
        """Give the report, nothing if nobody has a deputy."""
        rules = self._directory.deputies.all()
        if not rules:
            return
        phases = {phase: [rule for rule in rules if rule.phase(self._now) is phase] for phase in Phase}
        counted = ", ".join(f"{len(found)} {phase}" for phase, found in phases.items())
        zone = self._now.astimezone().strftime("%z")
        yield Finding(_SUBJECT, f"it is {self._now:%Y-%m-%d %H:%M} here (UTC{zone}): rules: {counted}")
        unread = [source.name for source in self._lists.sources if not source.ready]
        standing = [*phases[Phase.IN_FORCE], *phases[Phase.TO_COME]]
        wrong = {} if unread else {rule: lines for rule in standing if (lines := list(self._wrong_with(rule)))}
        now = [rule for rule in phases[Phase.IN_FORCE] if rule not in wrong]
        soon = [rule for rule in phases[Phase.TO_COME] if rule.begin and rule.begin <= self._now + _SOON]
        yield from at_most(_SUBJECT, (f"now: {rule}" for rule in now), Severity.OK)
        yield from at_most(_SUBJECT, (f"soon: {rule}" for rule in soon if rule not in wrong), Severity.OK)
        yield from at_most(
            _SUBJECT, (f"over, and may be taken out: {rule}" for rule in phases[Phase.OVER]), Severity.OK
        )
        if unread:
            yield Finding(
                _SUBJECT, f"where the rules lead to cannot be told before {', '.join(unread)} is read (--online)"
            )
            return
        yield from at_most(_SUBJECT, (line for lines in wrong.values() for line in lines), Severity.WARNING)

    def _wrong_with(self, rule: Rule) -> Iterator[str]:
        """Say what is wrong with a rule that is in force, or will be."""
        if doubt := self._doubt(rule):
            yield f"{rule.place}: {doubt}"
            return
        phone = phone_in(rule.owner)
        owner = Owner(extension=phone) if phone else owner_called(rule.owner)
        begin = max(self._now, rule.begin or datetime(1, 1, 1))  # noqa: DTZ001 - local time, as everywhere here
        try:
            doubts = self._directory.deputies.answering(owner, self._directory, begin).doubts
        except SourceError as error:
            doubts = [f"cannot be judged without all lists of extensions: {error}"]
        yield from (f"{rule.place}: {line}" for line in doubts)
        yield from self._others_at_the_phone(rule, owner)

    def _doubt(self, rule: Rule) -> str:
        """Say why a rule holds for nobody, or nothing."""
        if phone_in(rule.owner):
            return ""
        maps = self._directory.maps()
        if any(entries.is_shared(rule.owner) for entries in maps):
            return f"several people are called {rule.owner}: the rule holds for none of them: write the e-mail"
        if self._owners is None or rows_of(owner_called(rule.owner), maps):
            return ""
        if any(self._is(rule, owner) for owner in self._owners):
            return ""
        advice = f": if the phone is meant, write `ext {rule.owner}`" if rule.owner.isdigit() else ""
        return f"{rule.owner} is nobody whom a connector or a list names{advice}"

    def _others_at_the_phone(self, rule: Rule, owner: Owner) -> Iterator[str]:
        """Tell of those who ring at the phone of whom is away, and are not known to be the same person."""
        mine = () if owner.extension else self._directory.find(owner)
        for other in self._owners or ():
            shared = [extension for extension in self._directory.find(other) if extension in mine]
            if shared and not self._is(rule, other):
                yield (
                    f"{rule.place}: {other} rings at {', '.join(shared)}, too, and is not known to be {rule.owner}: "
                    f"if it is the same person, write `ext {shared[0]}` as the owner, or both names"
                )

    def _is(self, rule: Rule, owner: Owner) -> bool:
        people = (owner, *(person for person, _ in self._directory.people(owner)))
        return any(self._directory.deputies.concern(rule, person, self._directory) for person in people)
