"""What can happen to a CSV file while the service answers from it: the last good one stays in force."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import cycle

import pytest

from tests.support.load import Caller, Load, call
from tests.support.service import RunningService
from tests.support.trial import RECOVERY_SECONDS

RATE = 20.0
FAULT_SECONDS = 3.5
CUSTOMERS = [Caller(f"090123{serial:04}", "", str(100 + serial), known=True) for serial in range(200)]
NEW = Caller("0911111111", "", "77")


def rows(*callers):
    return "phone,extension,name\n" + "".join(f"{one.phone},{one.extension},Khách hàng\n" for one in callers)


def replaced(file):
    beside = file.with_suffix(".new")
    beside.write_text(rows(*CUSTOMERS), encoding="utf-8")
    beside.replace(file)


def truncated(file):
    os.truncate(file, file.stat().st_size // 2 - 3)


def emptied(file):
    os.truncate(file, 0)


def deleted(file):
    file.unlink()


def half_written(file):
    """Stop in mid-row, as on a disk that fills up while the export runs."""
    try:
        with file.open("w", encoding="utf-8") as out:
            out.write(rows(*CUSTOMERS))
            for serial in range(100_000):
                out.write(f"098{serial:07},5,Khách hàng\n")
    except OSError:
        return
    raise AssertionError("the disk is larger than the test thinks")


def made_a_folder(file):
    file.unlink()
    file.mkdir()


def garbage(file):
    file.write_bytes(os.urandom(5000))


@pytest.fixture
def small_disk(tmp_path) -> Iterator[object]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here: only root may")
    yield folder
    subprocess.run(["umount", folder], check=True)


def under_load(folder, fault):
    """Play the fault, mend it with one more customer, and return the calls and how long that customer had to wait."""
    file = folder / "customers.csv"
    file.write_text(rows(*CUSTOMERS), encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text("api_keys: [change-me]\nconnectors: {customers: {type: csv, path: customers.csv}}\n")
    with RunningService(config) as service, Load(service, cycle(CUSTOMERS).__next__, RATE) as load:
        threading.Event().wait(0.3)
        fault(file)
        threading.Event().wait(FAULT_SECONDS)
        if file.is_dir():
            file.rmdir()
        file.write_text(rows(*CUSTOMERS, NEW), encoding="utf-8")
        mended = time.monotonic()
        while not call(service, NEW).right and time.monotonic() < mended + 2 * RECOVERY_SECONDS:
            threading.Event().wait(0.1)
        recovery = time.monotonic() - mended
    return load.seen, recovery


def judge(seen, recovery, record_figures, name):
    late, wrong, right = (sum(getattr(one, what) for one in seen) for what in ("late", "wrong", "right"))
    record_figures(f"{'file ' + name:57} {late:4} {wrong:5} {right:5}/{len(seen):<5} {'':33} {recovery:6.2f} s")
    assert [one for one in seen if one.late or not one.right] == []
    assert recovery <= RECOVERY_SECONDS


@pytest.mark.parametrize("fault", [replaced, truncated, emptied, deleted, made_a_folder, garbage])
def test_customers_are_answered_right_while_the_file_is(fault, tmp_path, record_figures):
    judge(*under_load(tmp_path, fault), record_figures, fault.__name__)


def test_customers_are_answered_right_while_the_file_s_disk_is_full(small_disk, record_figures):
    judge(*under_load(small_disk, half_written), record_figures, "on a full disk")
