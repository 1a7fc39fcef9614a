"""A connector that lists customers as a test tells it, and a keeper of them whose clock stands still."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bridge.sdk import Customer, CustomerPage, ListState, Owner, Owners, PhoneNumber, SourceError
from bridge.sdk.connector import AnyConnector, ConnectorConfig
from bridge.storage.forgotten import Forgotten
from bridge.storage.purges.purges import Purges
from bridge.storage.snapshot.keeper import Keeper
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Files
from tests.support.fakes import FakeClock, FakeConnector

_SIZE = 10
LAN, MINH = Owner(email="lan@congty.example"), Owner(email="minh@congty.example")


def number(index: int) -> PhoneNumber:
    return PhoneNumber(f"+849{index:08}")


def customers(count: int, owner: Owner = LAN, first: int = 0) -> list[Customer]:
    return [Customer([number(at)], (owner,), f"r{at}") for at in range(first, first + count)]


class Lister(FakeConnector):
    """Lists `all`, ten to a page; behind `fails_behind` pages it raises. `pages` says where pages began."""

    lists_customers = True

    def __init__(self, listed: Sequence[Customer], *, changes: bool = False, only: bool = False) -> None:
        super().__init__(ConnectorConfig(snapshot={"every": "10m", "only": only}))
        self.lists_changes = changes
        self.all = list(listed)
        self.changed: list[Customer] = []
        self.since: list[float | None] = []
        self.pages: list[int] = []
        self.fails_behind: tuple[int, SourceError] | None = None
        self.gone: set[Owner] = set()
        self.cannot_count: SourceError | None = None
        self.during: Callable[[], object] = lambda: None

    def list_customers(self, after: str = "", since: float | None = None) -> Iterator[CustomerPage]:
        self.since.append(since)
        if since is not None:
            yield CustomerPage(self.changed)
            return
        for at in range(json.loads(after or "0"), len(self.all), _SIZE):
            if self.fails_behind and len(self.pages) == self.fails_behind[0]:
                raise self.fails_behind[1]
            self.pages.append(at)
            self.during()
            yield CustomerPage(self.all[at : at + _SIZE], json.dumps(at + _SIZE), len(self.all))

    def counting(self, owners: Owners, explain: Callable[[str], None] = lambda _line: None) -> Owners:  # noqa: ARG002
        if self.cannot_count:
            raise self.cannot_count
        return tuple(owner for owner in owners if owner not in self.gone)


class Kept:
    """A snapshot in a folder and its keeper, as one process has them."""

    def __init__(
        self,
        connector: AnyConnector,
        folder: Path,
        clock: FakeClock,
        *,
        source: str = "this CRM",
        forgotten: Forgotten | None = None,
        purges: Purges | None = None,
    ) -> None:
        self.connector = connector
        self.clock = clock
        connector.kept = ListState(folder / "lists", "crm", writes=True, wall_clock=clock)
        self.snapshot = CustomerSnapshot(
            connector, Files(folder, "crm"), source, (600.0, 3600.0), forgotten, clock, purges=purges
        )
        self.keeper = Keeper("crm", connector, self.snapshot, lambda: "", clock)

    def read(self) -> "Kept":
        self.keeper.round()
        return self

    def owners(self, index: int) -> Owners | None:
        said = self.snapshot.says(number(index))
        return None if said is None else said.owners

    def ends(self) -> None:
        """End as a process does."""
        self.keeper.close()
        self.keeper.let_go()
