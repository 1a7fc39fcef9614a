import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.http.exchange import Exchange, PlainSocket
from bridge.sdk.resolver import Resolver
from bridge.sdk.threads.cancellation import Cancellation, Cancelled

TOO_LONG = 10.0
"""The socket's own time-out, which must not matter."""


@pytest.fixture
def pair() -> Iterator[tuple[PlainSocket, socket.socket]]:
    left, right = socket.socketpair()
    with PlainSocket(fileno=left.detach()) as ours, right:
        ours.settimeout(TOO_LONG)
        yield ours, right


def send_until_full(sock: socket.socket) -> None:
    while True:
        sock.send(b"x" * 65536)


WAITS: dict[str, Callable[[socket.socket], object]] = {
    "recv": lambda sock: sock.recv(1),
    "recv_into": lambda sock: sock.recv_into(bytearray(1)),
    "readline": lambda sock: sock.makefile("rb").readline(),
    "send": send_until_full,
    "sendall": lambda sock: sock.sendall(b"x" * 10_000_000),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_every_way_of_waiting_ends_with_the_deadline(
    pair: tuple[PlainSocket, socket.socket], wait: Callable[[socket.socket], object]
) -> None:
    deadline = Deadline.after(0.05)
    with Exchange(deadline, 100, Resolver()).under_way(), pytest.raises(TimeoutError):
        wait(pair[0])
    assert deadline.remaining() == 0.0
    assert (pair[0].gettimeout() or TOO_LONG) < TOO_LONG


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_nothing_is_begun_after_the_deadline(
    pair: tuple[PlainSocket, socket.socket], wait: Callable[[socket.socket], object]
) -> None:
    pair[1].sendall(b"there is\nsomething")
    with Exchange(Deadline.after(0.0), 100, Resolver()).under_way(), pytest.raises(TimeoutError):
        wait(pair[0])


def test_all_that_comes_in_is_counted(pair: tuple[PlainSocket, socket.socket]) -> None:
    exchange = Exchange(Deadline.after(TOO_LONG), 100, Resolver())
    pair[1].sendall(b"x" * 101)
    with exchange.under_way():
        pair[0].recv(60)
        assert exchange.received == 60
        with pytest.raises(UnexpectedAnswer, match="more came than"):
            pair[0].recv_into(bytearray(60))


class ClosedMeanwhile(PlainSocket):
    """A socket that another thread closes as soon as somebody has asked for its number, which a caller gets then."""

    caller: tuple[socket.socket, socket.socket] | None = None
    is_closing = False

    def fileno(self) -> int:
        number = super().fileno()
        if self.is_closing and self.caller is None:
            self.close()
            self.caller = socket.socketpair()
            assert number in {sock.fileno() for sock in self.caller}
        return number


def test_who_is_cut_off_takes_no_caller_along_who_has_the_number_of_his_connection_by_now() -> None:
    left, right = socket.socketpair()
    exchange, cancellation = Exchange(Deadline.after(TOO_LONG), 10, Resolver()), Cancellation()
    ours = ClosedMeanwhile(fileno=left.detach())
    with right, suppress(Cancelled), cancellation.under_way(), exchange.under_way():
        exchange.seconds(ours)
        ours.is_closing = True
        cancellation.cancel()
        ours.fileno()
    assert ours.caller
    one, other = ours.caller
    with one, other:
        one.sendall(b"101")
        assert other.recv(3) == b"101"
