"""Whom the customers name that a connector has read ahead, as the service would answer a call with them."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.sdk import CustomerPage, Owner, PhoneNumber
from bridge.storage.snapshot.keeper import Keeper
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Files
from connectors.rest.connector import RestConnector


def owners_read_ahead(made: RestConnector, caller: PhoneNumber, since: float | None = None) -> list[Owner] | None:
    """Have the customers read, or what has changed `since`; return the caller's owners, None if he is not among them.

    The connector is open. Raises SourceError if they cannot be read.
    """
    pages = list(made.list_customers(since=since))
    with TemporaryDirectory() as folder:
        return _said(made, pages, caller, Path(folder))


def _said(made: RestConnector, pages: Sequence[CustomerPage], caller: PhoneNumber, folder: Path) -> list[Owner] | None:
    made.list_customers = lambda *_: iter(pages)  # type: ignore[method-assign] # asked once
    snapshot = CustomerSnapshot(made, Files(folder, "crm"), "this very CRM", (600.0, 86400.0))
    keeper = Keeper("crm", made, snapshot, lambda: "")
    try:
        keeper.round()
        assert not snapshot.trouble
        said = snapshot.says(caller)
        return None if said is None else list(said.owners)
    finally:
        keeper.close()
        keeper.let_go()
