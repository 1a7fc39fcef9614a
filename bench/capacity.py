"""How many calls a second one core, one process and several processes answer: the figures behind docs/scaling.md.

    python bench/capacity.py

Remembered customers are asked for over kept connections (as a proxy does) and over one for each call; customers never
seen before are looked up in a CRM that takes 50 ms. One process is held on one core, the load on another. Two processes
on two cores share one of them with the load; so what they would do without it is told by two that share the first core.
"""

import http.client
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from figures import percentile, table, verdict
from load import Planned, answers_per_second, call, question
from servers import KEY, crm, get, service

CUSTOMERS, SECONDS, CALLERS = 500, 4.0, 16
TARGETS = [f"/get_owner_contact_by_phone?phoneNumber=0901{n:06d}" for n in range(CUSTOMERS)]
LIVE_RATES = (50, 100, 200, 300)
CRM_SECONDS = 0.05
ARRANGEMENTS = (
    ("one process, one core", 1, {0}),
    ("two processes, one core", 2, {0}),
    ("two processes, two cores", 2, {0, 1}),
)
_strangers = count()


def main() -> None:
    rows, rates = [], {}
    with crm() as source:
        for name, workers, cores in ARRANGEMENTS:
            with _held_on(cores), service(source, workers=workers) as port:
                _held_back()
                rates[name] = dict(_remembered(port))
                rows += [[name, f"remembered, {what}", f"{rate:.0f} calls/s"] for what, rate in rates[name].items()]
                rows += [[name, what, figure] for what, figure in _new(source, port)]
    table(["", "what", "reached"], rows)
    one, two = (rates[name] for name, _, _ in ARRANGEMENTS[:2])
    for what, rate in one.items():
        verdict(f"two processes on two cores, were both theirs, against one, {what}", 2 * two[what] / rate, least=1.7)


def _remembered(port: int) -> Iterator[tuple[str, float]]:
    for target in TARGETS:
        assert get(port, target) == b"101"
    requests = [question(target, KEY) for target in TARGETS]
    yield "kept connections", answers_per_second(port, requests, b"101", SECONDS, CALLERS)
    yield "a connection for each call", answers_per_second(port, requests, b"101", SECONDS, CALLERS, anew=True)


def _new(source: int, port: int) -> Iterator[tuple[str, str]]:
    _crm_takes(source, CRM_SECONDS)
    for rate in LIVE_RATES:
        targets = [
            f"/get_owner_contact_by_phone?phoneNumber=0902{next(_strangers):06d}" for _ in range(int(rate * SECONDS))
        ]
        seen = call(port, [Planned(n / rate, question(target, KEY), b"101") for n, target in enumerate(targets)])
        answered = sum(one.right for one in seen) / len(seen)
        slow = percentile((one.seconds for one in seen), 0.99)
        yield f"new customers, {rate}/s, a CRM of 50 ms", f"{answered:.1%} answered, p99 {slow * 1000:.0f} ms"
    _crm_takes(source, 0.001)


def _crm_takes(port: int, seconds: float) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/delay?seconds={seconds}")
    connection.getresponse().read()
    connection.close()


@contextmanager
def _held_on(cores: set[int]) -> Iterator[None]:
    """Let processes that are started inside use these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _held_back() -> None:
    """Let the load have the last core, where there are several."""
    os.sched_setaffinity(0, {max(range(os.cpu_count() or 1))})


if __name__ == "__main__":
    main()
