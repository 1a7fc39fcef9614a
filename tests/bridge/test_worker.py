import socket
import time

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from bridge.worker import Worker

REQUEST = b"GET /get_owner_contact_by_phone?phoneNumber=0901234567 HTTP/1.1\r\nHost: x\r\n\r\n"


class Pool:
    """Stands where gunicorn's threads would be, and keeps what they are given."""

    def __init__(self) -> None:
        self.given = []

    def submit(self, *job):
        self.given.append(job)
        return self

    def add_done_callback(self, _callback) -> None:
        pass


@pytest.fixture
def worker():
    worker = Worker(0, 0, [], None, 60, Config(), None)
    worker.tpool = Pool()
    yield worker
    worker.tmp.close()


@pytest.fixture
def wire():
    client, server = socket.socketpair()
    client.sendall(REQUEST)
    connection = TConn(Config(), server, ("127.0.0.1", 1), ("127.0.0.1", 2))
    with client:
        yield client, connection
    connection.sock.close()


def test_a_call_is_given_to_a_thread_and_its_time_is_noted(worker, wire):
    _, connection = wire
    before = time.monotonic()
    worker.enqueue_req(connection)
    assert len(worker.tpool.given) == 1
    assert before <= connection.arrived <= time.monotonic()


def test_a_call_behind_a_long_queue_is_turned_away_at_once_with_an_empty_answer(worker, wire):
    client, connection = wire
    worker.nr_conns = 1
    worker._queue.append(time.monotonic() - 1)  # noqa: SLF001 - a second of waiting, without waiting it
    worker.enqueue_req(connection)
    answer = b""
    while chunk := client.recv(65536):
        answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"X-Bridge-Outcome: unavailable" in head
    assert (body, worker.tpool.given, worker.nr_conns) == (b"", [], 0)
