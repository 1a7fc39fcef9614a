"""How many calls a second one core, one process and several processes answer: the figures behind docs/scaling.md.

    python bench/capacity.py

Remembered customers are asked for over kept connections (as a proxy does) and over one for each call; customers never
seen before are looked up in a CRM that takes 50 ms. One process is held on one core, the load on another.
"""

import http.client
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

from figures import percentile, table
from load import Planned, answers_per_second, call, question
from servers import KEY, crm, get, service

CUSTOMERS, SECONDS, CALLERS = 500, 4.0, 16
TARGETS = [f"/get_owner_contact_by_phone?phoneNumber=0901{n:06d}" for n in range(CUSTOMERS)]
LIVE_RATES = (50, 100, 200, 300)
CRM_SECONDS = 0.05
_strangers = count()


def main() -> None:
    rows = []
    with crm() as source:
        for name, workers, cores in (("one process, one core", 1, {0}), ("two processes, two cores", 2, {0, 1})):
            with _held_on(cores), service(source, workers=workers) as port:
                _held_back()
                rows += [[name, what, figure] for what, figure in _figures(source, port)]
    table(["", "what", "reached"], rows)


def _figures(source: int, port: int) -> Iterator[tuple[str, str]]:
    for target in TARGETS:
        for _ in range(2):  # each process remembers for itself
            assert get(port, target) == b"101"
    requests = [question(target, KEY) for target in TARGETS]
    kept = answers_per_second(port, requests, b"101", SECONDS, CALLERS)
    yield "remembered, kept connections", f"{kept:.0f} calls/s"
    yield "remembered, a connection for each call", f"{_anew(port):.0f} calls/s"
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


def _anew(port: int) -> float:
    end = time.monotonic() + SECONDS

    def ask(first: int) -> int:
        answered = 0
        while time.monotonic() < end:
            answered += get(port, TARGETS[(first + answered) % CUSTOMERS]) == b"101"
        return answered

    with ThreadPoolExecutor(4) as callers:
        return sum(callers.map(ask, range(4))) / SECONDS


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
