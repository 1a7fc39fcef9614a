"""What it costs to remember a million callers through a restart.

    python bench/store.py [ROWS]

Prints how long a start reads the file and in how much memory, what a call waits for while that goes on, and how much
longer remembering an answer takes with a file than without.
"""

import gc
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bridge.config.sections import Cache
from bridge.sdk.connector import Call, Owner
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache
from bridge.storage.cache_file import CacheFile

ROWS = 1_000_000
PUTS, ROUNDS = 5_000, 21
STAFF = [(Owner(id=str(number), email=f"nv{number}@congty.example"),) for number in range(300)]


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers.db")
        fill(path, rows)
        print(f"{rows} callers, {path.stat().st_size / 1e6:.0f} MB on disk", flush=True)
        # A process of its own: its memory holds nothing of the making of the file.
        subprocess.run([sys.executable, __file__, "--load", str(path), str(rows)], check=True)
        compare(Path(folder, "another.db"))


def service(path: Path, rows: int) -> tuple[AnswerCache, CacheFile]:
    cache, store = AnswerCache(Cache(max_entries=rows)), CacheFile(path)
    store.keep("crm", "crm", cache)
    store.start()
    return cache, store


def caller(number: int) -> Call:
    return Call(PhoneNumber(f"+849{number:08}"))


def fill(path: Path, rows: int) -> None:
    cache, store = service(path, rows)
    started = time.perf_counter()
    for number in range(rows):
        cache.put(caller(number), STAFF[number % 300])
        while len(store._news) > 10_000:  # noqa: SLF001 - no faster than the disk, or answers are dropped
            time.sleep(0.01)
    while store._news or store._unwritten:  # noqa: SLF001
        time.sleep(0.01)
    print(f"filled in {time.perf_counter() - started:.0f} s, so {rows / (time.perf_counter() - started):.0f} answers/s")
    store.close()


def load(path: Path, rows: int) -> None:
    before = _memory()
    started, worked = time.perf_counter(), time.process_time()
    cache, store = service(path, rows)
    waits: list[float] = []
    while not store.wait_until_loaded(0):
        # From the moment at which a sleeping thread is due: getting its turn beside the reading is part of the wait.
        due = time.perf_counter() + 0.002
        time.sleep(0.002)
        cache.get(caller(len(waits)))
        waits.append((time.perf_counter() - due) * 1000)
    elapsed, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"load: {elapsed:.1f} s, {worked:.1f} s of them at work, {len(cache)} callers")
    print(f"memory: {_memory() - before:.0f} MB, {(_memory() - before) * 1e6 / rows:.0f} bytes a caller")
    print(f"a remembered answer during the load: median {statistics.median(waits):.1f} ms, longest {max(waits):.1f} ms")
    store.close()


def compare(path: Path) -> None:
    """Put answers with and without a file in turn, in a service with all its threads at rest."""
    with_file, store = service(path, 100_000)
    assert store.wait_until_loaded(10)
    without = AnswerCache(Cache(max_entries=100_000))
    calls = [caller(number) for number in range(PUTS)]
    ratios, times = [], []
    gc.disable()
    for _ in range(ROUNDS):
        alone, both = _time(without, calls), _time(with_file, calls)
        ratios.append(both / alone)
        times.append((alone, both))
        while store._news or store._unwritten:  # noqa: SLF001
            threading.Event().wait(0.05)
    alone, both = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"put: {alone:.2f} us without a file, {both:.2f} us with one, ratio {statistics.median(ratios):.2f}")
    store.close()


def _time(cache: AnswerCache, calls: list[Call]) -> float:
    started = time.perf_counter()
    for call in calls:
        cache.put(call, STAFF[0])
    return (time.perf_counter() - started) / len(calls) * 1e6


def _memory() -> float:
    """Return the most that this process held, in MB; the kernel counts it anew for each program."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+([0-9]+) kB", status)[1]) / 1000


if __name__ == "__main__":
    if sys.argv[1:2] == ["--load"]:
        load(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
