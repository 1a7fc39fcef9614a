"""Everything that a source on the network can do wrong, each on a real socket."""

import gzip
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Iterator, Sequence

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceError, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http.client import HttpClient, HttpSettings, Request, Response
from bridge.sdk.resolver import Resolver
from tests.support.certificates import make_certificate
from tests.support.scripted import Connection, Script, ScriptedServer, always, answer, dead_port, then_close

LONG, SHORT = 10.0, 0.5
LIMIT = 100_000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(HttpSettings(max_response_size=LIMIT))
    yield client
    client.close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return make_certificate(tmp_path_factory.mktemp("tls")).server


def get(client: HttpClient, url: str, seconds: float = LONG) -> Response:
    return client.send(Request("GET", url + "/planted", (("key", "planted"),)), Deadline.after(seconds))


def drip(start: bytes, again: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(start)
        connection.drip_for_ever(again)

    return script


def silence(connection: Connection) -> None:
    connection.read_request()
    connection.wait_for_close()


def half_answer(connection: Connection) -> None:
    connection.read_request()
    connection.send(OK + b"Content-Length: 9\r\n\r\n{}")
    connection.wait_for_close()


DRIPS = {
    "silence": silence,
    "status line": drip(b"HTTP/1.1 200 ", b"O"),
    "headers": drip(OK, b"X-Slow: 1\r\n"),
    "one header": drip(OK + b"X: ", b"y"),
    "1xx": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": drip(OK + b"Content-Length: 90000\r\n\r\n", b"1"),
    "body without a length": drip(OK + b"\r\n", b"1"),
    "length too long, then silence": half_answer,
    "chunks": drip(CHUNKED, b"1\r\nx\r\n"),
    "chunk size": drip(CHUNKED, b"0"),
    "trailers": drip(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
}


@pytest.mark.parametrize("script", DRIPS.values(), ids=DRIPS.keys())
def test_a_slow_answer_ends_with_the_deadline_and_its_connection_is_closed(client: HttpClient, script: Script) -> None:
    with ScriptedServer(script) as server:
        deadline = Deadline.after(SHORT)
        with pytest.raises(SourceUnavailable, match="in time") as caught:
            client.send(Request("GET", server.url + "/planted"), deadline)
        assert deadline.expired()
        server.wait_for_end()
        assert len(server.connections) == 1
    assert "planted" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_deadline_that_has_passed_sends_nothing(client: HttpClient) -> None:
    with ScriptedServer(always(answer())) as server:
        with pytest.raises(SourceUnavailable, match="in time"):
            get(client, server.url, 0.0)
        assert not server.requests


def test_a_server_that_accepts_no_more_connections_costs_no_more_than_the_deadline(client: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first:
        first.connect(full.getsockname())
        deadline = Deadline.after(SHORT)
        with pytest.raises(SourceUnavailable, match="in time"):
            client.send(Request("GET", f"http://127.0.0.1:{full.getsockname()[1]}/"), deadline)
        assert deadline.expired()


def test_a_large_request_that_is_not_read_costs_no_more_than_the_deadline(client: HttpClient) -> None:
    with ScriptedServer(lambda connection: connection.stopped()) as server:
        deadline = Deadline.after(SHORT)
        with pytest.raises(SourceUnavailable, match="in time"):
            client.send(Request("POST", server.url, body=b"x" * 20_000_000), deadline)
        assert deadline.expired()


def test_a_tls_handshake_that_drips_ends_with_the_deadline(client: HttpClient) -> None:
    with ScriptedServer(
        lambda connection: connection.drip_for_ever(b"\x16\x03\x03\x40\x00" + b"\x02" * 4000)
    ) as server:
        deadline = Deadline.after(SHORT)
        with pytest.raises(SourceUnavailable, match="in time"):
            client.send(Request("GET", server.url.replace("http:", "https:")), deadline)
        server.wait_for_end()
        assert deadline.expired()


def test_an_answer_that_drips_over_tls_ends_with_the_deadline(tls: ssl.SSLContext) -> None:
    client = HttpClient(HttpSettings(tls={"verify": False}))
    with ScriptedServer(DRIPS["body"], tls=tls) as server:
        with pytest.raises(SourceUnavailable, match="in time"):
            get(client, server.url, SHORT)
        server.wait_for_end()
    client.close()


def test_a_name_server_that_never_answers_costs_no_more_than_the_deadline() -> None:
    answered = threading.Event()
    asked: list[str] = []

    def look_up(host: str, port: int, **_: object) -> Sequence[object]:
        asked.append(host)
        answered.wait(LONG)
        return socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)

    client = HttpClient(HttpSettings(), Resolver(look_up))
    with ScriptedServer(always(answer())) as server:
        url = f"http://crm.example:{server.port}"
        for _ in range(3):
            with pytest.raises(SourceUnavailable, match="in time"):
                get(client, url, 0.05)
        assert asked == ["crm.example"], "one question at a time, however many wait"
        answered.set()
        assert get(client, url).status == 200
    client.close()


def test_a_name_that_does_not_exist_is_named() -> None:
    def look_up(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "planted")

    client = HttpClient(HttpSettings(), Resolver(look_up))
    with pytest.raises(SourceUnavailable, match=r"crm\.example cannot be resolved"):
        get(client, "http://crm.example")


def test_an_address_that_refuses_does_not_hide_the_next_one() -> None:
    with dead_port() as dead, ScriptedServer(always(answer())) as server:

        def look_up(*_: object, **__: object) -> list[object]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", dead)),
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port)),
            ]

        client = HttpClient(HttpSettings(), Resolver(look_up))
        assert get(client, f"http://crm.example:{server.port}").status == 200
        client.close()


def test_an_address_that_hangs_leaves_time_for_the_next_one() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.socket() as first,
        ScriptedServer(always(answer())) as server,
    ):
        first.connect(full.getsockname())

        def look_up(*_: object, **__: object) -> list[object]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", full.getsockname()),
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port)),
            ]

        client = HttpClient(HttpSettings(), Resolver(look_up))
        assert get(client, f"http://crm.example:{server.port}", 2.0).status == 200
        client.close()


def test_a_refused_connection_is_an_outage(client: HttpClient) -> None:
    with dead_port() as port, pytest.raises(SourceUnavailable, match=f"127.0.0.1:{port} refuses"):
        get(client, f"http://127.0.0.1:{port}")


def reset_in_mid_body(connection: Connection) -> None:
    connection.read_request()
    connection.send(OK + b"Content-Length: 100\r\n\r\n{")
    connection.reset()


def reset_at_once(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


CUT_OFF = {
    "reset in mid-body": reset_in_mid_body,
    "reset without an answer": reset_at_once,
    "closed without an answer": then_close(b""),
    "length too long": then_close(OK + b"Content-Length: 100\r\n\r\n{}"),
    "chunk cut off": then_close(CHUNKED + b"a\r\n{}"),
    "last chunk missing": then_close(CHUNKED + b"2\r\n{}\r\n"),
}


@pytest.mark.parametrize("script", CUT_OFF.values(), ids=CUT_OFF.keys())
def test_an_answer_that_is_cut_off_is_an_outage(client: HttpClient, script: Script) -> None:
    with ScriptedServer(script) as server, pytest.raises(SourceUnavailable) as caught:
        get(client, server.url)
    assert "planted" not in str(caught.value)
    assert caught.value.__context__ is None


NOT_HTTP = {
    "closed in the status line": b"HTTP/1.",
    "rubbish": b"planted rubbish\r\n\r\n",
    "binary": bytes(range(256)) * 4,
    "a text status": b"HTTP/1.1 planted OK\r\n\r\n",
    "a status of 99": b"HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n",
    "a status of 999": b"HTTP/1.1 999 planted\r\nContent-Length: 0\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching\r\n\r\n",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: planted\r\n\r\n" + answer(),
    "101 headers": OK + b"X: planted\r\n" * 101 + b"\r\n",
    "a line of 70 kB": OK + b"X: " + b"p" * 70_000 + b"\r\n\r\n",
    "two lengths": OK + b"Content-Length: 2, 3\r\n\r\n{}",
    "negative chunk": CHUNKED + b"-1\r\n" + b"x" * 1000,
    "no chunk size": CHUNKED + b"planted\r\n",
    "NUL in a header": OK + b"X\x00Y: \x00\r\nContent-Length: 2\r\n\r\n{}",
}


def failure(client: HttpClient, url: str) -> SourceError | None:
    try:
        assert get(client, url).body in {b"{}", b""}
    except SourceError as error:
        return error
    return None


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_what_is_not_http_is_our_error_and_nothing_of_it_is_shown(client: HttpClient, data: bytes) -> None:
    with ScriptedServer(then_close(data)) as server:
        error = failure(client, server.url)
        assert "planted" not in str(error)
        assert error is None or error.__context__ is None
        server.wait_for_end()


@pytest.mark.parametrize(
    "name", ["early hints", "switching protocols", "a text status", "two lengths", "rubbish", "101 headers"]
)
def test_an_answer_outside_of_http_is_unexpected(client: HttpClient, name: str) -> None:
    with ScriptedServer(then_close(NOT_HTTP[name])) as server, pytest.raises(UnexpectedAnswer):
        get(client, server.url)


TOO_MUCH, HEAD, AROUND = "max_response_size", "came ahead of the answer", "around the body of the answer"
ENDLESS = {
    "body": (TOO_MUCH, OK + b"\r\n", b"x" * 65536),
    "chunks": (TOO_MUCH, CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "headers": (HEAD, OK, b"X: " + b"y" * 60_000 + b"\r\n"),
    "negative chunk": (AROUND, CHUNKED + b"-1\r\n", b"x" * 65536),
    "chunk extensions": (AROUND, CHUNKED, b"1;" + b"y" * 60_000 + b"\r\nx\r\n"),
    "trailers": (AROUND, CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
    "bytes in chunks": (AROUND, CHUNKED, b"1\r\n \r\n" * 1000),
    "bytes in chunks behind a large one": (
        AROUND,
        CHUNKED + b"8000\r\n" + b"x" * 0x8000 + b"\r\n",
        b"1\r\n \r\n" * 1000,
    ),
    "interim answers": (HEAD, b"", b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 1000 + b"\r\n\r\n"),
}


@pytest.mark.parametrize(("says", "start", "again"), ENDLESS.values(), ids=ENDLESS.keys())
def test_an_endless_answer_is_given_up_with_little_memory_used(
    client: HttpClient, says: str, start: bytes, again: bytes
) -> None:
    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(start)
        connection.send_for_ever(again)

    with ScriptedServer(script) as server:
        tracemalloc.start()
        with pytest.raises(UnexpectedAnswer, match=says):
            get(client, server.url)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        server.wait_for_end()
    assert used < 5_000_000


def test_a_gzip_bomb_is_given_up_with_little_memory_used(client: HttpClient) -> None:
    bomb = gzip.compress(b"[" * 50_000_000, compresslevel=9)
    assert len(bomb) < LIMIT
    with ScriptedServer(always(answer(bomb, headers=["Content-Encoding: gzip"]))) as server:
        tracemalloc.start()
        with pytest.raises(UnexpectedAnswer, match="max_response_size"):
            get(client, server.url)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert used < 5_000_000


def test_an_answer_of_just_the_largest_size_is_read(client: HttpClient) -> None:
    for extra, fits in ((0, True), (1, False)):
        with ScriptedServer(always(answer(b"x" * (LIMIT + extra)))) as server:
            if fits:
                assert len(get(client, server.url).body) == LIMIT
            else:
                with pytest.raises(UnexpectedAnswer, match="max_response_size"):
                    get(client, server.url)


def test_a_length_that_is_too_short_leaves_no_rest_for_the_next_answer(client: HttpClient) -> None:
    short = OK + b"Content-Length: 3\r\n\r\n[1]" + b"x" * 20_000
    with ScriptedServer(always(short), always(answer(b"[2]"))) as server:
        assert get(client, server.url).json() == [1]
        assert get(client, server.url).json() == [2]
