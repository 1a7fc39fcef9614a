"""What `omi-bridge check` says of known customers: who is answered as expected, and what nobody known has tried.

A number that nobody has shows that a source can be asked, and nothing more: it reaches no owner and no later step, and
where rights are missing everybody is nobody. Only somebody who is known shows the rest.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from bridge.config.expectations import Expectation
from bridge.diagnosis.finding import Finding, Severity
from bridge.diagnosis.judgement import AnswerVerdict, Judgement, ask
from bridge.extensions.lists import ExtensionLists
from bridge.lookup.answer import Answer
from bridge.lookup.guard import Guard
from bridge.sdk.suggestion import did_you_mean
from bridge.sdk.tables.owners import owner_called
from bridge.service import Service

_SUBJECT = "expect"
_STEP = re.compile(r"step ([0-9]+)\b(?!.*: not asked: )", re.ASCII)
_MOST_NAMED = 5

KNOWN = "--known"
"""The key of an expectation that was given on the command line, for once."""

_TOO_LATE = "as expected, but too late"
_EXAMPLE = (
    "expect:",
    "  - {caller: 0901234567, extensions: [101]}",
    "  - {caller: 0912345678, owners: [lan@congty.example]}",
    "  - {caller: 0987654321, extensions: []}   # a customer whom nobody looks after",
)


class Tried:
    """Which connectors answer, which of their steps were asked, and which have found an owner."""

    def __init__(self) -> None:
        self._answer: set[str] = set()
        self._steps: dict[str, set[int]] = {}
        self._found: set[str] = set()

    def hears(self, connector: str) -> Callable[[str], None]:
        """Return what takes the explanations of one connector, which name the steps that are asked."""

        def hear(line: str) -> None:
            if step := _STEP.match(line):
                self._steps.setdefault(connector, set()).add(int(step[1]))

        return hear

    def answers(self, connector: str) -> None:
        """Take note of a connector that can be asked."""
        self._answer.add(connector)

    def judged(self, judgement: Judgement) -> None:
        """Take note of what one known customer has tried: steps only if no two connectors explain at a time."""
        attempts = judgement.decision.attempts
        self._found |= {one.connector for one in attempts if isinstance(one.answer, Answer) and one.answer.owners}
        if len(attempts) == 1:
            for line in judgement.steps:
                self.hears(attempts[0].connector)(line)

    def findings(self, guards: Sequence[Guard]) -> Iterator[Finding]:
        """Tell of those who answer, and of whom nobody knows whether they find anybody."""
        for guard in guards:
            if _asks_elsewhere(guard) and guard.name in self._answer - self._found:
                yield Finding(
                    guard.name,
                    f"no known customer was found here{self._left_out(guard)}, and missing rights or hidden records "
                    "look just so: name one under 'expect:', or try one with --known",
                    Severity.WARNING,
                )

    def _left_out(self, guard: Guard) -> str:
        """Name the steps that were never asked, for connectors that have any."""
        asked = self._steps.get(guard.name, set())
        steps = range(1, len(getattr(guard.connector.config, "steps", ())) + 1)
        left = ", ".join(str(step) for step in steps if step not in asked)
        return f": what names the owner was never read{f', and step {left} never asked' if left else ''}"


def ask_known_customers(service: Service, known: Sequence[Expectation], tried: Tried) -> Iterator[Finding]:
    """Ask for each of them, and say what came; then what nobody known has tried."""
    patience = max(service.deadline, *(guard.timeout for guard in service.guards.values()))
    verdicts: dict[str, int] = dict.fromkeys((*AnswerVerdict, _TOO_LATE), 0)
    for expectation in known:
        judgement = ask(service, expectation, patience, explain=True)
        tried.judged(judgement)
        is_late = judgement.verdict is AnswerVerdict.MET and judgement.seconds > service.deadline
        verdicts[_TOO_LATE if is_late else judgement.verdict] += expectation.key != KNOWN
        yield _finding(judgement, service)
    yield from tried.findings(list(service.guards.values()))
    if total := sum(verdicts.values()):
        counted = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if count)
        yield Finding(_SUBJECT, f"{total} known customer(s): {counted}", _worst(verdicts))
    elif any(map(_asks_elsewhere, service.guards.values())):
        told = "no known customers are named: those are asked for at each check --online and before each reload. Write"
        yield Finding(_SUBJECT, told, Severity.WARNING, _EXAMPLE)


def name_known_customers(service: Service, known: Sequence[Expectation]) -> Iterator[Finding]:
    """Say without asking anybody how many there are, and what of them is doubtful."""
    if known:
        yield Finding(_SUBJECT, f"{len(known)} known customer(s): not asked (--online asks for them)")
    elif any(map(_asks_elsewhere, service.guards.values())):
        yield Finding(_SUBJECT, "no known customers are named (check --online tells how)")
    for one in known:
        yield from (
            Finding(one.key, f"{one.place}: {doubt}", Severity.WARNING) for doubt in _doubts(one, service.extensions)
        )


def _asks_elsewhere(guard: Guard) -> bool:
    """Tell whether another machine is asked about each caller: a list that is fetched whole hides nobody."""
    return guard.connector.needs_network and guard.connector.remembered


def _finding(judgement: Judgement, service: Service) -> Finding:
    expectation, seconds = judgement.expectation, judgement.seconds
    told = f"{judgement} ({seconds * 1000:.0f} ms)"
    steps = judgement.steps if expectation.key == KNOWN else ()
    match judgement.verdict:
        case AnswerVerdict.OTHERWISE:
            details = (*judgement.steps, *_doubts(expectation, service.extensions))
            return Finding(expectation.key, told, Severity.FAILED, details)
        case AnswerVerdict.NOT_ASKED:
            severity = Severity.FAILED if expectation.key == KNOWN else Severity.WARNING
            return Finding(expectation.key, told, severity, steps)
    if seconds > service.deadline:
        late = f"{told}: too late for a call, which waits {service.deadline:g} s (server.deadline)"
        return Finding(expectation.key, late, Severity.FAILED, judgement.steps)
    severity = Severity.WARNING if seconds > service.deadline / 2 else Severity.OK
    return Finding(expectation.key, told, severity, steps)


def _worst(verdicts: dict[str, int]) -> Severity:
    if verdicts[AnswerVerdict.OTHERWISE] or verdicts[_TOO_LATE]:
        return Severity.FAILED
    return Severity.WARNING if verdicts[AnswerVerdict.NOT_ASKED] else Severity.OK


def _doubts(expectation: Expectation, lists: ExtensionLists) -> Iterator[str]:
    """Say which extension or owner no list knows, if all lists could be read and there is one."""
    maps = lists.directory.maps()
    names = [name for entries in maps for row in entries.rows for name in row.written]
    if not names or len(maps) < 1 + bool(lists.file) + len(lists.sources):
        return
    known = {extension for entries in maps for row in entries.rows for extension in row.extensions}
    known |= {extension for source in lists.sources for extension in source.extensions}
    for extension in expectation.extensions or ():
        if extension not in known:
            some = ", ".join(sorted(known)[:_MOST_NAMED])
            yield f"extension {extension} stands in no list of extensions: known there: {some}{_more(known)}"
    for owner in expectation.owners:
        if not any(entries.rows_of(owner_called(owner)) for entries in maps):
            advice = did_you_mean(owner, names) or ": write the e-mail, id, login or name as it stands there"
            yield f"owner {owner} is nobody in the lists of extensions{advice}"


def _more(known: set[str]) -> str:
    return f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
