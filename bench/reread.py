"""What it costs the calls that a file of customers is read again and again.

    python bench/reread.py

300 calls a second, at random moments, are answered from a file of 20,000 rows, which in turn stands still for eight
seconds and is replaced every two seconds. A call is lost if its answer is wrong or later than two seconds.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from figures import percentile, table, verdict
from load import Planned, Seen, call, question
from servers import KEY, _free_port, _running

ROWS, RATE, SECONDS, EVERY, ROUNDS, LIMIT = 20_000, 300, 8.0, 2.0, 4, 2.0
_chance = Random(1)


def main() -> None:
    seen: dict[str, list[Seen]] = {"stands still": [], "is read again": []}
    with TemporaryDirectory() as name, _service(Path(name)) as port:
        for _ in range(ROUNDS):
            seen["stands still"] += _asked(port)
            with _replaced_again_and_again(Path(name)):
                seen["is read again"] += _asked(port)
    rows, lost = [], {}
    for what, calls in seen.items():
        times = [one.seconds * 1000 for one in calls]
        lost[what] = sum(not one.right or one.seconds > LIMIT for one in calls)
        figures = [f"{figure:.1f}" for figure in (percentile(times, 0.5), percentile(times, 0.99), max(times))]
        rows.append([what, *figures, f"{lost[what]} of {len(calls)}"])
    table(["the file", "p50, ms", "p99, ms", "slowest", "lost"], rows)
    verdict("calls lost", lost["is read again"], most=0)


@contextmanager
def _service(folder: Path) -> Iterator[int]:
    _write(folder)
    config, port = folder / "config.yaml", _free_port()
    config.write_text(
        f"api_keys: [{KEY}]\nconnectors:\n  customers: {{type: csv, path: customers.csv}}\n", encoding="utf-8"
    )
    command = ["-m", "bridge", "serve", "-c", str(config), "--bind", f"127.0.0.1:{port}"]
    with _running(command, port, folder / "log"):
        _asked(port)  # code and memory warm up
        yield port


def _asked(port: int) -> list[Seen]:
    moment, plan = 0.0, []
    for _ in range(int(RATE * SECONDS)):
        moment += _chance.expovariate(RATE)
        row = _chance.randrange(ROWS)
        target = f"/get_owner_contact_by_phone?phoneNumber=09{row:08}"
        plan.append(Planned(moment, question(target, KEY), b"%d" % _extension(row)))
    return call(port, plan)


@contextmanager
def _replaced_again_and_again(folder: Path) -> Iterator[None]:
    over = threading.Event()

    def replace() -> None:
        while not over.wait(EVERY):
            _write(folder)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _write(folder: Path) -> None:
    """Write the same customers, and one who is another one each time, so that the file is another one too."""
    lines = [f"09{row:08},{_extension(row)}" for row in range(ROWS)]
    new = folder / "customers.new"
    new.write_text("\n".join(["phone,extension", *lines, f"0988888888,{_chance.randrange(1000)}\n"]), encoding="utf-8")
    new.replace(folder / "customers.csv")


def _extension(row: int) -> int:
    return 101 + row % 5


if __name__ == "__main__":
    main()
