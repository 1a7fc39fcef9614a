"""A wait that nothing else would end is over at the deadline."""

import socket
import threading

import pytest

from bridge.sdk import Deadline, SourceBusy, cut_off_at, hang_up
from bridge.sdk.threads.watchdog import Watchdog
from bridge.testing.scripted_server import ScriptedServer


def test_a_read_from_a_server_that_is_silent_ends_at_the_deadline():
    with ScriptedServer(lambda connection: connection.stopped()) as server:
        sock = socket.create_connection(("127.0.0.1", server.port))
        with sock, pytest.raises(TimeoutError), cut_off_at(Deadline.after(0.05), lambda: hang_up(sock.fileno())):
            sock.recv(100)


def test_an_answer_that_drips_is_left_at_the_deadline_though_each_piece_is_in_time():
    with ScriptedServer(lambda connection: connection.drip_for_ever(b"a")) as server:
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        with sock, pytest.raises(TimeoutError), cut_off_at(Deadline.after(0.05), lambda: hang_up(sock.fileno())):
            all(iter(lambda: sock.recv(1), b""))


def test_what_a_library_makes_of_the_cut_is_told_as_the_end_of_the_time():
    cut = threading.Event()

    def read():
        cut.wait(5)
        raise ValueError("half an answer")

    with pytest.raises(TimeoutError) as caught, cut_off_at(Deadline.after(0.01), cut.set):
        read()
    assert caught.value.__suppress_context__


def test_a_connection_that_is_still_being_made_is_cut_off_once_it_is_there():
    made, asked, ended = [], threading.Event(), threading.Event()

    def cut():
        asked.set()
        made[0].set()

    def connect():
        assert asked.wait(5)
        made.append(ended)
        assert ended.wait(5)

    with pytest.raises(TimeoutError), cut_off_at(Deadline.after(0.01), cut):
        connect()


def test_what_is_over_in_time_is_not_cut_off_and_keeps_its_errors():
    cuts = []
    with cut_off_at(Deadline.after(60), lambda: cuts.append(1)):
        pass
    with pytest.raises(KeyError), cut_off_at(Deadline.after(60), lambda: cuts.append(1)):
        raise KeyError("a bug")
    assert not cuts
    assert not [thread for thread in threading.enumerate() if thread.name == "watchdog"]


def test_a_source_is_not_asked_without_anybody_to_stand_by(monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(SourceBusy, match="no thread can be started"), Watchdog(Deadline.after(10)):
        raise AssertionError("was asked")


def test_a_connection_that_its_owner_closes_at_this_moment_takes_no_other_along_that_gets_its_number():
    ours, end = socket.socketpair()
    others = []

    def told() -> int:
        number = ours.fileno()
        if not others:
            ours.close()
            others.extend(socket.socketpair())
            assert number in {sock.fileno() for sock in others}
        return number

    hang_up(told)
    one, other = others
    with end, one, other:
        one.sendall(b"101")
        assert other.recv(3) == b"101"
