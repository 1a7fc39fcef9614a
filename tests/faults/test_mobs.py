"""Mobs: connections by the thousand that are up to no good, renewed as soon as they are closed, while calls come in.

They come to the proxy, as deploy/ sets it up: it keeps slow, half and countless connections away from the service.
"""

import threading

import pytest

from tests.support.certificates import make_certificate
from tests.support.load import Caller, Load
from tests.support.mob import Mob
from tests.support.proxies import KINDS, RunningProxy
from tests.support.service import RunningService

SECONDS = 3.0
RATE = 10.0
CALLER = Caller("0901234567", "02838120000", "101")
CONFIG = "api_keys: [change-me]\nconnectors: {customers: {type: csv, path: customers.csv}}\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    (folder / "customers.csv").write_text(f"phone,extension\n{CALLER.phone},101\n", encoding="utf-8")
    (folder / "config.yaml").write_text(CONFIG)
    with RunningService(folder / "config.yaml") as service:
        yield service
    assert not [line for line in service.log if " ERROR " in line]


@pytest.fixture(scope="module", params=KINDS)
def proxy(request, tmp_path_factory, service):
    folder = tmp_path_factory.mktemp(request.param)
    with RunningProxy(request.param, folder, make_certificate(folder), service.port) as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("count", "kind"),
    [
        (1000, "says nothing"),
        (400, "half a request"),
        (400, "byte by byte"),
        (100, "a wrong key"),
        (100, "a body that never comes"),
        (100, "a request and a half"),
        (100, "does not close"),
        (20, "reads nothing"),
    ],
)
def test_a_mob_costs_no_call_its_answer(proxy, record_figures, count, kind):
    with Mob(proxy.port, count, kind), Load(proxy, lambda: CALLER, RATE) as load:
        threading.Event().wait(SECONDS)
    times = sorted(seen.seconds for seen in load.seen)
    record_figures(f"{count} x {kind}, {proxy.kind}: {len(times)} calls, the slowest after {times[-1] * 1000:.0f} ms")
    assert [one for one in load.seen if one.late or not one.right] == []
