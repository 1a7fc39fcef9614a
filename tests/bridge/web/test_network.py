"""How much of OMICall's two seconds the network takes: told by a proxy, or seen on a connection of one's own."""

import socket
from ipaddress import ip_network
from types import SimpleNamespace

import pytest

from bridge.config.loading import load_config
from bridge.storage.machine import MachineMemory
from bridge.web.network import Network
from tests.support.application import opened
from tests.support.fakes import FakeClock


@pytest.fixture
def client(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    (tmp_path / "config.yaml").write_text(
        "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n", encoding="utf-8"
    )
    with opened(load_config(tmp_path / "config.yaml")) as app:
        yield app.test_client()


def ask(client, peer="127.0.0.1", key="change-me", **headers):
    question, near = {"phoneNumber": "0901234567"}, {"REMOTE_ADDR": peer}
    path = "/get_owner_contact_by_phone"
    client.get(path, query_string=question, headers={"X-API-KEY": key, **headers}, environ_base=near)
    return client.get("/healthz").get_json()


def test_what_the_proxy_says_of_the_way_is_added_to_the_deadline(client):
    found = ask(client, **{"X-TCP-RTT": "60000"})
    assert found["network"] == {
        "round_trip": 0.06,
        "deadline": 1.8,
        "deadline_and_3_round_trips": 1.98,
        "omicall_waits": 2.0,
        "longest_deadline_that_fits": "1.8s",
    }
    assert found["status"] == "ok"
    assert b"omi_bridge_round_trip_seconds 0.06" in client.get("/metrics").get_data()


def test_a_deadline_that_the_network_makes_too_late_is_a_trouble_and_one_that_fits_is_named(client):
    found = ask(client, **{"X-TCP-RTT": "85000"})
    assert found["troubles"] == {
        "server.deadline": "an answer at the last moment comes too late: 1.8 s and three round trips of 85 ms to "
        "OMICall are 2.06 s, and it waits for 2 s: write deadline: 1.7s"
    }


@pytest.mark.parametrize(
    ("peer", "key", "told"),
    [
        ("192.0.2.7", "change-me", "85000"),  # no proxy of ours
        ("127.0.0.1", "wrong", "85000"),
        ("127.0.0.1", "change-me", "-1"),
        ("127.0.0.1", "change-me", "8" * 5000),
        ("127.0.0.1", "change-me", "٨٥"),
        ("127.0.0.1", "change-me", ""),
    ],
)
def test_what_nobody_trusted_says_or_is_no_time_counts_for_nothing(client, peer, key, told):
    assert ask(client, peer, key, **{"X-TCP-RTT": told})["network"].startswith("not known")


def network(deadline=1.8):
    clock, service = FakeClock(), SimpleNamespace(deadline=deadline, trusted_proxies=())
    return Network(MachineMemory.make(), lambda: service, clock), clock


def test_without_a_proxy_the_connection_itself_tells():
    found, _ = network()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as near:
        far, _address = server.accept()
        with far:
            near.sendall(b"x")
            far.recv(1)
            found.look({"REMOTE_ADDR": "192.0.2.7", "gunicorn.socket": far})
    assert 0 < found.round_trip() < 1


def test_one_call_a_second_is_looked_at_and_a_few_that_were_lost_on_their_way_make_no_rule():
    service = SimpleNamespace(deadline=1.8, trusted_proxies=())
    clock = FakeClock()
    found = Network(MachineMemory(), lambda: service, clock)
    service.trusted_proxies = (ip_network("127.0.0.1"),)
    for number in range(100):
        microseconds = 900_000 if number in {80, 90, 95} else 20_000 + number
        for _ in range(3):
            found.look({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_TCP_RTT": str(microseconds)})
            microseconds = 1_500_000  # within the same second
        clock.advance(1)
    assert found.round_trip() == pytest.approx(0.0201, abs=0.0001)
    assert found.troubles() == {}
