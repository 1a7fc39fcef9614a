"""What a cached answer costs as the number of remembered customers grows from a thousand to a million.

    python bench/remembered.py

Measured in this process, from the texts that OMICall sends to the decision, since HTTP around it would hide a growth.
Callers are drawn evenly from all customers, which is the hardest for a processor's caches.
"""

import resource
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median

from figures import table, verdict

from bridge.config.routes import RouteRule
from bridge.config.sections import Cache
from bridge.extensions.directory import Directory
from bridge.lookup.decision import Outcome
from bridge.lookup.guard import Guard
from bridge.lookup.lookup import Lookup, Plan
from bridge.sdk.connector import Call, Connector, ConnectorConfig, Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache

SIZES = (1_000, 10_000, 100_000, 1_000_000)
ROUNDS, ANSWERS = 15, 10_000
HOTLINE = "842499950291"
MOST = 1.3


class NeverAsked(Connector[ConnectorConfig]):
    """A source that everything is remembered of."""

    Config = ConnectorConfig
    reads_hotline = False

    def find_owners(self, _call: Call, _deadline: Deadline) -> Sequence[Owner]:
        """Never happens."""
        raise AssertionError("every caller is remembered")


def main() -> None:
    filled = [_remembering(size) for size in SIZES]
    chance = Random(1)
    pairs = [(lookup, size) for size, (lookup, _) in zip(SIZES, filled, strict=True)]
    rounds = [[_microseconds(lookup, size, chance) for lookup, size in pairs] for _ in range(ROUNDS)]
    times = [median(column) for column in zip(*rounds, strict=True)]
    rows = [
        [f"{size:,}", f"{took:.1f}", f"{took / min(times):.2f}", f"{memory / size:.0f}", f"{memory / 1e6:.0f}"]
        for size, took, (_, memory) in zip(SIZES, times, filled, strict=True)
    ]
    table(["customers", "us an answer", "against the fastest", "bytes a customer", "MB"], rows)
    verdict("slowest against fastest", max(times) / min(times), most=MOST)


def _remembering(size: int) -> tuple[Lookup, int]:
    """Return a lookup that remembers so many customers, and the memory that they take, in bytes."""
    before = _memory()
    cache = AnswerCache(Cache(ttl=86400.0, max_entries=size))
    for number in range(size):
        cache.put(Call(PhoneNumber(f"+8490{number:07d}")), (Owner(email=f"nv{number % 300}@congty.example"),))
    used = _memory() - before
    directory = Directory({f"nv{number}@congty.example": [str(100 + number)] for number in range(300)})
    guard = Guard("crm", NeverAsked(ConnectorConfig()), cache)
    return Lookup({"crm": guard}, directory, Plan([RouteRule(frozenset(), ("crm",))])), used


def _microseconds(lookup: Lookup, size: int, chance: Random) -> float:
    callers = [[f"090{chance.randrange(size):07d}"] for _ in range(ANSWERS)]
    started = time.perf_counter()
    for caller in callers:
        decision = lookup.answer(caller, [HOTLINE], Deadline.after(1.8))
        assert decision.outcome is Outcome.FOUND
    return (time.perf_counter() - started) / ANSWERS * 1e6


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
