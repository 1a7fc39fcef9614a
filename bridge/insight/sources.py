"""How each source does, for a page that people read: all that the service knows without asking any of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bridge.insight.client import AnswerRefused
from bridge.insight.line_mask import LineMask
from bridge.lookup.guard import Guard
from bridge.sdk.connector import Attention
from bridge.sdk.errors import SourceBusy
from bridge.sdk.shared import Turns
from bridge.service import Service

PER_MINUTE = 6
"""How many trials by hand a minute, of all sources together: a refusal may be counted at the CRM."""

_MOST_LINES = 20

Page = Callable[[], Mapping[str, object]]
"""Gives what `/healthz` shows, which all processes say together."""


class Sources:
    """Tells of the service that is in force; `turns` count all processes' trials by hand."""

    def __init__(self, current: Callable[[], Service], page: Page, mask: LineMask, turns: Turns) -> None:
        self._current = current
        self._page = page
        self._mask = mask
        self._turns = turns

    def answer(self, _question: Mapping[str, object]) -> Mapping[str, object]:
        """Return what `/healthz` shows, and the state of each connector and each list of extensions."""
        service = self._current()
        seen = service.snapshot(0)
        return {
            **self._page(),
            "deadline": service.deadline,
            "connectors": [self._connector(guard, service, seen.ages.get(guard.name)) for guard in seen.connectors],
            "lists": [
                {"name": name, "age": round(age)} for name, age in seen.ages.items() if name.startswith("extensions.")
            ],
            "without_extension": seen.without_extension,
        }

    def try_now(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        """Try the source `name` once, if it is left alone. Raises AnswerRefused: `well`, `try-often` or `no-trial`."""
        guard = self._current().guards.get(str(question.get("name")))
        if guard is None or not guard.is_left_alone:
            raise AnswerRefused("well")
        try:
            wait = self._turns.book(PER_MINUTE, 0.0)
        except SourceBusy:
            wait = 1.0
        if wait > 0:
            raise AnswerRefused("try-often")
        if not guard.try_now():
            raise AnswerRefused("no-trial")
        return {"name": guard.name}

    def _connector(self, guard: Guard, service: Service, age: float | None) -> Mapping[str, object]:
        counted = guard.read_ahead.snapshot.counted() if guard.read_ahead else None
        return {
            "name": guard.name,
            "type": str(service.config.sources[guard.name].written.get("type", "")),
            "left_alone": guard.is_left_alone,
            "in_flight": guard.in_flight,
            "max_in_flight": guard.connector.config.max_in_flight,
            "remembered": guard.entries,
            "age": None if age is None else round(age),
            "doubted": bool(guard.connector.kept.doubted),
            "read_ahead": counted,
            "report": list(self._report(guard)),
        }

    def _report(self, guard: Guard) -> Iterator[Mapping[str, object]]:
        for line in guard.report()[:_MOST_LINES]:
            yield {"text": self._mask(line), "attention": isinstance(line, Attention)}
