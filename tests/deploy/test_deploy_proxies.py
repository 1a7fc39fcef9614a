"""nginx, Caddy and HAProxy as deploy/ has them, before the real service: TLS, what goes through, what does not."""

import http.client
import json
import re
import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from tests.support.certificates import make_certificate
from tests.support.proxies import KINDS, PATH, RunningProxy
from tests.support.servers import HttpServer, Reply
from tests.support.service import RunningService, free_port

CALLER = "0901234567"
QUERY = f"phoneNumber={CALLER}&sipNumber=842499950291"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    (folder / "customers.csv").write_text(f"phone,extension\n{CALLER},101\n{CALLER},102\n", encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text(
        "api_keys: [change-me]\npurge_keys: [planted-4712]\n"
        "connectors:\n  customers: {type: csv, path: customers.csv}\n",
        encoding="utf-8",
    )
    with RunningService(config) as running:
        yield running


@pytest.fixture(params=KINDS)
def start(request, tmp_path, certificate):
    """Starts a proxy in front of a port."""
    return lambda upstream: RunningProxy(request.param, tmp_path, certificate, upstream)


@pytest.fixture(params=KINDS, scope="module")
def proxy(request, tmp_path_factory, certificate, service):
    """A proxy in front of the service."""
    with RunningProxy(request.param, tmp_path_factory.mktemp(request.param), certificate, service.port) as running:
        yield running


def port_of(server):
    return int(server.host.partition(":")[2])


def body_of(answer):
    return answer.partition(b"\r\n\r\n")[2]


@contextmanager
def silent_bridge():
    """Takes questions and answers none; gives its port, and what it was asked."""
    over = threading.Event()

    def say_nothing(_):
        over.wait(20)
        return Reply(b"101")

    with HttpServer(say_nothing) as bridge:
        try:
            yield port_of(bridge), bridge.requests
        finally:
            over.set()


def test_a_call_through_tls_is_answered_with_the_bridge_s_own_headers(proxy):
    reply = proxy.ask(QUERY, headers={"X-Request-ID": "call-42"})
    assert (reply.status, reply.body) == (200, b"101:102")
    told = {name: reply.headers[name] for name in ("X-Bridge-Outcome", "X-Bridge-Answer", "X-Request-ID")}
    assert told == {"X-Bridge-Outcome": "found", "X-Bridge-Answer": "live", "X-Request-ID": "call-42"}
    assert (reply.headers["Cache-Control"], reply.headers["Content-Length"]) == ("no-store", "7")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_slash_at_the_end_of_the_path_changes_nothing(proxy):
    assert proxy.ask(QUERY, path=f"{PATH}/").body == b"101:102"


def test_a_wrong_key_is_refused_by_the_bridge_itself(proxy):
    reply = proxy.ask(QUERY, headers={"X-API-KEY": "wrong"})
    assert (reply.status, reply.body, reply.headers["X-Bridge-Outcome"]) == (401, b"", "unauthorized")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "//metrics",
        f"{PATH}/x",
        f"{PATH}/../metrics",
        f"{PATH}/%2e%2e/metrics",
        f"{PATH}%2f..%2fmetrics",
        "/empty",
        "/unavailable",
    ],
)
def test_nothing_but_the_endpoint_can_be_reached(proxy, path):
    reply = proxy.ask("", path=path)
    assert (reply.status, reply.body, reply.headers["X-Bridge-Outcome"]) == (404, b"", None)


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS", "TRACE"])
def test_another_method_is_refused_without_a_body(proxy, method):
    reply = proxy.ask(QUERY, method=method)
    assert (reply.status, reply.body) == (405, b"")


CHANGED = "/owner_changed"


@pytest.mark.parametrize("path", [CHANGED, f"{CHANGED}/"])
def test_what_a_crm_tells_goes_through_with_its_body_and_comes_back_as_it_is(proxy, path):
    content = b'[{"objectId": 42, "note": "' + b"x" * 100_000 + b'"}]'
    told = {"path": path, "method": "POST", "headers": {"X-API-KEY": ""}}
    reply = proxy.ask("key=planted-4712", content=content, **told)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(reply.body) == {"forgotten": {"numbers": 0, "owners": 0, "records": 1}}
    assert proxy.ask("key=wrong", content=content, **told).status == 401
    assert proxy.ask("key=planted-4712", content=b"{}", **told).status == 400
    assert proxy.ask("key=planted-4712", content=b" " * 300_000, **told).status == 413


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_a_change_is_told_by_a_post_alone(proxy, method):
    reply = proxy.ask("key=planted-4712&record=42", path=CHANGED, method=method)
    assert (reply.status, reply.body) == (405, b"")


def test_a_crm_learns_that_the_bridge_is_stopped(start):
    with start(free_port()) as proxy:
        reply = proxy.ask("key=planted-4712&record=42", path=CHANGED, method="POST")
        assert (reply.status in (502, 503), reply.body) == (True, b"")
        assert reply.headers["X-Bridge-Outcome"] is None or "haproxy" in proxy.kind


def test_a_request_line_that_is_too_long_is_refused_without_a_body(proxy):
    reply = proxy.ask("phoneNumber=" + "9" * 10_000)
    assert (reply.status, reply.body) == (414, b"")


@pytest.mark.parametrize("proxy", ["nginx"], indirect=True)
@pytest.mark.parametrize(
    ("request_bytes", "tls"),
    [
        (b"rubbish\r\n\r\n", True),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: odd\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", False),
    ],
)
def test_what_is_no_proper_request_gets_no_body(proxy, request_bytes, tls):
    answer = proxy.raw(request_bytes, tls=tls)
    assert re.match(rb"HTTP/1\.1 [45]\d\d ", answer)
    assert body_of(answer) == b""


@pytest.mark.parametrize("proxy", ["nginx"], indirect=True)
def test_a_request_without_tls_gets_no_answer_at_all(proxy):
    with socket.create_connection(("127.0.0.1", proxy.plain_port), timeout=10) as plain:
        plain.sendall(f"GET {PATH}?{QUERY} HTTP/1.1\r\nHost: bridge.example\r\n\r\n".encode())
        assert plain.recv(65536) == b""


@pytest.mark.parametrize("proxy", ["haproxy"], indirect=True)
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"rubbish\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
    ],
)
def test_haproxy_says_nothing_to_what_is_no_request(proxy, request_bytes):
    assert proxy.raw(request_bytes) == b""


def test_the_query_arrives_as_it_was_sent_and_the_client_s_address_and_distance_as_they_are(start, request):
    query = "phoneNumber=+84901234567&sipNumber=%2B842499950291&a=%20b;c=d"
    forged = {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7", "X-Real-IP": "192.0.2.7"}
    forged["X-TCP-RTT"] = "999999999"
    with HttpServer(lambda _: Reply(b"101")) as bridge, start(port_of(bridge)) as proxy:
        assert proxy.ask(query, headers=forged).body == b"101"
    (asked,) = bridge.requests
    assert asked.path == f"{PATH}?{query}"
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert (headers["x-forwarded-for"], headers["x-api-key"]) == ("127.0.0.1", "change-me")
    assert "192.0.2.7" not in str(headers)
    told = headers.get("x-tcp-rtt")
    assert told is None if "caddy" in request.node.name else 0 < int(told) < 1_000_000


@pytest.mark.parametrize("start", ["caddy", "haproxy"], indirect=True)
def test_no_answer_tells_which_programs_stand_there(start, service):
    with start(service.port) as proxy:
        replies = [proxy.ask(QUERY), proxy.ask(QUERY, method="POST"), proxy.ask("", path="/")]
    with start(free_port()) as proxy:
        replies.append(proxy.ask(QUERY))
    assert [reply.status for reply in replies] == [200, 405, 404, 200]
    assert [reply.headers["Server"] for reply in replies] == [None] * 4


def test_while_the_bridge_is_stopped_the_body_is_empty(start):
    with start(free_port()) as proxy:
        reply = proxy.ask(QUERY)
        assert (reply.status, reply.body, reply.headers["X-Bridge-Outcome"]) == (200, b"", "unavailable")
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_bridge_that_says_nothing_is_waited_for_less_than_two_seconds(start):
    with silent_bridge() as (port, _), start(port) as proxy:
        reply = proxy.ask(QUERY)
        assert (reply.status, reply.body, reply.headers["X-Bridge-Outcome"]) == (200, b"", "unavailable")
        assert reply.seconds < 2.0


def test_what_the_bridge_says_at_the_end_of_its_time_still_arrives(start):
    late = threading.Event()

    def answer_late(_):
        late.wait(1.7)
        return Reply(b"101")

    with HttpServer(answer_late) as bridge, start(port_of(bridge)) as proxy:
        assert proxy.ask(QUERY).body == b"101"


def test_a_connection_that_the_bridge_closes_meanwhile_costs_no_call(start):
    requests = []

    def serve(listener):
        """Answer the first request of each connection, and close it at the second."""
        with suppress(OSError):  # nobody listens any more
            for number in range(2):
                with listener.accept()[0] as connection:
                    while connection.recv(65536):
                        requests.append(number)
                        if len(requests) == 2:
                            break
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n101")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        bridge = threading.Thread(target=serve, args=(listener,))
        bridge.start()
        try:
            with start(listener.getsockname()[1]) as proxy:
                assert [proxy.ask(QUERY).body for _ in range(2)] == [b"101", b"101"]
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes who waits there, also if the proxy never came
            bridge.join(20)
    assert not bridge.is_alive()
    assert requests == [0, 0, 1]


@pytest.mark.parametrize("start", ["nginx"], indirect=True)
def test_an_address_that_asks_all_too_often_is_turned_away_without_a_body(start):
    request = f"GET {PATH}?{QUERY} HTTP/1.1\r\nHost: x\r\n"
    with start(free_port()) as proxy:
        answers = proxy.raw((request + "\r\n").encode() * 700 + (request + "Connection: close\r\n\r\n").encode())
        assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"Content-Length: 0") == 701
        assert "200 bridge=- " in proxy.wait_for_log("bridge=-")


def test_no_log_of_the_proxy_holds_a_caller_or_a_key(start, service):
    with start(service.port) as proxy:
        proxy.ask(QUERY, headers={"X-Request-ID": "call-42", "X-API-KEY": "wrong-4711"})
        proxy.ask(QUERY, method="POST")
        proxy.ask(f"key=planted-4712&phone={CALLER}", path=CHANGED, method="POST")
        with suppress(http.client.RemoteDisconnected):  # HAProxy says nothing to that
            proxy.ask(QUERY + "&a=" + "9" * 20_000)
        for mistyped in (f"{PATH}%3F{QUERY}", f"{PATH}&{QUERY}", f"{PATH}/{CALLER}", f"/{CALLER}"):
            proxy.ask("", path=mistyped)
        proxy.ask(QUERY, path="/metrics")
        proxy.raw(f"GET {PATH}?{QUERY} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        logs = proxy.wait_for_log("/metrics")
    with start(free_port()) as proxy:
        proxy.ask(QUERY)
        logs += proxy.wait_for_log(PATH)
    with silent_bridge() as (port, asked), start(port) as proxy:
        proxy.ask(QUERY)
        logs += proxy.wait_for_log(PATH)
        assert asked
    assert "127.0.0.1" in logs
    assert CALLER not in logs
    assert "wrong-4711" not in logs
    assert CHANGED in logs
    assert "planted-4712" not in logs
