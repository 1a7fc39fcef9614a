"""A connector whose constructor waits, which it may not: the service begins without it, and makes it in the background.

The contract says that a constructor asks nobody. One that does all the same waits for its source when that hangs, and
the start of the service, or the process itself, would wait with it. So it is waited for a moment; then this one takes
its place, and the connector itself is made where others are opened.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from bridge.sdk.connector import AnyConnector, Call, Connector, ConnectorConfig, Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.threads.limit import CONSTRUCTOR_PATIENCE, Hangs, within

_log = logging.getLogger(__name__)


class LateConnector(Connector[ConnectorConfig]):
    """Stands in for a connector of this `kind`, which `make` makes when it is opened. `place` is where that waits."""

    Config = ConnectorConfig

    def __init__(
        self, config: ConnectorConfig, kind: type[AnyConnector], make: Callable[[], AnyConnector], place: str
    ) -> None:
        super().__init__(config)
        self.reads_hotline, self.remembered = kind.reads_hotline, kind.remembered
        self.needs_network, self.opening_takes = False, kind.opening_takes  # `check` is to look at it in any case
        self.waits = f"its constructor waits, which it may not, and stands in {place}"
        """What is wrong with it until it is open."""
        self._make = make
        self._made: AnyConnector | None = None

    def open(self) -> None:
        """Make the connector, however long that takes, and open it."""
        if self._made is None:
            made = self._make()
            made.kept, made.shared = self.kept, self.shared
            self._made = made
        self._made.open()

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        """Ask the connector, if it was made."""
        if self._made is None:
            raise SourceUnavailable(self.waits)
        return self._made.find_owners(call, deadline)

    def report(self) -> Sequence[str]:
        """Return what the connector tells."""
        return self._made.report() if self._made else ()

    def owners_known(self) -> Sequence[Owner]:
        """Return the owners whom the connector can name."""
        return self._made.owners_known() if self._made else ()

    def customers_known(self) -> Mapping[Owner, int]:
        """Return how many customers of each owner the connector knows."""
        return self._made.customers_known() if self._made else {}

    def unsettled(self) -> str:
        """Return the name of the file that is just being written."""
        return self._made.unsettled() if self._made else ""

    def trouble(self) -> str:
        """Return what is wrong."""
        return self._made.trouble() if self._made else self.waits

    def content_age(self) -> float | None:
        """Return how old is what the connector read."""
        return self._made.content_age() if self._made else None

    def close(self) -> None:
        """Let the connector release what it holds."""
        if self._made:
            self._made.close()


def make_in_time(
    name: str, kind: type[AnyConnector], config: ConnectorConfig, make: Callable[[], AnyConnector], waits_in: str = ""
) -> AnyConnector:
    """Return what `make` makes, or what stands in for it if that waits; `waits_in` says where it has waited before."""
    place = waits_in
    if not place:
        try:
            return within(CONSTRUCTOR_PATIENCE, f"open-{name}", make)
        except Hangs as hang:
            place = str(hang)
    late = LateConnector(config, kind, make, place)
    _log.error("connector %s has a bug: %s; the others answer meanwhile", name, late.waits)
    return late
