"""How much slower cached answers become when the CRM hangs: their p99 then against their p99 while it is well.

    python bench/hung.py

The load is the same all the while: calls of remembered customers and, among them, of people never seen before, for
whom the CRM has to be asked. The CRM hangs and is well again in turn.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random
from statistics import median

from figures import percentile, table, verdict
from load import Planned, Seen, call, question
from servers import KEY, crm, get, service

ROUNDS, SECONDS, KNOWN_RATE, UNKNOWN_RATE = 5, 5.0, 200, 20
CUSTOMERS = 500
MOST = 1.5
WELL, HUNG = 0.001, 3600.0  # seconds that the CRM takes

_unknown, _chance = count(), Random(1)


def main() -> None:
    with crm() as source, service(source) as port:
        ask = partial(get, port)
        assert {ask(_target(_customer(n))) for n in range(CUSTOMERS)} == {b"101"}
        load = partial(call, port)
        load(_plan())
        rounds = [(_phase(source, WELL, ask, load), _phase(source, HUNG, ask, load)) for _ in range(ROUNDS)]
    rows = [_row("well", [well for well, _ in rounds]), _row("hung", [hung for _, hung in rounds])]
    print(f"milliseconds; {KNOWN_RATE} calls a second of remembered customers, {UNKNOWN_RATE} of unknown people")
    table(["the CRM is", "p50", "p99", "longest", "wrong", "calls", "unknown people: owner named"], rows)
    ratios = [percentile(_known(hung), 0.99) / percentile(_known(well), 0.99) for well, hung in rounds]
    print(f"p99 of a hung round against the well one before it: {min(ratios):.2f} to {max(ratios):.2f}")
    verdict("cached answers' p99, hung against well", median(ratios), most=MOST)


def _phase(
    source: int, delay: float, ask: Callable[[str], bytes], load: Callable[[list[Planned]], list[Seen]]
) -> list[Seen]:
    get(source, f"/delay?seconds={delay}")
    end = time.monotonic() + 15
    while delay == WELL and ask(_target(_stranger())) != b"101" and time.monotonic() < end:
        time.sleep(0.2)  # the bridge notices within seconds that the CRM is well again
    return load(_plan())


def _plan() -> list[Planned]:
    known = [
        Planned(at, _question(_customer(_chance.randrange(CUSTOMERS))), b"101", "known") for at in _moments(KNOWN_RATE)
    ]
    unknown = [Planned(at, _question(_stranger()), b"101", "unknown") for at in _moments(UNKNOWN_RATE)]
    return sorted(known + unknown, key=lambda planned: planned.at)


def _moments(rate: float) -> list[float]:
    """Return random moments of a phase, as people call."""
    return [_chance.uniform(0, SECONDS) for _ in range(int(rate * SECONDS))]


def _row(name: str, phases: list[list[Seen]]) -> list[str]:
    known = [_known(phase) for phase in phases]
    figures = [median(percentile(times, share) for times in known) for share in (0.5, 0.99, 1.0)]
    calls = [seen for phase in phases for seen in phase]
    wrong = sum(not seen.right for seen in calls if seen.kind == "known")
    named = sum(seen.right for seen in calls if seen.kind == "unknown")
    return [name, *(f"{figure:.2f}" for figure in figures), str(wrong), str(len(calls)), str(named)]


def _known(phase: list[Seen]) -> list[float]:
    return [seen.seconds * 1000 for seen in phase if seen.kind == "known"]


def _customer(number: int) -> str:
    return f"0901{number:06d}"


def _stranger() -> str:
    return f"098{next(_unknown):07d}"


def _target(phone: str) -> str:
    return f"/get_owner_contact_by_phone?phoneNumber={phone}&sipNumber=842499950291"


def _question(phone: str) -> bytes:
    return question(_target(phone), KEY)


if __name__ == "__main__":
    main()
