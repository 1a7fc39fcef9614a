"""A CRM without a search by number: its customers are listed, and it is never asked for one of them."""

from contextlib import closing

import pytest

from bridge.sdk import Owner, PhoneNumber, SourceRejected
from connectors.rest.connector import RestConnector
from connectors.rest.masking import Mask
from tests.support.crm import Crm, config, owners
from tests.support.reading_ahead import owners_read_ahead

TEXT = """
snapshot: {every: 1h, only: true}
steps: []
list:
  - {path: customers, headers: {X-Api-Key: planted-key}, records: items, match: phone, take: {email: owner}}
"""


def crm() -> Crm:
    return Crm({"customers": {"items": [{"phone": "0901 234 567", "owner": "lan@congty.example"}]}})


def test_its_customers_are_listed() -> None:
    with crm() as server, closing(RestConnector(config(TEXT, server.url))) as connector:
        connector.open()
        assert owners_read_ahead(connector, PhoneNumber("+84901234567")) == [Owner(email="lan@congty.example")]
        assert connector.lists_customers


def test_whoever_asks_it_for_a_caller_all_the_same_is_refused_and_never_told_nobody() -> None:
    with crm() as server, pytest.raises(SourceRejected, match="it has no search by number"):
        owners(server, TEXT)
    assert server.asked == []


def test_a_key_in_the_headers_of_a_list_is_nobodys_to_see() -> None:
    assert Mask(config(TEXT), lambda: ()).text("refused planted-key") == "refused •••"
