import errno
import selectors
import socket
import time

import pytest
from gunicorn.config import Config

from bridge.client_socket import ClientSocket
from bridge.door import Door
from bridge.reception import Visitor
from bridge.worker import Worker

REQUEST = b"GET /get_owner_contact_by_phone?phoneNumber=0901234567 HTTP/1.1\r\nHost: x\r\n\r\n"


class Rules:
    api_keys = ()
    trusted_proxies = ()
    allow = ()


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
    worker.poller = selectors.DefaultSelector()
    worker.receive(Door(Rules), lambda: worker.turned_away.append(True))
    worker.turned_away = []
    yield worker
    worker.murder_keepalived(force=True)
    worker.poller.close()
    worker.tmp.close()


@pytest.fixture
def wire():
    client, server = socket.socketpair()
    client.sendall(REQUEST)
    visitor = Visitor(Config(), ClientSocket(server), ("127.0.0.1", 1), ("127.0.0.1", 2))
    visitor.arrived = time.monotonic()
    with client, visitor.sock:
        yield client, visitor


def test_a_call_is_given_to_a_thread(worker, wire):
    _, visitor = wire
    worker.enqueue_req(visitor)
    assert [job[1] for job in worker.tpool.given] == [visitor]


def test_a_call_behind_a_long_queue_is_turned_away_at_once_with_an_empty_answer(worker, wire):
    client, visitor = wire
    worker._queue.append(time.monotonic() - 1)  # noqa: SLF001 - a second of waiting, without waiting it
    worker.enqueue_req(visitor)
    answer = b""
    while chunk := client.recv(65536):
        answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"X-Bridge-Outcome: unavailable" in head
    assert (body, worker.tpool.given) == (b"", [])
    assert len(worker.turned_away) == 1


def test_a_call_whose_head_came_slowly_does_not_make_the_queue_look_long(worker, wire):
    _, visitor = wire
    visitor.arrived -= 1.5
    worker.enqueue_req(visitor)
    worker.enqueue_req(visitor)
    assert len(worker.tpool.given) == 2


class Done:
    """A thread's work that has ended well, and lets the connection go on."""

    def cancelled(self):
        return False

    def exception(self):
        return None

    def result(self):
        return True


def test_a_connection_whose_body_did_not_come_whole_is_not_used_again(worker, wire):
    client, visitor = wire
    visitor.sock.recv(8192)
    assert visitor.sock.recv(8192) == b""
    worker.finish_request(visitor, Done())
    assert client.recv(1) == b""


class Listener:
    """Accepts what it is given; what is a number is an error instead."""

    def __init__(self, *visits):
        self.visits = list(visits)

    def accept(self):
        if not self.visits:
            raise BlockingIOError(errno.EAGAIN, "nobody is there")
        visit = self.visits.pop(0)
        if isinstance(visit, int):
            raise OSError(visit, "no")
        return visit, ("203.0.113.7", 1)

    def getsockname(self):
        return ("127.0.0.1", 2)


@pytest.fixture
def visits():
    pairs = [socket.socketpair() for _ in range(510)]
    yield [theirs for _, theirs in pairs]
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def accept_all(worker, listener):
    for _ in range(10):
        worker.accept(listener)


def test_the_oldest_silent_connection_makes_room_for_a_new_one(worker, visits):
    worker.worker_connections = 4
    accept_all(worker, Listener(*visits[:10]))
    assert worker.nr_conns == 3


def test_no_file_being_left_makes_room_instead_of_ending_the_process(worker, visits):
    accept_all(worker, Listener(*visits[:3], errno.EMFILE, visits[3]))
    assert worker.nr_conns == 3
    worker.accept(Listener(errno.ENFILE, errno.ENFILE, errno.ENFILE, errno.ENFILE))
    assert worker.nr_conns == 0


def test_one_address_has_a_bounded_number_of_connections(worker, visits):
    accept_all(worker, Listener(*visits))
    assert worker.nr_conns == 500


def test_many_who_come_at_once_do_not_keep_the_others_waiting(worker, visits):
    listener = Listener(*visits[:300])
    worker.accept(listener)
    assert worker.nr_conns == 200
