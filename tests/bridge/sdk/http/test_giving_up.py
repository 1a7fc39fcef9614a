"""A request that nobody needs any more is cut off where it waits, and what was read until then is no answer."""

import threading

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.http import HttpClient, HttpSettings, Request
from bridge.sdk.threads.cancellation import Cancellation, Cancelled
from bridge.testing.scripted_server import Connection, ScriptedServer

WITHOUT_LENGTH = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", WITHOUT_LENGTH])
def test_a_request_that_is_given_up_ends_at_once_and_its_connection_with_it(sent: bytes) -> None:
    asked, closed = threading.Event(), threading.Event()

    def hang(connection: Connection) -> None:
        connection.read_request()
        connection.send(sent)
        asked.set()
        connection.wait_for_close()
        closed.set()

    cancellation, client = Cancellation(), HttpClient(HttpSettings())
    ended: list[object] = []

    def ask(url: str) -> None:
        try:
            with cancellation.under_way():
                ended.append(client.send(Request("GET", url), Deadline.after(30)))
        except Cancelled as error:
            ended.append(error)

    with ScriptedServer(hang, hang) as server:
        thread = threading.Thread(target=ask, args=(f"http://127.0.0.1:{server.port}/",))
        thread.start()
        assert asked.wait(10)
        cancellation.cancel()
        thread.join(5)
        assert [type(one) for one in ended] == [Cancelled]
        assert closed.wait(5)
        assert len(server.requests) == 1
        with pytest.raises(Cancelled), cancellation.under_way():
            client.send(Request("GET", f"http://127.0.0.1:{server.port}/"), Deadline.after(30))
    client.close()
