"""Cached answers per second of the service against a bare Flask view under the same gunicorn settings.

    python bench/cached.py

The view does nothing: it returns "101". Both answer the same requests over the same connections, in turn.
"""

from collections.abc import Callable
from statistics import median

from figures import table, verdict
from load import answers_per_second, question
from servers import KEY, bare_flask, crm, get, service

ROUNDS, SECONDS, CALLERS = 32, 0.5, 8
CUSTOMERS = 500
LEAST = 0.9
TARGETS = [f"/get_owner_contact_by_phone?phoneNumber=0901{n:06d}&sipNumber=842499950291" for n in range(CUSTOMERS)]


def main() -> None:
    with crm() as source, bare_flask() as bare, service(source) as usual, service(source, "warning") as quiet:
        for port in (usual, quiet):
            assert {get(port, target) for target in TARGETS} == {b"101"}  # from now on, all of them are remembered
        measure = _measurement()
        rounds = [(measure(bare), measure(usual), measure(quiet)) for _ in range(ROUNDS)]
    views, services, quiet_ones = zip(*rounds, strict=True)
    ratios = [service / view for service, view in zip(services, views, strict=True)]
    quiet_ratios = [service / view for service, view in zip(quiet_ones, views, strict=True)]
    table(
        ["", "answers/s", "against the view", "lowest", "highest"],
        [
            ["bare Flask view", f"{median(views):.0f}", "", "", ""],
            ["omi-bridge", f"{median(services):.0f}", *_spread(ratios)],
            ["omi-bridge, log_level warning", f"{median(quiet_ones):.0f}", *_spread(quiet_ratios)],
        ],
    )
    verdict("cached answers against a bare view", median(ratios), least=LEAST)


def _measurement() -> Callable[[int], float]:
    requests = [question(target, KEY) for target in TARGETS]
    return lambda port: answers_per_second(port, requests, b"101", SECONDS, CALLERS)


def _spread(ratios: list[float]) -> list[str]:
    return [f"{ratio:.2f}" for ratio in (median(ratios), min(ratios), max(ratios))]


if __name__ == "__main__":
    main()
