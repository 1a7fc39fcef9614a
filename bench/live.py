"""What a live lookup adds to calling the CRM directly, at 100 calls a second.

    python bench/live.py

The CRM answers in a millisecond. Each caller is new, so each lookup asks it; the calls come at random moments, as
people call (a Poisson process). Each is timed from its moment to the last byte of the answer, on each way alike: asked
directly, through what somebody would write in an hour (`script.py`), and through omi-bridge.
"""

import os
from itertools import count
from random import Random
from statistics import median

from figures import percentile, table, verdict
from load import Planned, Seen, call, question
from servers import KEY, bare, crm, service

ROUNDS, SECONDS, RATE = 7, 5.0, 100
SHARES = {"p50": (0.5, 2.0), "p99": (0.99, 10.0)}  # and the most milliseconds that may be added

_numbers, _chance = count(), Random(1)


def main() -> None:
    with crm() as source:
        os.environ["CRM"] = f"http://127.0.0.1:{source}"
        with service(source) as port, bare("script:app", source) as script:
            for warm in (port, script):  # connections, code and memory
                _through(warm)
            rounds = [(_directly(source), _through(script), _through(port)) for _ in range(ROUNDS)]
    times = [[[seen.seconds * 1000 for seen in way] for way in one] for one in rounds]
    rows, all_added = [], {}
    for name, (share, _) in SHARES.items():
        found = [[percentile(way, share) for way in one] for one in times]
        by_script, added = ([one[at] - one[0] for one in found] for at in (1, 2))
        all_added[name] = added
        columns = [[one[0] for one in found], by_script, added]
        rows.append([name, *(f"{median(column):.2f}" for column in columns), f"{min(added):.2f}", f"{max(added):.2f}"])
    print(f"milliseconds; medians of {ROUNDS} rounds of {RATE * SECONDS:.0f} calls each way")
    table(["", "directly", "the script adds", "omi-bridge adds", "lowest", "highest"], rows)
    unanswered = sum(not seen.right for _, _, through in rounds for seen in through)
    print(f"calls through the bridge without the right answer: {unanswered} of {ROUNDS * RATE * SECONDS:.0f}")
    for name, (_, most) in SHARES.items():
        verdict(f"added at {name}, ms", median(all_added[name]), most=most)


def _directly(port: int) -> list[Seen]:
    return _times(port, "/owner?phone={}", b'"owner": "7"}]}')


def _through(port: int) -> list[Seen]:
    return _times(port, "/get_owner_contact_by_phone?phoneNumber={}&sipNumber=842499950291", b"101")


def _times(port: int, target: str, ends_with: bytes) -> list[Seen]:
    moment, plan = 0.0, []
    for _ in range(int(RATE * SECONDS)):
        moment += _chance.expovariate(RATE)
        plan.append(Planned(moment, question(target.format(f"090{next(_numbers):07d}"), KEY), ends_with))
    return call(port, plan)


if __name__ == "__main__":
    main()
