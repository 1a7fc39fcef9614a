"""How fast, and in how much memory, the CSV connector holds a million customers.

    python bench/csv_load.py [ROWS]

Prints the time of the first load, the time of a lookup at rest and while a changed file is read, and the most memory
that the process ever held: with everything that the service imports, and with the old and the new index at once.
"""

import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import bridge.web.app  # noqa: F401 - what the running service imports counts as well
import connectors.rest.connector  # noqa: F401
from bridge.sdk.connector import Call
from bridge.sdk.deadline import Deadline
from bridge.sdk.files.watched_file import WatchedFile
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.tables.customers import Customers
from connectors.csv.connector import CsvConfig, CsvConnector

LOAD_SECONDS, MEMORY_MB, LOOKUP_US = 15, 300, 50
ROWS = 1_000_000
LOOKUPS = 200_000


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "customers.csv")
        write_customers(path, rows)
        print(f"{rows} rows, {path.stat().st_size / 1e6:.0f} MB", flush=True)
        # A process of its own: its memory holds nothing of the making of the file.
        subprocess.run([sys.executable, __file__, "--measure", str(path)], check=True)


def write_customers(path: Path, rows: int) -> None:
    """Write customers as a CRM exports them: other columns too, accents, numbers as clerks write them, two phones."""
    chance = random.Random(rows)
    with path.open("w", encoding="utf-8-sig") as file:
        file.write("Mã KH,Họ tên,Điện thoại,Di động,Địa chỉ,Nhân viên phụ trách,Ghi chú\r\n")
        for row in range(rows):
            number = f"{chance.choice(('090', '091', '098', '035', '077'))}{chance.randrange(10**7):07d}"
            spelling = number if row % 5 else f"{number[:4]} {number[4:7]} {number[7:]}"
            second = f"+84 28 {chance.randrange(2 * 10**7, 9 * 10**7)}" if row % 10 == 0 else ""
            owner = f"nv{chance.randrange(300)}@congty.example"
            file.write(f'KH{row},Nguyễn Thị {row},{spelling},{second},"Số {row}, đường Lê Lợi",{owner},\r\n')


def measure(path: Path) -> None:
    print(f"memory before: {_memory():.0f} MB")
    connector = CsvConnector(CsvConfig(path=path), wait=lambda _: threading.Event().wait())
    started, worked = time.perf_counter(), time.process_time()
    connector.open()
    elapsed, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"load: {elapsed:.1f} s (at most {LOAD_SECONDS}), {worked:.1f} s of them at work; memory: {_memory():.0f} MB")
    print("\n".join(connector.report()))

    chance = random.Random(1)
    callers = [PhoneNumber.parse(f"090{chance.randrange(10**7):07d}") for _ in range(1000)]
    calls = [Call(caller) for caller in callers]
    deadline = Deadline.after(60)
    started = time.perf_counter()
    for at in range(LOOKUPS):
        connector.find_owners(calls[at % 1000], deadline)
    print(f"lookup: {(time.perf_counter() - started) / LOOKUPS * 1e6:.1f} us (at most {LOOKUP_US})")

    with path.open("a") as file:
        file.write("KH,x,0901234567,,,lan@congty.example,\r\n")
    reload = threading.Thread(target=_poll_twice, args=(connector._file,))  # noqa: SLF001 - without its second of waiting
    reload.start()
    waits: list[float] = []
    while reload.is_alive():
        # From the moment at which a sleeping thread is due: getting its turn beside the reading is part of the wait.
        due = time.perf_counter() + 0.002
        time.sleep(0.002)
        connector.find_owners(calls[len(waits) % 1000], deadline)
        waits.append((time.perf_counter() - due) * 1000)
    waits.sort()
    print(f"lookup while reloading: median {waits[len(waits) // 2]:.1f} ms, longest {waits[-1]:.1f} ms")
    assert connector.find_owners(Call(PhoneNumber.parse("0901234567")), deadline)
    print(f"most memory, after the reload: {_memory():.0f} MB (at most {MEMORY_MB})")


def _poll_twice(file: WatchedFile[Customers]) -> None:
    file.poll()
    file.poll()


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        main()
