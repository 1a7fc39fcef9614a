"""What becomes of connections that are kept open between two requests."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.http.client import HttpClient, HttpSettings, Request, Response
from tests.support.certificates import make_certificate
from tests.support.scripted import PATIENCE, Connection, Script, ScriptedServer, always, answer

FIRST, SECOND, STRANGER = answer(b'"first"'), answer(b'"second"'), answer(b'"stranger"')


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(HttpSettings())
    yield client
    client.close()


def get(client: HttpClient, server: ScriptedServer) -> Response:
    return client.send(Request("GET", server.url), Deadline.after(PATIENCE))


def answer_then_close(connection: Connection) -> None:
    connection.read_request()
    connection.send(FIRST)


def answer_then_reset(connection: Connection) -> None:
    connection.read_request()
    connection.send(FIRST)
    connection.reset()


def answer_then_hang_up_on_the_next(connection: Connection) -> None:
    connection.read_request()
    connection.send(FIRST)
    connection.read_request()


def answer_then_reset_the_next(connection: Connection) -> None:
    connection.read_request()
    connection.send(FIRST)
    connection.read_request()
    connection.reset()


@pytest.mark.parametrize(
    "script", [answer_then_close, answer_then_reset, answer_then_hang_up_on_the_next, answer_then_reset_the_next]
)
def test_a_kept_connection_that_is_gone_is_replaced_without_anybody_noticing(
    client: HttpClient, script: Script
) -> None:
    with ScriptedServer(script, always(SECOND)) as server:
        assert get(client, server).json() == "first"
        if script in (answer_then_close, answer_then_reset):
            server.wait_for_end()
        assert get(client, server).json() == "second"
        assert len(server.connections) == 2


def test_a_request_is_sent_a_second_time_only_once(client: HttpClient) -> None:
    def hang_up(connection: Connection) -> None:
        connection.read_request()

    with ScriptedServer(answer_then_hang_up_on_the_next, hang_up) as server:
        get(client, server)
        with pytest.raises(SourceUnavailable, match="closed the connection"):
            get(client, server)
        assert len(server.requests) == 3


def test_the_second_attempt_takes_a_new_connection_though_others_are_kept(client: HttpClient) -> None:
    both = threading.Barrier(2)

    def answer_both_then_hang_up(connection: Connection) -> None:
        connection.read_request()
        both.wait(PATIENCE)
        connection.send(FIRST)
        connection.read_request()

    with ScriptedServer(answer_both_then_hang_up, answer_both_then_hang_up, always(SECOND)) as server:
        threads = [threading.Thread(target=get, args=(client, server)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert get(client, server).json() == "second"


def test_a_failure_after_the_first_byte_is_not_tried_again(client: HttpClient) -> None:
    def answer_then_break_off(connection: Connection) -> None:
        connection.read_request()
        connection.send(FIRST)
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")

    with ScriptedServer(answer_then_break_off, always(SECOND)) as server:
        get(client, server)
        with pytest.raises(SourceUnavailable, match="mid-answer"):
            get(client, server)
        assert len(server.connections) == 1


def test_what_may_be_sent_only_once_gets_a_connection_of_its_own(client: HttpClient) -> None:
    with ScriptedServer(always(FIRST), always(SECOND)) as server:
        get(client, server)
        once = Request("POST", server.url, body=b"token", once=True)
        assert client.send(once, Deadline.after(PATIENCE)).json() == "second"
        assert b"Connection: close" in server.connections[1].requests[0]
        assert len(server.connections) == 2


def test_a_second_answer_to_one_request_never_becomes_the_next_callers_answer(client: HttpClient) -> None:
    with ScriptedServer(always(FIRST + STRANGER), always(SECOND)) as server:
        assert get(client, server).json() == "first"
        assert get(client, server).json() != "stranger"


def test_a_second_answer_that_comes_later_never_becomes_the_next_callers_answer(client: HttpClient) -> None:
    again, sent = threading.Event(), threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(FIRST)
        again.wait(PATIENCE)
        connection.send(STRANGER)
        sent.set()
        connection.wait_for_close()

    with ScriptedServer(script, always(SECOND)) as server:
        assert get(client, server).json() == "first"
        again.set()
        sent.wait(PATIENCE)
        assert get(client, server).json() == "second"


@pytest.mark.parametrize("padding", [0, 7_000, 9_000, 15_000])
def test_a_second_answer_in_one_tls_record_never_becomes_the_next_callers_answer(tmp_path: Path, padding: int) -> None:
    tls = make_certificate(tmp_path).server
    client = HttpClient(HttpSettings(tls={"verify": False}))
    first = answer(b'"' + b"f" * padding + b'"')
    # the stranger's answer begins where the reader's buffer of 8192 bytes ends
    gap = b"\r\n" * max(0, (8192 - len(first)) // 2) if padding < 8000 else b""
    with ScriptedServer(always(first + gap + STRANGER * 20), always(SECOND), tls=tls) as server:
        assert get(client, server).json() == "f" * padding
        assert get(client, server).json() != "stranger"
    client.close()


def test_no_thread_and_no_connection_is_left(client: HttpClient) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    with ScriptedServer(always(FIRST)) as server:
        get(client, server)
        kept = server.connections[0].sock
        kept.settimeout(PATIENCE)
        client.close()
        server.wait_for_end()
    assert {thread.ident for thread in threading.enumerate()} <= before


def test_a_proxy_of_the_environment_is_used_and_its_password_stays_private(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(always(FIRST)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://lan:planted@{proxy.host}")
        monkeypatch.setenv("no_proxy", "")
        response = client.send(Request("GET", "http://crm.example/x"), Deadline.after(PATIENCE))
        assert response.json() == "first"
        assert proxy.requests[0].startswith(b"GET http://crm.example/x HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic " in proxy.requests[0]
    with pytest.raises(SourceUnavailable, match="proxy") as caught:
        client.send(Request("GET", "http://crm.example/x"), Deadline.after(PATIENCE))
    assert "planted" not in str(caught.value)


def test_a_proxy_is_passed_by_for_hosts_that_the_environment_excepts(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ScriptedServer(always(FIRST)) as server:
        assert get(client, server).json() == "first"


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"502 planted"])
def test_a_proxy_that_refuses_a_tunnel_is_named(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, status: bytes
) -> None:
    with ScriptedServer(always(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")) as proxy:
        monkeypatch.setenv("https_proxy", f"http://lan:planted@{proxy.host}")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(SourceUnavailable, match="proxy") as caught:
            client.send(Request("GET", "https://crm.example/planted"), Deadline.after(PATIENCE))
    assert "planted" not in str(caught.value)


def test_a_socks_proxy_is_refused_instead_of_passed_by(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://lan:planted@127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with socket.create_server(("127.0.0.1", 0)) as crm, pytest.raises(Exception, match="proxy") as caught:
        client.send(Request("GET", f"http://127.0.0.1:{crm.getsockname()[1]}/"), Deadline.after(0.5))
    assert "planted" not in str(caught.value)
