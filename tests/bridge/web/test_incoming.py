"""Whether OMICall's calls are refused: three in a row that name a caller, and none accepted since."""

import pytest

from bridge.config.loading import load_config
from bridge.sdk.shared import Moments
from bridge.storage.machine import MachineMemory
from bridge.storage.times import Figures
from bridge.web.incoming import Incoming, Refusal
from tests.support.application import opened
from tests.support.fakes import FakeClock

PATH = "/get_owner_contact_by_phone"
CALLER = "?phoneNumber=0901234567"
KEY = {"X-API-KEY": "right-key-0123456789"}


@pytest.fixture
def client(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    config = "api_keys: [right-key-0123456789]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n"
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    with opened(load_config(tmp_path / "config.yaml")) as app:
        yield app.test_client()


def health(client) -> dict:
    return client.get("/healthz").get_json()


@pytest.mark.parametrize(
    ("path", "headers", "place", "words"),
    [
        (PATH, {}, "api_keys", "the last 3 calls came without a key: have OMICall send one of api_keys"),
        (PATH, {"X-API-KEY": "wrong-key"}, "api_keys", "the last 3 calls came with a key that is not in api_keys"),
        ("/owner", KEY, "server.path", f"the last 3 calls asked for another path than {PATH}"),
    ],
)
def test_three_calls_that_are_refused_in_a_row_are_a_trouble_until_one_is_accepted(client, path, headers, place, words):
    for _ in range(2):
        client.get(path + CALLER, headers=headers)
    assert health(client)["troubles"] == {}
    client.get(path + CALLER, headers=headers)
    found = health(client)
    assert found["status"] == "degraded"
    assert found["troubles"][place].startswith(words)
    assert found["troubles"][place].endswith("none was accepted since")
    assert "key-" not in found["troubles"][place]
    assert found["last_call"] == "none since start"
    assert client.get(PATH + CALLER, headers=KEY).get_data() == b"101"
    assert health(client)["troubles"] == {}


def test_what_scans_the_internet_never_alarms(client):
    for _ in range(50):
        client.get("/wp-login.php")
        client.get(PATH, headers={"X-API-KEY": "guess"})
        client.get(PATH)
        client.get(f"{PATH}?phoneNumber=")
    assert health(client)["status"] == "ok"


def test_a_call_that_is_accepted_in_between_begins_the_count_anew(client):
    for headers in ({}, {}, KEY, {}, {}):
        client.get(PATH + CALLER, headers=headers)
    assert health(client)["status"] == "ok"


def test_the_processes_of_a_machine_count_together():
    memory = MachineMemory.make()
    one, other = Incoming(memory, PATH), Incoming(MachineMemory(memory._file), PATH)  # noqa: SLF001 - what a child inherits
    for process in (one, other, one):
        process.refused(Refusal.WRONG_KEY)
    assert list(other.troubles()) == ["api_keys"]
    one.accepted.note()
    assert not other.troubles()


class Winding:
    """The memory of a machine whose clock can be wound."""

    def __init__(self) -> None:
        self.clock = FakeClock()

    def moments(self, _name, kept=1):
        return Moments(kept, clock=self.clock)

    def figures(self, _name, kept):
        return Figures(kept)


def test_refusals_that_lie_more_than_a_day_apart_are_nobodys():
    memory = Winding()
    incoming = Incoming(memory, PATH)
    for _ in range(3):
        memory.clock.advance(50_000)
        incoming.refused(Refusal.PATH)
    assert not incoming.troubles()
    memory.clock.advance(10)
    incoming.refused(Refusal.PATH)
    assert list(incoming.troubles()) == ["server.path"]
    memory.clock.advance(1_000_000)
    assert list(incoming.troubles()) == ["server.path"], "that nobody calls says nothing"
