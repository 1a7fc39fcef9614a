import selectors
import socket
from contextlib import ExitStack
from ipaddress import ip_network

import pytest
from gunicorn.config import Config

from bridge.client_socket import ClientSocket
from bridge.door import Door
from bridge.reception import Reception, Visitor
from bridge.wrong_keys import MOST_WRONG_KEYS

HALF = b"GET /owner HTTP/1.1\r\nHost: x\r\n"
WHOLE = HALF + b"\r\n"


class Rules:
    api_keys = (b"right",)
    trusted_proxies = ()
    allow = ()


class House:
    """A reception with a clock that stands still, and what it has done."""

    def __init__(self):
        self.now = 1000.0
        self.rules = Rules()
        self.served, self.gone = [], []
        self.poller = selectors.DefaultSelector()
        self.door = Door(lambda: self.rules)
        clock = lambda: self.now  # noqa: E731
        self.reception = Reception(self.poller, self.door, self.served.append, self.gone.append, clock)
        self.open = ExitStack()

    def visit(self, sent=b""):
        client, theirs = socket.socketpair()
        client.settimeout(5)
        self.open.enter_context(client)
        client.send(sent)
        visitor = Visitor(Config(), self.open.enter_context(ClientSocket(theirs)), ("203.0.113.7", 1), ("127.0.0.1", 2))
        self.reception.welcome(visitor)
        return client, visitor

    def turn(self, seconds=0.0):
        self.now += seconds
        for key, _ in self.poller.select(0):
            key.data(key.fileobj)
        self.reception.close_who_waited_enough()


@pytest.fixture
def house():
    house = House()
    with house.poller, house.open:
        yield house


def everything(client):
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received


def besiege(house):
    for _ in range(MOST_WRONG_KEYS + 1):
        house.door.note_wrong_key(house.door.client("203.0.113.7", []))


def test_a_whole_request_is_served_at_once(house):
    _, visitor = house.visit(WHOLE)
    assert house.served == [visitor]
    assert visitor.arrived == 1000
    assert len(house.reception) == 0


def test_a_request_in_pieces_is_served_when_it_is_whole_and_arrived_with_its_first_byte(house):
    client, visitor = house.visit()
    house.turn(1)
    assert house.served == []
    client.send(HALF)
    house.turn(1)
    client.send(b"\r\n")
    house.turn(1)
    assert house.served == [visitor]
    assert visitor.arrived == 1002
    assert len(house.reception) == 0


def test_who_says_nothing_is_closed_after_five_seconds(house):
    client, visitor = house.visit()
    house.turn(4.9)
    assert house.gone == []
    house.turn(0.2)
    assert house.gone == [visitor]
    assert client.recv(1) == b""


def test_half_a_request_has_two_seconds_however_often_a_byte_comes(house):
    client, visitor = house.visit(HALF)
    for _ in range(19):
        client.send(b"a")
        house.turn(0.1)
    assert house.gone == []
    house.turn(0.2)
    assert house.gone == [visitor]
    assert house.served == []


def test_a_head_without_an_end_is_answered(house):
    client, visitor = house.visit(b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000)
    house.turn()
    assert client.recv(4096).startswith(b"HTTP/1.1 431 ")
    client.close()
    house.turn()
    assert house.gone == [visitor]


def test_who_leaves_is_forgotten_at_once(house):
    client, visitor = house.visit(HALF)
    client.close()
    house.turn()
    assert house.gone == [visitor]


def test_who_is_dismissed_gets_his_answer_and_is_closed_when_he_closes(house):
    client, visitor = house.visit(WHOLE)
    house.reception.dismiss(visitor, b"HTTP/1.1 200 OK\r\n\r\n")
    assert everything(client) == b"HTTP/1.1 200 OK\r\n\r\n"
    assert house.gone == []
    client.close()
    house.turn()
    assert house.gone == [visitor]


def test_who_does_not_close_his_end_is_closed_after_half_a_second(house):
    _, visitor = house.visit(WHOLE)
    house.reception.dismiss(visitor)
    house.turn(0.6)
    assert house.gone == [visitor]


def test_a_connection_that_broke_in_a_thread_is_seen_off_all_the_same(house):
    _, visitor = house.visit(WHOLE)
    visitor.sock.close()
    house.reception.dismiss(visitor)
    assert house.gone == [visitor]


def test_an_offender_is_answered_after_a_second_without_being_served(house):
    besiege(house)
    client, visitor = house.visit(HALF + b"X-API-KEY: wrong\r\n\r\n")
    house.turn(0.9)
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)
    house.turn(0.2)
    client.settimeout(5)
    answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nX-Bridge-Outcome: unauthorized\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")
    client.close()
    house.turn()
    assert (house.served, house.gone) == ([], [visitor])


def test_a_right_key_is_served_at_once_beside_an_offender(house):
    besiege(house)
    house.visit(WHOLE)
    _, visitor = house.visit(HALF + b"X-API-KEY: right\r\n\r\n")
    assert house.served == [visitor]


def test_offenders_have_a_bounded_number_of_places(house):
    besiege(house)
    first, _ = house.visit(WHOLE)
    for _ in range(500):
        client, _ = house.visit(WHOLE)
        client.close()
    assert everything(first).startswith(b"HTTP/1.1 401 ")


def test_who_may_not_ask_is_told_so_at_once(house):
    house.rules.allow = (ip_network("198.51.100.0/24"),)
    client, _ = house.visit(HALF + b"X-API-KEY: right\r\n\r\n")
    answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"\r\nX-Bridge-Outcome: unauthorized\r\n" in answer
    assert house.served == []


def test_room_is_made_by_whom_one_can_best_do_without(house):
    _, silent = house.visit()
    _, older = house.visit(HALF)
    _, newer = house.visit(HALF)
    _, answered = house.visit(WHOLE)
    house.reception.dismiss(answered)
    for _ in range(4):
        assert house.reception.make_room()
    assert house.gone == [answered, older, newer, silent]
    assert not house.reception.make_room()


def test_an_event_that_comes_after_the_end_is_nothing(house):
    client, visitor = house.visit(HALF)
    client.send(b"\r\n")
    events = house.poller.select(0)
    house.reception.make_room()
    for key, _ in events:
        key.data(key.fileobj)
    assert (house.served, house.gone) == ([], [visitor])


def test_the_next_request_of_a_connection_arrives_anew(house):
    client, visitor = house.visit(WHOLE)
    visitor.sock.recv(8192)
    house.now += 3
    visitor.sock.give_back(b"")
    house.reception.welcome(visitor)
    client.send(WHOLE)
    house.turn(1)
    assert house.served == [visitor, visitor]
    assert visitor.arrived == 1004


def test_while_stopping_the_silent_have_two_seconds(house):
    house.visit()
    house.now += 2.1
    house.reception.close_who_waited_enough(stopping=True)
    assert len(house.gone) == 1


def test_at_the_end_of_all_everybody_is_closed(house):
    besiege(house)
    for sent in (b"", HALF, WHOLE):
        house.visit(sent)
    house.reception.close_who_waited_enough(stopping=True, everybody=True)
    assert len(house.gone) == 3
    assert len(house.reception) == 0
