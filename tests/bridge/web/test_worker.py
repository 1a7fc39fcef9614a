import socket
import threading
import time
from contextlib import ExitStack, closing
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidRequestLine, LimitRequestHeaders, LimitRequestLine

from bridge.config.loading import load_config
from bridge.web.connections import waited
from bridge.web.worker import Worker
from tests.support.application import opened
from tests.support.service import RunningService

REQUEST = b"GET /get_owner_contact_by_phone?phoneNumber=0901234567 HTTP/1.1\r\nHost: x\r\nX-API-KEY: change-me\r\n"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    config = tmp_path / "config.yaml"
    config.write_text("api_keys: [change-me]\nconnectors: {customers: {type: csv, path: customers.csv}}\n")
    return config


def read_all(client):
    answer = b""
    while chunk := client.recv(65536):
        answer += chunk
    return answer


def test_the_system_knows_for_how_long_a_request_has_waited():
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        closing(listener.accept()[0]) as server,
    ):
        client.sendall(REQUEST)
        sent = time.monotonic()
        while waited(server) < 0.05:  # a clock of the kernel's, which nobody can wind forward
            assert time.monotonic() - sent < 5
        assert 0.03 < time.monotonic() - sent < 5


def test_where_nobody_says_how_long_it_has_waited_it_has_just_come():
    client, server = socket.socketpair()
    with client, server:
        assert waited(server) == 0


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (LimitRequestLine(5000, 4094), b"414 URI Too Long", "too-long"),
        (LimitRequestHeaders("too many"), b"431 Request Header Fields Too Large", "too-long"),
        (InvalidRequestLine("GET /?phoneNumber=0901234567"), b"400 Bad Request", "malformed"),
        (RuntimeError("a bug"), b"500 Internal Server Error", "bug"),
    ],
)
def test_what_cannot_be_answered_gets_a_status_and_no_body(error, status, word, config, caplog):
    with opened(load_config(config)) as application:
        head, body = answer_to(error, application)
        figures = application.test_client().get("/metrics").get_data(as_text=True)
    assert head.splitlines()[0] == b"HTTP/1.1 " + status
    assert b"Content-Length: 0" in head
    assert body == b""
    assert f'omi_bridge_requests_refused_total{{reason="{word}"}} 1.0' in figures
    assert len([record for record in caplog.records if record.name == "bridge.web.worker"]) == 1
    assert "0901234567" not in caplog.text


def answer_to(error, application):
    loaded = SimpleNamespace(callable=application)
    worker = Worker(0, 0, [], loaded, 60, Config(), None)
    worker.tmp.close()
    worker.forked()
    worker.line.close()
    client, server = socket.socketpair()
    with client:
        with server:
            worker.handle_error(None, server, ("192.0.2.7", 50000), error)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    ("told", "status"), [(b"POST /owner_changed?key=x HTTP/1.1\r\n", b"503"), (b"GET / HTTP/1.1\r\n", b"200")]
)
def test_who_tells_something_is_turned_away_with_a_word_to_come_again(config, told, status):
    with opened(load_config(config)) as application:
        worker = Worker(0, 0, [], SimpleNamespace(callable=application), 60, Config(), None)
        worker.tmp.close()
        worker.forked()
        worker.line.close()
        client, server = socket.socketpair()
        with client, server:
            client.sendall(told)
            assert not worker._turn_away(server, 0.8)  # noqa: SLF001 - nothing outside makes a thread wait so long
            assert client.recv(65536).startswith(b"HTTP/1.1 " + status)


def test_who_speaks_https_to_the_service_itself_is_told_of_as_that(config, caplog):
    with opened(load_config(config)) as application:
        answer_to(InvalidRequestLine("\x16\x03\x01"), application)
    assert "400 for 192.0.2.7: what came is no HTTP request: HTTPS, which the proxy in front is for" in caplog.text


def test_a_call_that_waits_for_too_long_is_turned_away_with_an_empty_answer(config):
    """Half requests hold both threads for the second that a client may take: the whole one behind them waits."""
    with RunningService(config, "--threads", "2") as service, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(service.connect(REQUEST))
        turned_away = stack.enter_context(service.connect(b""))
        threading.Event().wait(0.1)  # the halves have their threads by then
        turned_away.sendall(REQUEST + b"Connection: close\r\n\r\n")
        head, _, body = read_all(turned_away).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"X-Bridge-Outcome: unavailable" in head
        assert body == b""
        assert service.ask().body == b"101"
        assert "omi_bridge_turned_away_total 1.0" in service.page("/metrics").text
        service.wait_for_log("a call is turned away: it has waited [01][.][0-9]+ s for one of 2 threads")
        assert not [line for line in service.log if "Socket error" in line]


class Giving(threading.Thread):
    """A thread of a system that gives so many at once, and no more; of those that only try there may be enough."""

    left = 0
    limits_trials = True

    def start(self):
        if self.counts and Giving.left == 0:
            raise RuntimeError("can't start new thread")
        Giving.left -= self.counts
        super().start()

    def run(self):
        try:
            super().run()
        finally:
            Giving.left += self.counts

    @property
    def counts(self):
        return Giving.limits_trials or self.name != "trial"


@pytest.fixture
def scarce_threads(monkeypatch):
    monkeypatch.setattr(threading, "Thread", Giving)
    made = Worker(0, 0, [], None, 30, Config(), None)
    made.cfg.set("threads", 64)
    yield made
    made.tmp.close()
    made.line.close()
    made.forked()


ALL_THERE = 64 + 32
SCARCE = [(ALL_THERE, 1, 64), (ALL_THERE - 1, 1, 63), (60, 1, 28), (60, 2, 10), (12, 1, 4), (2, 1, 2)]


@pytest.mark.parametrize(("given", "workers", "got"), SCARCE)
def test_a_worker_serves_with_as_many_threads_as_there_are_and_leaves_some_for_the_rest(
    monkeypatch, caplog, scarce_threads, given, workers, got
):
    monkeypatch.setattr(Giving, "left", given)
    scarce_threads.cfg.set("workers", workers)
    with scarce_threads.get_thread_pool() as pool:
        assert (scarce_threads.cfg.threads, given - Giving.left) == (got, got)
        assert list(pool.map(str, range(200))) == [str(number) for number in range(200)]
    assert (f"asked for 64 threads to answer calls, got {got}" in caplog.text) == (given < ALL_THERE)


def test_a_pool_whose_last_threads_are_not_to_be_had_any_more_serves_with_those_that_are_there(
    monkeypatch, scarce_threads
):
    monkeypatch.setattr(Giving, "left", 5)
    monkeypatch.setattr(Giving, "limits_trials", False)
    with scarce_threads.get_thread_pool() as pool:
        assert Giving.left == 0
        assert list(pool.map(str, range(50))) == [str(number) for number in range(50)]
