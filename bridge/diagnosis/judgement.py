"""Whether a known customer is answered as expected: one question by the very way that calls take, and one verdict.

`check`, a reload and the watch in the background all ask here. Only what the sources say now counts, nothing that is
remembered. A source that is away says nothing about the configuration: that is no verdict against it. Deputies
do not count either: an expectation is about who looks after the customer, and holds while somebody is on leave.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import chain

from bridge.config.expectations import Expectation
from bridge.extensions.deputies import rows_of
from bridge.extensions.directory import Directory
from bridge.lookup.answer import Answer
from bridge.lookup.decision import Decision, Outcome
from bridge.sdk.connector import Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceError, SourceRejected, UnexpectedAnswer
from bridge.sdk.tables.owners import owner_called, people_in
from bridge.sdk.words import canonical, visible
from bridge.service import Service

PATIENCE = 5.0
"""Seconds that a reload waits for the answers to all known customers: a source that hangs may not hold it."""

_AT_ONCE = 2
SPELLINGS = "caller "
"""How the line begins that shows the caller's number in all its forms, of which nothing is left where it is masked."""


class AnswerVerdict(StrEnum):
    """What became of an expectation."""

    MET = "as expected"
    OTHERWISE = "answered otherwise"
    NOT_ASKED = "cannot be asked"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came for one known customer, after `seconds`; `told` says it in words, without the customer's number.

    `steps` is what was done, line by line, if that was asked for.
    """

    expectation: Expectation
    verdict: AnswerVerdict
    told: str
    decision: Decision
    seconds: float
    steps: tuple[str, ...] = ()

    @property
    def caller(self) -> str:
        """The customer's last three digits."""
        call = self.decision.call
        return call.caller.masked if call else "…"

    @property
    def tells_of_the_configuration(self) -> bool:
        """Whether the source was there: what it refuses, or says in another shape, has been asked wrongly."""
        failures = [one.answer for one in self.decision.attempts if isinstance(one.answer, SourceError)]
        away = [one for one in failures if not isinstance(one, (SourceRejected, UnexpectedAnswer))]
        return self.verdict is AnswerVerdict.OTHERWISE or (bool(failures) and not away)

    def __str__(self) -> str:
        """Say it in one line, for logs and pages."""
        return f"caller {self.caller} ({self.expectation.place}): {self.verdict}: {self.told}"


def ask(service: Service, expectation: Expectation, seconds: float, *, explain: bool = False) -> Judgement:
    """Ask for one known customer, waiting for so many seconds at most, and judge the answer."""
    steps: list[str] = []
    started = time.monotonic()
    hotlines = [expectation.hotline] if expectation.hotline else []
    hear = steps.append if explain else None
    decision = service.lookup.answer([expectation.caller], hotlines, Deadline.after(seconds), hear, live=True)
    took = time.monotonic() - started
    verdict, told = _judged(expectation, decision, service.extensions.directory)
    if decision.call:
        told = decision.call.caller.masked_in(told)
        steps = [decision.call.caller.masked_in(line) for line in steps if not line.startswith(SPELLINGS)]
    return Judgement(expectation, verdict, told, decision, took, tuple(steps))


@dataclass(frozen=True, slots=True)
class ReloadJudgement:
    """What known customers say of a new configuration: why it is refused, if it is, and who is not met by it."""

    refusals: tuple[str, ...]
    unmet: tuple[Judgement, ...]


def judge(new: Service, in_force: Service, patience: float = PATIENCE) -> ReloadJudgement:
    """Ask the new configuration for all whom it expects, within so many seconds altogether.

    Refused is one that answers somebody otherwise whom the configuration in force answers as expected, just now; or
    one whose question the source refuses, or answers in a shape that does not fit. That a source is away refuses none.
    """
    end = Deadline.after(patience)
    with ThreadPoolExecutor(_AT_ONCE, "expect") as pool:
        pairs = list(pool.map(partial(_compared, new, in_force, end), new.config.expectations))
    unmet = tuple(judgement for judgement, _ in pairs if judgement.verdict is not AnswerVerdict.MET)
    return ReloadJudgement(tuple(refusal for _, refusal in pairs if refusal), unmet)


def _compared(new: Service, in_force: Service, end: Deadline, expectation: Expectation) -> tuple[Judgement, str]:
    """Return what the new configuration answers, and why that is worse than what is answered now, if it is."""
    judgement = ask(new, expectation, min(new.deadline, end.remaining()))
    if judgement.verdict is AnswerVerdict.MET or not judgement.tells_of_the_configuration:
        return judgement, ""
    before = ask(in_force, expectation, min(in_force.deadline, end.remaining()))
    if before.verdict is not AnswerVerdict.MET:
        return judgement, ""
    is_met = "the configuration in force answers as expected; check --online shows each step"
    return judgement, f"{expectation.key}: {judgement}; {is_met}"


def _judged(expectation: Expectation, decision: Decision, directory: Directory) -> tuple[AnswerVerdict, str]:
    """Return the verdict and the reason."""
    if decision.outcome is Outcome.UNAVAILABLE:
        return AnswerVerdict.NOT_ASKED, decision.reason
    came = f"extension {', '.join(decision.extensions)}" if decision.extensions else "nobody"
    if _is_met(expectation, decision, directory):
        instead = expectation.extensions is not None and expectation.extensions != decision.extensions
        deputies = f" for {expectation.wanted}, by deputies" if instead else ""
        owners = f"{expectation.wanted}: " if expectation.owners else ""
        return (
            AnswerVerdict.MET,
            f"{owners}{came}{deputies}{f', from {decision.connector}' if decision.connector else ''}",
        )
    because = "; ".join(dict.fromkeys((*decision.because(), decision.reason or decision.outcome)))
    if any(isinstance(one.answer, Answer) and one.answer.missing for one in decision.attempts):
        return AnswerVerdict.NOT_ASKED, f"only a part was answered: {because}"
    return AnswerVerdict.OTHERWISE, f"expected {expectation.wanted}, got {came}: {because}"


def _is_met(expectation: Expectation, decision: Decision, directory: Directory) -> bool:
    if expectation.owners:
        return _are_those(expectation.owners, tuple(_rung(decision, directory)), directory)
    if expectation.extensions is None:
        return bool(decision.extensions)
    return expectation.extensions in {decision.extensions, _own(decision, directory)}


def _own(decision: Decision, directory: Directory) -> tuple[str, ...]:
    """Return where the owners would ring if nobody were away."""
    try:
        found = [directory.find(owner) for owner, _ in decision.owners]
    except SourceError:
        return decision.extensions
    return tuple(dict.fromkeys(chain.from_iterable(found)))


def _rung(decision: Decision, directory: Directory) -> Iterator[Owner]:
    """Give the people among the owners who are rung, they or their deputies."""
    for person in chain.from_iterable(people_in(owner) for owner, reach in decision.owners if reach.extensions):
        try:
            rung = directory.extensions_of(person)
        except SourceError:
            continue
        if rung:
            yield person


def _are_those(texts: Sequence[str], people: Sequence[Owner], directory: Directory) -> bool:
    """Tell whether the people are those whom the texts name, all of them and nobody else."""
    meant = [[person for person in people if _is_called(text, person, directory)] for text in texts]
    return all(meant) and all(person in chain.from_iterable(meant) for person in people)


def _is_called(text: str, person: Owner, directory: Directory) -> bool:
    """Tell whether a text is one of the person's own, or stands in the person's row of a list of extensions."""
    own = (person.email, person.login, person.name)
    if visible(text) == visible(person.id or "") or canonical(text) in {canonical(name) for name in own if name}:
        return True
    theirs = rows_of(person, directory.maps())
    return any(row in theirs for row in rows_of(owner_called(text), directory.maps()))
