"""A rehearsal: calls at a steady rate, whatever the speed of the answers, and what became of them.

Calls do not wait for each other (an open loop), as customers do not: a service that falls behind is not spared the
calls that it delays, and each call's time counts from when it was due.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlsplit

from bridge.commands.simulate.call import Result, Target, Verdict, call
from bridge.config.sections import Server
from bridge.insight.figures import EDGES

OUTCOME = "x-bridge-outcome"
"""The header in which the bridge says how it has decided."""

USUAL_PATH = str(Server.model_fields["path"].default)
"""The endpoint's path, unless the configuration says otherwise."""

_NOT_FOUND = "404"
_NOBODY_TO_RING = {"nobody", "unmapped", "invalid-number"}
"""What a bridge says of an empty answer that it is sure of. Another endpoint may say nothing at all."""

_SHOWN = 10
_LAG = 0.1


@dataclass(frozen=True, slots=True)
class RehearsalPlan:
    """What is rehearsed: `rate` calls a second for `duration` seconds, for these callers in turn.

    `expected` says for some callers which body is right.
    """

    target: Target
    phones: Sequence[str]
    rate: float
    duration: float
    expected: Mapping[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """The number of calls, one at least."""
        return max(1, round(self.rate * self.duration))


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all calls."""

    plan: RehearsalPlan
    results: Sequence[Result]
    lag: float
    """Seconds by which this machine itself was late at most in sending a call."""

    @property
    def passed(self) -> bool:
        """Tell whether every call was answered in time, properly, and as expected."""
        return all(result.verdict is Verdict.IN_TIME for result in self.results)

    @property
    def unavailable(self) -> int:
        """The number of calls of which the bridge said itself that no source could answer."""
        return self.header(OUTCOME)["unavailable"]

    @property
    def asked_the_root(self) -> bool:
        """Tell whether nothing was found at an address without a path, which is hardly ever what was meant."""
        found = {result.detail for result in self.results}
        return urlsplit(self.plan.target.url).path in {"", "/"} and found == {_NOT_FOUND}

    @property
    def reached_nobody(self) -> bool:
        """Tell whether no call found anybody listening."""
        return bool(self.results) and all(result.verdict is Verdict.NO_CONNECTION for result in self.results)

    @property
    def lagged(self) -> bool:
        """Tell whether the calls were not sent at a steady rate: then the figures say more about this machine."""
        return self.lag > _LAG

    def verdicts(self) -> Counter[str]:
        """Count what became of the calls."""
        return Counter(result.verdict.value for result in self.results)

    def header(self, name: str) -> Counter[str]:
        """Count the values of a header of the answers."""
        return Counter(found for result in self.results if (found := result.headers.get(name)))

    def percentile(self, share: float) -> float:
        """Return the time in seconds within which this share of the calls was over (nearest rank)."""
        times = sorted(result.seconds for result in self.results)
        return times[max(0, -int(-share * len(times) // 1) - 1)]

    def histogram(self) -> list[tuple[float, int]]:
        """Count the calls by the class that their time falls into; the last class has no upper edge."""
        counts = Counter(
            next((edge for edge in EDGES if result.seconds <= edge), float("inf")) for result in self.results
        )
        return [(edge, counts[edge]) for edge in (*EDGES, float("inf"))]

    def wrong(self) -> Sequence[Result]:
        """Return the first of the calls that went wrong, each caller once for each thing that went wrong."""
        wrong = {
            (result.phone, result.detail): result
            for result in reversed(self.results)
            if result.verdict is not Verdict.IN_TIME
        }
        return sorted(wrong.values(), key=self.results.index)[:_SHOWN]

    def as_json(self) -> dict[str, Any]:
        """Return all of it for machines."""
        details = Counter(f"{result.verdict}: {result.detail}" for result in self.results if result.detail)
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
        return {
            "passed": self.passed,
            "calls": len(self.results),
            "rate": self.plan.rate,
            "duration": self.plan.duration,
            **{verdict.value.replace(" ", "_"): self.verdicts()[verdict.value] for verdict in Verdict},
            "details": details,
            "outcomes": self.header(OUTCOME),
            "answers": self.header("x-bridge-answer"),
            "seconds": {name: round(self.percentile(share), 4) for name, share in shares.items()},
            "histogram": [
                {"le": edge if edge != float("inf") else None, "calls": count} for edge, count in self.histogram()
            ],
            "send_lag": round(self.lag, 4),
        }


async def rehearse(plan: RehearsalPlan, progress: Callable[[], None]) -> Report:
    """Make all calls of the plan; `progress` is told of each that is over."""
    results: list[Result] = []
    lag = 0.0

    async def one(phone: str, due: float) -> None:
        results.append(_compared(await call(plan.target, phone, due), plan.expected))
        progress()

    start = time.monotonic()
    async with asyncio.TaskGroup() as calls:
        for number, phone in enumerate(islice(cycle(plan.phones), plan.calls)):
            due = start + number / plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            lag = max(lag, time.monotonic() - due)
            calls.create_task(one(phone, due))
    return Report(plan, results, lag)


def _compared(result: Result, expected: Mapping[str, str]) -> Result:
    right = expected.get(result.phone)
    if result.verdict is not Verdict.IN_TIME or right is None:
        return result
    outcome = result.headers.get(OUTCOME, "nobody")
    if right == result.body and (right or outcome in _NOBODY_TO_RING):
        return result
    detail = f"{result.body or outcome} instead of {right or 'nobody'}"
    return replace(result, verdict=Verdict.WRONG_ANSWER, detail=detail)
