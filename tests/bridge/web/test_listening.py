import socket

import pytest

from bridge.web.listening import obstacle_to_listening


@pytest.fixture(autouse=True)
def _no_sockets_are_handed_over(monkeypatch):
    monkeypatch.delenv("LISTEN_FDS", raising=False)
    monkeypatch.delenv("GUNICORN_FD", raising=False)


def test_a_free_port_is_no_obstacle():
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    assert obstacle_to_listening(f"127.0.0.1:{port}") == ""


def test_a_port_in_use_is_told_once_and_with_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        assert obstacle_to_listening(bind, patience=0) == (
            f"{bind}: something listens there already: stop it, or take another port; `ss -ltnp` shows what"
        )


def test_an_address_of_another_machine_is_told():
    assert obstacle_to_listening("192.0.2.1:8080").startswith("192.0.2.1:8080: this machine has no such address")


def test_a_name_that_means_nothing_is_told():
    told = "the name of nothing.invalid:8080 cannot be resolved: write 127.0.0.1 and the port"
    assert obstacle_to_listening("nothing.invalid:8080") == told


@pytest.mark.parametrize("variable", ["LISTEN_FDS", "GUNICORN_FD"])
def test_sockets_that_are_handed_over_are_left_alone(monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    assert obstacle_to_listening("192.0.2.1:8080") == ""
