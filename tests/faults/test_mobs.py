"""Mobs: thousands of connections that are up to no good, renewed as soon as they are closed, while calls come in."""

import resource
import threading

import pytest

from tests.support.load import Caller, Load
from tests.support.mob import Mob
from tests.support.service import RunningService

SECONDS = 3.0
RATE = 10.0
CALLER = Caller("0901234567", "02838120000", "101")
CONFIG = "api_keys: [change-me]\nconnectors: {customers: {type: csv, path: customers.csv}}\n"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "customers.csv").write_text(f"phone,extension\n{CALLER.phone},101\n", encoding="utf-8")
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    return file


@pytest.mark.parametrize(
    ("count", "kind"),
    [
        (2000, "says nothing"),
        (2000, "half a request"),
        (2000, "byte by byte"),
        (1000, "a wrong key"),
        (100, "a body that never comes"),
        (200, "a request and a half"),
        (100, "does not close"),
        (20, "reads nothing"),
    ],
)
def test_a_mob_costs_no_call_its_answer(config, record_figures, count, kind):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with RunningService(config) as service:
        with Mob(service.port, count, kind), Load(service, lambda: CALLER, RATE) as load:
            threading.Event().wait(SECONDS)
        times = sorted(seen.seconds for seen in load.seen)
        record_figures(f"{count} x {kind}: {len(times)} calls, the slowest after {times[-1] * 1000:.0f} ms")
        assert [one for one in load.seen if one.late or not one.right] == []
        assert not [line for line in service.log if " ERROR " in line]
