"""Customers read ahead: what so many of them take, how soon a lookup is answered, and what an outage leaves of it.

    python bench/snapshot.py [COUNT …]

Fills a snapshot as a reading does, 200 customers to a page, in a folder for temporary files. Then 20,000 callers are
looked up, as the service does for a call: the index, the owners, who of them counts. Callers who never called before
ring while the CRM is away, with and without the snapshot. At last a day passes on a clock of its own, in which a page
takes what `max_rate: 100/m` makes of it: how long after a change in the CRM an answer changes, and what that costs.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median

from bridge.config.sections import Cache
from bridge.lookup.guard import Guard
from bridge.sdk import Call, Connector, ConnectorConfig, Customer, CustomerPage, Deadline, Owner, PhoneNumber
from bridge.sdk.errors import SourceError, SourceUnavailable
from bridge.storage.cache import AnswerCache
from bridge.storage.snapshot.keeper import Keeper
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Files
from bridge.testing import FakeClock

NEW = Owner(id="new", email="new@congty.example")
_OWNERS = [Owner(id=str(number), email=f"nv{number}@congty.example") for number in range(60)]
_PAGE = 200
_LOOKUPS = 20_000
_CALLERS = 200
_CUSTOMERS = 10_000
_OF_A_PAGE = 1.2
"""Seconds that a page takes with max_rate: 100/m, of which reading takes half."""
_DAY, _CHANGES = 86400, 400


class FakeCrm(Connector[ConnectorConfig]):
    """A CRM with so many customers, which lists them, and is away for calls."""

    Config = ConnectorConfig
    lists_customers = True

    def __init__(self, count: int, clock: FakeClock | None = None, *, tells_changes: bool = False) -> None:
        super().__init__(ConnectorConfig.model_validate({"snapshot": {"every": "10m"}}))
        self.count, self.clock = count, clock
        self.lists_changes = tells_changes
        self.requests = 0
        self.changed: dict[int, float] = {}
        """When customers got another owner."""

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:  # noqa: ARG002
        """Fail."""
        raise SourceUnavailable("the CRM is away")

    def list_customers(self, after: str = "", since: float | None = None) -> Iterator[CustomerPage]:
        """Give all customers, or those that have changed."""
        if since is not None:
            yield self._page(at for at, moment in self.changed.items() if moment >= since)
            return
        for first in range(int(after or 0), self.count, _PAGE):
            yield self._page(range(first, min(first + _PAGE, self.count)), str(first + _PAGE))

    def _page(self, numbers: Iterable[int], after: str = "") -> CustomerPage:
        self.requests += 1
        if self.clock:
            self.clock.advance(_OF_A_PAGE)
        return CustomerPage([customer(at, NEW if at in self.changed else None) for at in numbers], after, self.count)


def customer(at: int, owner: Owner | None = None) -> Customer:
    return Customer([number_of(at)], (owner or _OWNERS[at % len(_OWNERS)],), f"c{at}")


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


def changes(folder: Path, *, tells_changes: bool) -> None:
    """Let a day pass, in which customers get other owners, and print after how long they ring."""
    clock, chance = FakeClock(), Random(1)
    crm = FakeCrm(_CUSTOMERS, clock, tells_changes=tells_changes)
    snapshot = CustomerSnapshot(
        crm, Files(folder, f"changes{tells_changes}"), "bench", (600.0, 86400.0), wall_clock=clock
    )
    keeper = Keeper("crm", crm, snapshot, lambda: "", clock)
    keeper.round()
    crm.requests, began = 0, clock.now
    due = sorted(chance.uniform(0, _DAY - 3600) for _ in range(_CHANGES))
    waiting: set[int] = set()
    waited: list[float] = []
    while clock.now < began + _DAY:
        while due and due[0] <= clock.now - began:
            at = chance.randrange(_CUSTOMERS)
            if at not in crm.changed:
                crm.changed[at] = began + due[0]
                waiting.add(at)
            due.pop(0)
        clock.advance(1)
        keeper.round()
        ringing = {at for at in waiting if (said := snapshot.says(number_of(at))) and said.owners == (NEW,)}
        waited += [clock.now - crm.changed[at] for at in ringing]
        waiting -= ringing
    keeper.close()
    how = "told by the CRM" if tells_changes else "not told"
    print(
        f"{_CUSTOMERS:,} customers, every: 10m, changes {how}: an answer changes after {median(waited) / 60:.1f} min "
        f"(median of {len(waited)}), {max(waited) / 60:.1f} at most; {crm.requests * 3600 / _DAY:.0f} requests an hour"
    )


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
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:  # whose memory nothing else has used
                alone.submit(measure, int(argument), Path(made)).result()
        outage(Path(made))
        for tells in (False, True):
            changes(Path(made), tells_changes=tells)
