"""Whatever a connector does, the real service answers in time: the connector's bug is logged, the next one is asked."""

import pytest

from tests.support.beasts import BUGS, ODDITIES
from tests.support.service import RunningService

PATIENCE = 2.0
"""Seconds after which OMICall rings as if nobody had been asked."""
DEEDS = {name: f"beast-{number}" for number, name in enumerate([*BUGS, *ODDITIES])}


def hotline(deed):
    return f"02838{list(DEEDS).index(deed):06}"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beasts")
    (folder / "customers.csv").write_text("phone,owner email\n0901234567,lan@congty.example\n", encoding="utf-8")
    lines = ["api_keys: [change-me]", "server: {deadline: 1s}", "connectors:"]
    lines.append("  customers: {type: csv, path: customers.csv}")
    lines += [
        f"  {name}: {{type: 'tests.support.beasts:Beast', does: {deed}, timeout: 2s}}" for deed, name in DEEDS.items()
    ]
    lines.append("routes:")
    lines += [f"  - {{hotlines: ['{hotline(deed)}'], connectors: [{name}, customers]}}" for deed, name in DEEDS.items()]
    lines.append("extensions: {inline: {lan@congty.example: 101}}")
    (folder / "config.yaml").write_text("\n".join(lines), encoding="utf-8")
    with RunningService(folder / "config.yaml") as running:
        yield running


@pytest.mark.parametrize("deed", DEEDS)
def test_a_connector_that_breaks_the_contract_costs_no_call_its_answer(service, deed):
    reply = service.ask(query=f"phoneNumber=0901234567&sipNumber={hotline(deed)}")
    assert (reply.status, reply.body) == (200, b"101")
    assert reply.seconds < PATIENCE
    if deed in BUGS:
        service.wait_for_log(f"connector {DEEDS[deed]} has a bug")


def test_no_number_is_in_the_log(service):
    for deed in ("ValueError", "a group of errors", "a failure that tells the number"):
        service.ask(query=f"phoneNumber=0901234567&sipNumber={hotline(deed)}")
    service.wait_for_log(f"connector {DEEDS['a failure that tells the number']}: unavailable: nothing about …567")
    assert not [line for line in service.log if "901234567" in line]


def test_the_service_is_well_after_all_that(service):
    assert service.ask(query="phoneNumber=0912345678&sipNumber=02838999999").status == 200
    assert not [line for line in service.log if "a bug of omi-bridge" in line]
    assert len([line for line in service.log if "Booting worker" in line]) == 1
