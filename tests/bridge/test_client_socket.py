import socket

import pytest

from bridge.client_socket import LONGEST_HEAD, ClientSocket, Head

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def wire():
    ours, theirs = socket.socketpair()
    sock = ClientSocket(theirs)
    sock.setblocking(False)
    with ours, sock:
        yield ours, sock


def test_a_head_is_gathered_byte_by_byte(wire):
    client, sock = wire
    assert sock.gather() is Head.NOTHING
    for byte in REQUEST[:-1]:
        client.send(bytes([byte]))
        assert sock.gather() is Head.A_PART
    client.send(REQUEST[-1:])
    assert sock.gather() is Head.ALL
    assert sock.head == REQUEST[:-4]
    assert sock.recv(4096) == REQUEST


def test_looking_again_without_anything_new_changes_nothing(wire):
    client, sock = wire
    client.send(REQUEST[:-1])
    assert [sock.gather() for _ in range(3)] == [Head.A_PART] * 3


def test_what_lies_behind_a_head_is_there_for_the_next_one(wire):
    client, sock = wire
    client.send(REQUEST + REQUEST[:10])
    assert sock.gather() is Head.ALL
    read = sock.recv(8192)
    sock.give_back(read[len(REQUEST) :])
    assert sock.gather() is Head.A_PART
    client.send(REQUEST[10:])
    assert sock.gather() is Head.ALL
    assert sock.recv(8192) == REQUEST


def test_a_short_head_behind_a_longer_one_is_seen(wire):
    client, sock = wire
    client.send(REQUEST[:-1])
    sock.gather()
    client.send(REQUEST[-1:] + b"G\r\n\r\n")
    assert sock.gather() is Head.ALL
    sock.give_back(sock.recv(8192)[len(REQUEST) :])
    assert sock.gather() is Head.ALL


def test_two_whole_heads_need_no_further_packet(wire):
    client, sock = wire
    client.send(REQUEST * 2)
    sock.gather()
    sock.give_back(sock.recv(8192)[len(REQUEST) :])
    assert sock.gather() is Head.ALL


def test_a_head_without_an_end_is_too_much_at_some_point(wire):
    client, sock = wire
    client.sendall(b"a" * (LONGEST_HEAD + 1))
    seen = [sock.gather() for _ in range(3)]
    assert seen[0] is Head.A_PART
    assert Head.TOO_MUCH in seen


def test_a_client_who_has_left_is_gone(wire):
    client, sock = wire
    client.send(REQUEST[:10])
    sock.gather()
    client.close()
    assert sock.gather() is Head.GONE


def test_a_body_is_read_as_far_as_it_is_there_and_not_waited_for(wire):
    client, sock = wire
    sock.setblocking(True)
    client.send(b"abc")
    assert (sock.recv(10), sock.cut_short) == (b"abc", False)
    assert (sock.recv(10), sock.cut_short) == (b"", True)


def test_not_even_a_time_limit_makes_it_wait_for_a_body(wire):
    _, sock = wire
    sock.settimeout(1e6)
    assert sock.recv(10) == b""
    assert sock.gettimeout() == 1e6


def test_who_does_not_read_is_as_good_as_gone(wire):
    _, sock = wire
    sock.setblocking(True)
    with pytest.raises(BrokenPipeError, match="does not read"):
        sock.sendall(b"x" * 10_000_000)


def test_what_is_sent_at_once_never_waits_nor_fails(wire):
    client, sock = wire
    sock.send_at_once(b"x" * 10_000_000)
    client.close()
    sock.send_at_once(b"x")


def test_what_is_still_sent_is_discarded_until_the_client_closes(wire):
    client, sock = wire
    client.send(b"x" * 1000)
    assert sock.discard()
    client.close()
    assert not sock.discard()


def test_who_never_stops_sending_is_not_listened_to_for_ever(wire):
    client, sock = wire
    rounds = 0
    while sock.discard():
        client.sendall(b"x" * 50_000)
        rounds += 1
    assert rounds < 10
