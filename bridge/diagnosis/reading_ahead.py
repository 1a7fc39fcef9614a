"""What `check` tells of customers read ahead: how far they are, what a reading takes, and whether that can be kept.

How long a reading takes is told before there ever was one: the first page says how many customers it holds and, with
many a CRM, how many there are; `max_rate` says how many pages a minute may be asked for.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.diagnosis.finding import Finding, Severity
from bridge.lookup.guard import Guard
from bridge.resilience.sanitizing import failure_of
from bridge.sdk.connector import CustomerPage
from bridge.sdk.http.rate_limit import Rate
from bridge.sdk.settings import written_duration
from bridge.sdk.shared import at_hand
from bridge.storage.snapshot.snapshot import CustomerSnapshot, spoken

_DAY = 86400.0
_NOBODY = "may the credentials read customers, and is the list's own filter right?"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A reading of all customers: its requests, and the seconds that `max_rate` makes of them."""

    requests: int
    seconds: float

    @classmethod
    def of(cls, customers: int, of_a_page: int, rate: Rate | None) -> "Estimate":
        """Compute it; without a rate nobody knows how long it takes."""
        requests = math.ceil(customers / max(1, of_a_page))
        allowed = rate.in_background if rate else None
        return cls(requests, requests * allowed.seconds / allowed.count if allowed else 0.0)

    def a_day(self, every: float, whole: float | None) -> int:
        """Return the requests a day; `whole` is how often all are read where changes are told in between."""
        if whole is None:
            return round(self.requests * _DAY / max(every, self.seconds, 1.0))
        return round(self.requests * _DAY / max(whole, self.seconds, 1.0) + _DAY / every)


def judge_snapshot(guard: Guard, snapshot: CustomerSnapshot, *, online: bool) -> Iterator[Finding]:
    """Tell how far the customers are read, and what reading them takes; `online` asks for a first page if need be."""
    snapshot.look()
    facts = snapshot.in_force.facts if snapshot.in_force else {}
    if snapshot.age is not None:
        yield _in_force(guard, snapshot, facts.get("seen", 0), facts.get("numbers", 0))
    if progress := snapshot.progress():
        yield Finding(guard.name, f"snapshot: {progress}")
    if facts.get("pages"):
        yield _judged(guard, snapshot, Estimate(int(facts["pages"]), float(facts.get("took", 0.0))))
    elif online:
        yield _first_page(guard, snapshot)


def _in_force(guard: Guard, snapshot: CustomerSnapshot, customers: int, numbers: int) -> Finding:
    """Tell what answers by now, or why it does not."""
    told = f"snapshot: {customers:,} customers with {numbers:,} numbers, read {spoken(snapshot.age or 0.0)} ago"
    if not numbers:
        return Finding(guard.name, f"{told}: {_NOBODY}", Severity.WARNING)
    if not snapshot.is_fresh:
        return Finding(guard.name, f"{told}: too old to answer while the source can be asked", Severity.WARNING)
    return Finding(guard.name, told)


def _first_page(guard: Guard, snapshot: CustomerSnapshot) -> Finding:
    """Ask for the first page of the list: whether it can be read at all is better known now."""
    connector = guard.connector
    try:
        with at_hand(connector.shared):
            page = next(iter(connector.list_customers()), CustomerPage())
    except BaseException as error:  # noqa: BLE001 - a stranger's code
        return Finding(guard.name, f"snapshot: {failure_of(guard.name, error)}", Severity.FAILED)
    if not page.records:
        return Finding(guard.name, f"snapshot: the first page holds no customer: {_NOBODY}", Severity.WARNING)
    if page.total is None:
        return Finding(
            guard.name, f"snapshot: can be read: {page.records} customers on the first page, of how many is not told"
        )
    return _judged(guard, snapshot, Estimate.of(page.total, page.records, getattr(connector.config, "max_rate", None)))


def _judged(guard: Guard, snapshot: CustomerSnapshot, estimate: Estimate) -> Finding:
    settings = snapshot.settings
    whole = max(settings.whole, settings.every) if guard.connector.lists_changes else None
    told = (
        f"snapshot: all customers take {spoken(estimate.seconds)} and {estimate.requests:,} requests; "
        f"{estimate.a_day(settings.every, whole):,} requests a day"
    )
    kept = settings.every if whole is None else whole
    if estimate.seconds <= kept:
        return Finding(guard.name, told)
    key = "every" if whole is None else "whole"
    advice = f"'{key}: {written_duration(kept)}' cannot be kept: write '{key}: {_rounded(estimate.seconds)}' or more"
    return Finding(guard.name, f"{told}: {advice}, or raise max_rate if the CRM allows it", Severity.WARNING)


def _rounded(seconds: float) -> str:
    return f"{math.ceil(seconds * 1.25 / 300) * 5}m"
