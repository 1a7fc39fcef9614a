"""The proxy of the kit does to a connection what it is told, whatever is spoken over it."""

import socket
import time

import pytest

from bridge.testing import TcpProxy
from bridge.testing.scripted_server import ScriptedServer

ANSWER = b"an answer of some length\n"
LENGTH = len(ANSWER)


def say_it_again(connection):
    """Answer each byte."""
    while connection.sock.recv(1):
        connection.send(ANSWER)


@pytest.fixture
def proxy():
    with ScriptedServer(say_it_again) as server, TcpProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as sock:
        yield sock


def ask(client, length=LENGTH):
    client.sendall(b"?")
    return read(client, length)


def read(client, length=LENGTH):
    received = b""
    while len(received) < length and (data := client.recv(length - len(received))):
        received += data
    return received


def test_it_passes_on_both_ways_and_counts_the_answers(proxy, client):
    assert ask(client) + ask(client) == 2 * ANSWER
    assert proxy.answered == 2 * LENGTH


def test_it_drips_a_byte_at_a_time_until_the_block_is_over(proxy, client):
    assert ask(client) == ANSWER
    with proxy.dripping(0.02):
        started = time.monotonic()
        assert ask(client, 5) == ANSWER[:5]
        assert time.monotonic() - started > 0.08
        proxy.drip(3600)
    assert read(client, LENGTH - 5) == ANSWER[5:]


def test_what_the_server_says_is_late_as_a_whole(proxy, client):
    proxy.delay(0.1)
    started = time.monotonic()
    assert ask(client) == ANSWER
    assert 0.1 < time.monotonic() - started < 1
    proxy.delay(3600)
    client.sendall(b"?")
    proxy.pass_on()
    assert read(client) == ANSWER


def test_it_says_something_else_in_the_place_of_the_server(proxy, client):
    proxy.say(b"rubbish")
    assert ask(client, 7) == b"rubbish"
    proxy.pass_on()
    assert ask(client) == ANSWER


def test_frozen_it_takes_connections_and_answers_none_and_then_forgets_nothing(proxy, client):
    with proxy.frozen(), socket.create_connection(("127.0.0.1", proxy.port), timeout=0.05) as another:
        client.settimeout(0.05)
        for sock in (client, another):
            with pytest.raises(TimeoutError):
                ask(sock)
    client.settimeout(5)
    assert read(client) == ANSWER


@pytest.mark.parametrize("after", [0, 7])
def test_it_cuts_each_connection_in_the_middle_of_an_answer(proxy, client, after):
    proxy.cut(after)
    assert ask(client) == ANSWER[:after]
    proxy.pass_on()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as another:
        assert ask(another) == ANSWER


def test_it_resets_a_connection(proxy, client):
    proxy.reset(after=7)
    with pytest.raises(ConnectionResetError):
        ask(client)


def test_an_answer_that_ends_where_the_cut_is_passes_and_the_next_one_does_not(proxy, client):
    proxy.cut(LENGTH)
    assert ask(client) == ANSWER
    assert ask(client) == b""


def test_refusing_it_ends_what_is_open_and_takes_no_more(proxy, client):
    assert ask(client) == ANSWER
    proxy.refuse()
    assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def test_a_server_that_is_away_looks_as_if_it_hung_up():
    with ScriptedServer(say_it_again) as server:
        pass
    with TcpProxy(server.port) as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
        assert client.recv(1) == b""
