"""The SQL connector while its PostgreSQL or MariaDB is restarted, frozen or away, alone and within the service."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import yaml

from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceBusy, SourceError, SourceUnavailable
from connectors.sql.connector import SqlConnector
from tests.support.databases import mariadb, postgres
from tests.support.service import RunningService, free_port

pytestmark = pytest.mark.system

LAN, MINH = Owner(email="lan@congty.example"), Owner(email="minh@congty.example")
QUERY = "SELECT owner_email AS email FROM customers WHERE phone IN (:forms)"
SLOW = {
    "postgresql": "SELECT 7 AS owner_id, pg_sleep(1)::text AS name FROM customers WHERE phone IN (:forms)",
    "mariadb": "SELECT 7 AS owner_id, sleep(1) AS name FROM customers WHERE phone IN (:forms)",
}
PATIENCE = 25
CALL = Call(PhoneNumber.parse("0701234567"))


@pytest.fixture(scope="module", params=[postgres, mariadb], ids=["postgresql", "mariadb"])
def server(request):
    with request.param() as running:
        yield running


@pytest.fixture
def connect(server):
    made = []

    def connect(**settings):
        given = {"url": server.url, "password": server.password, "query": QUERY, **settings}
        made.append(SqlConnector(SqlConnector.Config.model_validate(given)))
        return made[-1]

    yield connect
    for connector in made:
        connector.close()


class Asking:
    """A question in a thread of its own; `answer` waits for what came of it."""

    def __init__(self, connector, seconds=10.0):
        self._connector = connector
        self._deadline = Deadline.after(seconds)
        self._came = []
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self):
        try:
            self._came.append(self._connector.find_owners(CALL, self._deadline))
        except SourceUnavailable as error:
            self._came.append(error)

    def answer(self):
        self._thread.join(PATIENCE)
        assert self._came, "it still waits"
        return self._came[0]


def wait_until_busy(server):
    """Wait until the server works on a query of ours."""
    working = {
        "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE usename = 'bridge' AND state = 'active'",
        "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE user = 'bridge' AND info LIKE '%sleep%'",
    }
    while not server.admin(working[server.kind])[0][0]:
        threading.Event().wait(0.02)


def test_a_restart_between_two_calls_costs_neither_of_them_its_answer(server, connect):
    connector = connect()
    assert connector.find_owners(CALL, Deadline.after(5)) == (LAN,)
    server.restart()
    assert connector.find_owners(CALL, Deadline.after(5)) == (LAN,)


def test_a_restart_in_mid_call_costs_it_no_answer(server, connect):
    connector = connect(query=SLOW[server.kind])
    connector.find_owners(CALL, Deadline.after(5))
    asking = Asking(connector, seconds=20)
    wait_until_busy(server)
    server.restart()
    assert asking.answer() == (Owner(id="7"),)


def test_a_server_that_only_ends_its_connections_costs_no_call_its_answer(server, connect):
    connector = connect(query=SLOW[server.kind])
    asking = Asking(connector)
    wait_until_busy(server)
    server.end_connections()
    assert asking.answer() == (Owner(id="7"),)


def test_nobody_waits_for_a_frozen_server_beyond_the_deadline(server, connect):
    warm, cold = connect(timeout="10m"), connect(timeout="10m")
    warm.find_owners(CALL, Deadline.after(5))
    with server.frozen():
        for connector in (warm, warm, cold):
            assert "did not answer in time" in str(Asking(connector, seconds=0.3).answer())
    for connector in (warm, cold):
        assert connector.find_owners(CALL, Deadline.after(5)) == (LAN,)
    assert not [thread for thread in threading.enumerate() if thread.name == "watchdog"]


def test_a_query_that_the_server_freezes_over_is_given_up(server, connect):
    connector = connect(query=SLOW[server.kind], timeout="10m")
    connector.find_owners(CALL, Deadline.after(5))
    asking = Asking(connector, seconds=0.6)
    wait_until_busy(server)
    with server.frozen():
        assert "did not answer in time" in str(asking.answer())


def test_a_query_is_dropped_at_the_deadline_though_the_server_works_on(server, connect):
    connector = connect(query=SLOW[server.kind].replace("sleep(1)", f"sleep({2 * PATIENCE})"), timeout="40s")
    assert "did not answer in time" in str(Asking(connector, seconds=0.3).answer())
    server.end_connections()


def test_who_finds_all_connections_in_use_is_told_so(server, connect):
    connector = connect(query=SLOW[server.kind], max_in_flight=1)
    asking = Asking(connector)
    wait_until_busy(server)
    with pytest.raises(SourceBusy, match="all connections are in use"):
        connector.find_owners(CALL, Deadline.after(0.05))
    assert asking.answer() == (Owner(id="7"),)


def test_a_connector_that_is_closed_in_mid_call_leaves_no_connection(server, connect):
    assert server.wait_until_no_connection()
    connector = connect(query=SLOW[server.kind])
    asking = Asking(connector)
    wait_until_busy(server)
    connector.close()
    assert asking.answer() == (Owner(id="7"),)
    assert server.wait_until_no_connection()


def test_a_closed_port_is_no_database(server, connect):
    url = server.url.replace(str(server.port), str(free_port()))
    with pytest.raises(SourceUnavailable, match=r"(?i)refused"):
        connect(url=url).open()


def test_a_server_that_accepts_and_says_nothing_is_left(server, connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = server.url.replace(str(server.port), str(silent.getsockname()[1]))
        asking = Asking(connect(url=url, timeout="10m"), seconds=0.3)
        assert "did not answer in time" in str(asking.answer())


def test_a_server_that_speaks_another_language_is_told(server, connect):
    def answer(listener):
        with suppress(OSError), listener.accept()[0] as connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        url = server.url.replace(str(server.port), str(listener.getsockname()[1]))
        try:
            with pytest.raises(SourceError):
                connect(url=url).find_owners(CALL, Deadline.after(2))
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes who waits there
            thread.join()


def test_a_host_without_an_address_is_told(server, connect):
    url = server.url.replace("127.0.0.1", "nowhere.invalid")
    with pytest.raises(SourceUnavailable, match="the name of the host cannot be resolved"):
        connect(url=url).find_owners(CALL, Deadline.after(10))


def test_the_service_answers_in_time_while_its_database_is_frozen(server, tmp_path):
    settings = {
        "api_keys": ["change-me"],
        "connectors": {
            "crm": {"type": "sql", "url": server.url, "password": server.password, "query": QUERY, "timeout": "3s"}
        },
        "extensions": {"inline": {"lan@congty.example": 101}},
        "cache": {"ttl": "1ms"},
    }
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    with RunningService(config) as service:
        known = service.ask_until("0701234567", b"101")
        assert (known.body, known.headers["X-Bridge-Answer"]) == (b"101", "live")
        with server.frozen(), ThreadPoolExecutor(6) as threads:
            replies = list(threads.map(service.ask, ["0701234567", "0909999999"] * 3))
        assert [reply.body for reply in replies] == [b"101", b""] * 3
        assert {reply.headers["X-Bridge-Outcome"] for reply in replies[1::2]} == {"unavailable"}
        assert {reply.headers["X-Bridge-Answer"] for reply in replies[::2]} == {"stale"}
        assert max(reply.seconds for reply in replies) < 2
        assert service.ask_until("0909999999", b"").status == 200
