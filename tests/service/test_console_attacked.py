"""The real console in front of clients with bad manners: none of them keeps the others from its pages for long."""

import http.client
import socket
import threading
import time
from contextlib import ExitStack

import pytest

from bridge.resilience.patient_worker import PatientWorker
from tests.support.consoled import listening, running_console, write_config
from tests.support.dripping import dripping

HEAD = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n"
MANNERS = {
    "silent": b"",
    "half a head": HEAD + b"X-",
    "half a body": HEAD + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n",
}
MORE_THAN_THREADS = 40


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with running_console(write_config(tmp_path_factory.mktemp("console"), "")) as address:
        yield int(address.rpartition(":")[2])


def page(port):
    """Return the status of a page, and after how many seconds it came."""
    connection, began = http.client.HTTPConnection("localhost", port, timeout=60), time.monotonic()
    try:
        connection.request("GET", "/sign-in")
        return connection.getresponse().status, time.monotonic() - began
    finally:
        connection.close()


@pytest.mark.parametrize("begin", MANNERS.values(), ids=MANNERS)
def test_a_client_that_sends_too_little_holds_no_thread_for_long(port, begin):
    with dripping(port, begin, MORE_THAN_THREADS):
        status, seconds = page(port)
    assert status == 200
    assert seconds < PatientWorker.ARRIVAL * 2


def test_a_large_body_over_a_slow_line_has_the_time_that_it_needs():
    piece, pieces = b"x" * 64 * 1024, 25
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(piece) * pieces}\r\n\r\n".encode()
    with listening("tests.support.reading_console") as address:
        where = ("127.0.0.1", int(address.rpartition(":")[2]))
        with socket.create_connection(where, timeout=30) as client:
            began = time.monotonic()
            client.sendall(head)
            for _ in range(pieces):
                client.sendall(piece)
                threading.Event().wait(1.4 * PatientWorker.ARRIVAL / pieces)
            assert client.recv(65536).endswith(str(len(piece) * pieces).encode())
            assert time.monotonic() - began > PatientWorker.ARRIVAL


def test_clients_that_do_not_close_their_end_keep_nobody_waiting(port):
    with ExitStack() as stack:
        for _ in range(MORE_THAN_THREADS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            client.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        status, seconds = page(port)
    assert status == 200
    assert seconds < PatientWorker.ARRIVAL
