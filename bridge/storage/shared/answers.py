"""Answers of one connector, known to all instances, and one instance asking while the others wait for what it hears.

An instance looks here before it asks the source; what it finds goes into its own memory with its age, so that the lives
of the configuration count from the moment at which the source said it, whoever was told. Who asks holds a lock for a
moment only: an instance that dies, or whose way to the source is the slow one, holds up nobody for longer.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bridge.resilience.sanitizing import sanitised_owners
from bridge.sdk.connector import Call, Owner, Owners
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.threads.cancellation import cut_off_if_useless
from bridge.storage.answer_table import written_owner
from bridge.storage.cache import AnswerCache, Remembered
from bridge.storage.forgotten import Matches
from bridge.storage.shared.backend import LIMIT, Silent
from bridge.storage.shared.named_values import NamedValues, growing_pauses


class Turn:
    """One question's way past the shared memory: an answer that is known, or the right to ask."""

    def __init__(self, answers: "SharedAnswers | None" = None, question: Call | None = None) -> None:
        self.known: Remembered | None = None
        """The answer, if the source need not be asked."""
        self.token = ""
        self._answers = answers
        self._question = question

    def tell(self, owners: Owners, asked_at: float) -> None:
        """Let the others know what the source said, asked at a time of the cache's clock; never waits."""
        if self._answers and self._question:
            self._answers.publish(self._question, owners, self.token, asked_at)
            self.token = ""


class SharedAnswers:
    """The answers in a namespace; `cache` is this instance's own memory."""

    def __init__(self, namespace: NamedValues, cache: AnswerCache) -> None:
        self.namespace = namespace
        self._cache = cache

    @property
    def is_silent(self) -> bool:
        """Whether the shared memory is left alone just now."""
        return self.namespace.is_silent

    def recall(self, question: Call) -> Remembered | None:
        """Take over what the others know, and return what is remembered then; waits a tenth of a second at most."""
        with suppress(Silent):
            self._look(question, LIMIT)
        return self._cache.get(question)

    @contextmanager
    def turn(self, question: Call, patience: float, *, ahead: bool = False) -> Iterator[Turn]:
        """Give the answer, or the turn to ask: at once if no other instance is asking, else `patience` seconds later.

        `ahead` is to renew an answer before its life ends: one that is in its last part does not count then, and what
        another instance is asking need not be asked here, which raises SourceBusy. Whoever waits for another instance
        is cut off if nobody waits for him: his place is for who asks.
        """
        turn = Turn(self, question)
        with suppress(Silent):  # then everybody asks for himself
            self._wait_for(turn, question, patience, ahead=ahead)
        try:
            yield turn
        finally:
            if turn.token:
                self.namespace.give_back(_name(question), turn.token)

    def remove(self, question: Call) -> bool:
        """Let nobody find the answer any more; tell whether there was one. Raises Silent."""
        return self.namespace.remove(_name(question))

    def forget(self, matches: Matches) -> None:
        """Leave nothing of these callers where names can be read; elsewhere who forgets has to name them: `remove`."""
        self.namespace.forget(lambda name: matches(name.split(" ")[1]))

    def publish(self, question: Call, owners: Owners, token: str, asked_at: float | None = None) -> None:
        """Put what the source said, asked at a time of the cache's clock or just now, for as long as it is of use."""
        settings = self._cache.settings
        age = 0.0 if asked_at is None else self._cache.now() - asked_at
        seconds = settings.ttl + settings.stale_ttl if owners else settings.negative_ttl
        self.namespace.publish(_name(question), _written(owners, age), seconds - age, token)

    def _wait_for(self, turn: Turn, question: Call, patience: float, *, ahead: bool) -> None:
        end, pauses, useless = Deadline.after(patience), growing_pauses(), threading.Event()
        while True:
            at_once = Deadline.after(LIMIT)
            locked = self._look(question, LIMIT)
            known = self._cache.get(question)
            if known and known.fresh and not (ahead and known.due):
                turn.known = known
                return
            if not locked:
                turn.token = self.namespace.take(_name(question), patience, at_once.remaining())
            if turn.token or end.expired():
                return
            if ahead:
                raise SourceBusy("another process asks already")
            with cut_off_if_useless(useless.set):
                useless.wait(min(next(pauses), end.remaining()))

    def _look(self, question: Call, patience: float) -> bool:
        """Take over what is known; tell whether an instance is asking. Raises Silent."""
        began = self._cache.now()
        value, locked = self.namespace.look(_name(question), patience)
        found = _read(value.content) if value else None
        if value and found:
            self._cache.adopt(question, found[0], found[1] + value.age, began)
        return locked


def _name(question: Call) -> str:
    return f"answer {question.caller.e164} {question.hotline.e164 if question.hotline else ''}"


def _written(owners: Owners, age: float) -> bytes:
    return json.dumps({"owners": [written_owner(owner) for owner in owners], "age": age}).encode()


def _read(content: bytes) -> tuple[Owners, float] | None:
    """Return the owners, and how old they were when they were put; None if another version wrote it in its own way."""
    try:
        found = json.loads(content)
        return sanitised_owners([Owner(**fields) for fields in found["owners"]]), max(0.0, float(found["age"]))
    except (ValueError, TypeError, KeyError):
        return None
