"""Customers read ahead: what so many of them take, how soon a lookup is answered, and what an outage leaves of it.

    python bench/snapshot.py [COUNT …]

Fills a snapshot as a reading does, 200 customers to a page, in a folder for temporary files. Then 20,000 callers are
looked up, as the service does for a call: the index, the owners, who of them counts. At last callers who never called
before ring while the CRM is away, with and without the snapshot.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bridge.config.sections import Cache
from bridge.lookup.guard import Guard
from bridge.sdk import Call, Connector, ConnectorConfig, Customer, CustomerPage, Deadline, Owner, PhoneNumber
from bridge.sdk.errors import SourceError, SourceUnavailable
from bridge.storage.cache import AnswerCache
from bridge.storage.snapshot.keeper import Keeper
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Files

_OWNERS = [Owner(id=str(number), email=f"nv{number}@congty.example") for number in range(60)]
_PAGE = 200
_LOOKUPS = 20_000
_CALLERS = 200


class FakeCrm(Connector[ConnectorConfig]):
    """A CRM with so many customers, which lists them, and is away for calls."""

    Config = ConnectorConfig
    lists_customers = True

    def __init__(self, count: int) -> None:
        super().__init__(ConnectorConfig.model_validate({"snapshot": {"every": "10m"}}))
        self.count = count

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:  # noqa: ARG002
        """Fail."""
        raise SourceUnavailable("the CRM is away")

    def list_customers(self, after: str = "", since: float | None = None) -> Iterator[CustomerPage]:  # noqa: ARG002
        """Give all customers."""
        for first in range(int(after or 0), self.count, _PAGE):
            page = [customer(at) for at in range(first, min(first + _PAGE, self.count))]
            yield CustomerPage(page, str(first + _PAGE), self.count)


def customer(at: int) -> Customer:
    return Customer([number_of(at)], (_OWNERS[at % len(_OWNERS)],), f"c{at}")


def number_of(at: int) -> PhoneNumber:
    return PhoneNumber(f"+849{at * 7919 % 100_000_000:08}")


def megabytes() -> float:
    """Return the memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def measure(count: int, folder: Path) -> None:
    crm = FakeCrm(count)
    files = Files(folder, f"crm{count}")
    before = megabytes()
    snapshot = CustomerSnapshot(crm, files, "bench", (600.0, 86400.0))
    keeper = Keeper("crm", crm, snapshot, lambda: "")
    started = time.perf_counter()
    keeper.round()
    filled = time.perf_counter() - started
    grown = megabytes() - before
    callers = [number_of(at * count // _LOOKUPS if count > _LOOKUPS else at % count) for at in range(_LOOKUPS)]
    started = time.perf_counter()
    found = sum(bool(snapshot.says(caller)) for caller in callers)
    each = (time.perf_counter() - started) / _LOOKUPS * 1e6
    started = time.perf_counter()
    again = CustomerSnapshot(crm, files, "bench", (600.0, 86400.0))
    again.look()
    opened = (time.perf_counter() - started) * 1e3
    size = files.in_force.stat().st_size / 1e6
    print(
        f"{count:>9,} customers: filled in {filled:6.1f} s, memory +{grown:5.1f} MB, file {size:6.1f} MB, "
        f"lookup {each:5.1f} us ({found:,} found), ready {opened:.0f} ms after a start"
    )
    keeper.close()


def outage(folder: Path) -> None:
    for is_read in (False, True):
        crm = FakeCrm(10_000)
        snapshot = CustomerSnapshot(crm, Files(folder, "outage"), "bench", (600.0, 86400.0)) if is_read else None
        guard = Guard("crm", crm, AnswerCache(Cache()), snapshot=snapshot)
        guard.opening.attempt()
        if guard.read_ahead:
            guard.read_ahead.keeper.round()
        answered = sum(is_answered(guard, number_of(at)) for at in range(_CALLERS))
        how = "with" if is_read else "without"
        print(f"unknown callers answered in an outage, {how} snapshot: {answered / _CALLERS:.0%}")
        guard.close()


def is_answered(guard: Guard, caller: PhoneNumber) -> bool:
    pending = guard.begin(Call(caller))
    pending.wait(5)
    try:
        return bool(pending.answer().owners)
    except SourceError:
        return False


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        for argument in sys.argv[1:] or ("1000", "100000", "1000000"):
            measure(int(argument), Path(made))
        outage(Path(made))
