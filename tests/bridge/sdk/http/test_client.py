import gzip
import json
import logging
import math
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http.client import HttpClient, HttpSettings, Request, Response, refuse_failure, retry_after
from bridge.sdk.http.messages import is_broken
from tests.support.scripted import ScriptedServer, always, answer, then_close
from tests.support.servers import Asked, HttpServer, Reply

LONG = 10.0


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(HttpSettings(max_response_size=100_000))
    yield client
    client.close()


def get(client: HttpClient, url: str, **parts: object) -> Response:
    return client.send(Request("GET", url, **parts), Deadline.after(LONG))  # type: ignore[arg-type]


def test_an_answer_comes_with_its_status_headers_cookies_and_body(client: HttpClient) -> None:
    headers = ["Content-Type: application/json", "Set-Cookie: session=abc; Path=/; HttpOnly", "Set-Cookie: lang=vi"]
    with ScriptedServer(always(answer(b'{"id": 7}', "201 Created", headers))) as server:
        response = get(client, server.url + "/x")
    assert (response.status, response.json(), response.host) == (201, {"id": 7}, server.host)
    assert response.headers["content-TYPE"] == "application/json"
    assert response.cookies == {"session": "abc", "lang": "vi"}


def test_query_and_body_arrive_as_they_were_meant(client: HttpClient) -> None:
    with HttpServer(lambda _: Reply()) as server:
        request = Request(
            "POST", server.url + "/a%2Fb", (("q", "a b+c&d=é%"), ("q", "2")), {"X-Name": "lan"}, b"\x00x", {"s": "1"}
        )
        client.send(request, Deadline.after(LONG))
    asked = server.requests[0]
    assert asked.path == "/a%2Fb?q=a%20b%2Bc%26d%3D%C3%A9%25&q=2"
    assert asked.body == b"\x00x"
    assert (asked.headers["X-Name"], asked.headers["Cookie"], asked.headers["Content-Length"]) == ("lan", "s=1", "2")
    assert asked.headers["Accept-Encoding"] == "gzip, deflate"


def test_requests_in_turn_share_one_connection_also_after_answers_without_a_body(client: HttpClient) -> None:
    bare = b"HTTP/1.1 204 No Content\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n"
    with ScriptedServer(always(answer(), bare, chunked, answer(b"", "404 Not Found"), answer())) as server:
        statuses = [get(client, server.url).status for _ in range(5)]
        assert statuses == [200, 204, 200, 404, 200]
        assert len(server.connections) == 1


def test_cookies_are_not_carried_from_one_request_to_the_next(client: HttpClient) -> None:
    with ScriptedServer(always(answer(headers=["Set-Cookie: session=abc"]))) as server:
        get(client, server.url)
        get(client, server.url)
        assert b"cookie" not in server.requests[1].lower()


def test_credentials_are_not_taken_from_netrc(
    client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login lan password planted\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with ScriptedServer(always(answer())) as server:
        get(client, server.url)
        assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "a\rb", "tiếng Việt", "\ud800"])
def test_a_header_value_that_could_change_the_request_is_refused_before_anything_is_sent(
    client: HttpClient, value: str
) -> None:
    with ScriptedServer(always(answer())) as server:
        with pytest.raises(UnexpectedAnswer, match="X-Name"):
            get(client, server.url, headers={"X-Name": value})
        with pytest.raises(UnexpectedAnswer, match="cookie"):
            get(client, server.url, cookies={"session": value})
        assert not server.connections


@pytest.mark.parametrize("name", ["X Y", "X:Y", "X\r\nY", "", "Content-Length", "transfer-encoding", "Tên"])
def test_a_header_name_that_could_change_the_request_is_refused(client: HttpClient, name: str) -> None:
    with ScriptedServer(always(answer())) as server:
        with pytest.raises(UnexpectedAnswer):
            get(client, server.url, headers={name: "1"})
        assert not server.connections


@pytest.mark.parametrize(
    "path",
    ["/a b", "/a\r\nX: y", "/a\x00", "/a#b", "/a\\b", "/../x", "/a/%2e%2E/b", "/./a", "/a%2f..%2fb"],
)
def test_a_path_that_could_lead_elsewhere_is_refused(client: HttpClient, path: str) -> None:
    with ScriptedServer(always(answer())) as server:
        with pytest.raises(UnexpectedAnswer):
            get(client, server.url + path)
        assert not server.connections


@pytest.mark.parametrize(
    "url",
    ["", "crm.example", "ftp://crm.example/", "http://", "http://lan:planted@127.0.0.1/", "http://[::1", "http://a:x/",
     "http://127.0.0.1:99999/", "http://" + "a" * 300 + "/", "http://a..b/", "http://\ud800/"],
)  # fmt: skip
def test_an_address_that_cannot_be_asked_is_an_error_of_ours(client: HttpClient, url: str) -> None:
    with pytest.raises((UnexpectedAnswer, SourceUnavailable)) as caught:
        get(client, url)
    assert "planted" not in str(caught.value)


def test_a_query_with_half_a_character_is_an_error_of_ours(client: HttpClient) -> None:
    with pytest.raises(UnexpectedAnswer):
        get(client, "http://127.0.0.1:1/", query=(("q", "\ud800"),))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"id": 7}', mtime=0)),
        ("x-gzip", gzip.compress(b'{"id"', mtime=0) + gzip.compress(b": 7}", mtime=0)),
        ("deflate", zlib.compress(b'{"id": 7}')),
        ("deflate", zlib.compress(b'{"id": 7}', wbits=-15)),
        ("identity", b'{"id": 7}'),
    ],
)
def test_compressed_answers_are_uncompressed(client: HttpClient, encoding: str, body: bytes) -> None:
    with ScriptedServer(always(answer(body, headers=[f"Content-Encoding: {encoding}"]))) as server:
        assert get(client, server.url).json() == {"id": 7}


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b'{"id": 7}', mtime=0)[:-9]),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"rubbish"),
        ("deflate", b"\xff\xff\xff"),
        ("br", b"x"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0)),
    ],
)
def test_a_damaged_or_unknown_compression_is_an_unexpected_answer(
    client: HttpClient, encoding: str, body: bytes
) -> None:
    with (
        ScriptedServer(always(answer(body, headers=[f"Content-Encoding: {encoding}"]))) as server,
        pytest.raises(UnexpectedAnswer, match="compress"),
    ):
        get(client, server.url)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("utf-8", "{}"), ("utf-8-sig", "{}"), ("utf-16", '{"tên": "Lan"}'), ("utf-8", '{"tên": [1, 2.5, null]}')],
)
def test_json_is_read_in_the_encodings_that_say_what_they_are(encoding: str, text: str) -> None:
    assert isinstance(Response(200, body=text.encode(encoding)).json(), dict)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("windows-1258", "text/json; charset=windows-1258"),
        ("iso-8859-1", 'application/json; charset="ISO-8859-1"'),
        ("utf-8", "application/json; charset=iso-8859-1"),
        ("utf-8", "application/json; charset=base64"),
        ("utf-8", "application/json; charset=klingon"),
        ("utf-16", "application/json; charset=utf-8"),
    ],
)
def test_a_declared_charset_counts_where_the_bytes_are_not_utf_8(encoding: str, declared: str) -> None:
    body = '{"name": "Mạnh"}' if encoding.startswith("utf") else '{"name": "Café"}'
    headers = CaseInsensitiveDict({"content-type": declared})
    assert Response(200, headers, body=body.encode(encoding)).json() == json.loads(body)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=klingon"])
def test_bytes_that_are_no_text_spoil_no_other_one_for_who_looks_at_what_he_takes(content_type: str) -> None:
    headers = CaseInsensitiveDict({"Content-Type": content_type})
    data: Any = Response(200, headers, body=b'{"note": "Caf\xe9", "name": "Lan", "half": "\\ud83d"}').json(
        broken_values=True
    )
    assert {key: is_broken(text) for key, text in data.items()} == {"note": True, "name": False, "half": True}


@pytest.mark.parametrize("written", [b"NaN", b"-Infinity", b"1e999", b"9" * 5000])
def test_a_number_that_is_none_spoils_no_other_one_for_who_looks_at_what_he_takes(written: bytes) -> None:
    data: Any = Response(200, body=b'{"score": ' + written + b', "id": 7}').json(broken_values=True)
    assert (math.isfinite(data["score"]), data["id"]) == (False, 7)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<!DOCTYPE html><html>planted", "HTML page"),
        (b"\xef\xbb\xbf <HTML>planted", "HTML page"),
        (b"<?xml version='1.0'?><planted/>", "XML or HTML"),
        (b'{"planted": ', "not JSON"),
        (b"planted", "not JSON"),
        (b'{"planted": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b'{"planted":' * 50_000 + b"1" + b"}" * 50_000, "nested"),
        (b"[NaN]", "number"),
        (b"[-Infinity]", "number"),
        (b"[1e999]", "number"),
        (b"[" + b"9" * 5000 + b"]", "number"),
        (b"\xff\xfe\x00", "not"),
    ],
)
def test_what_is_not_json_is_named_without_showing_it(body: bytes, reason: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=reason) as caught:
        Response(200, body=body).json()
    assert "planted" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (401, SourceRejected, "credentials"),
        (403, SourceRejected, "rights"),
        (404, UnexpectedAnswer, r"nobody_status: \[404\]"),
        (410, UnexpectedAnswer, r"nobody_status: \[410\]"),
        (302, UnexpectedAnswer, "redirect"),
        (408, SourceUnavailable, "408"),
        (429, SourceUnavailable, "429"),
        (500, SourceUnavailable, "500"),
        (503, SourceUnavailable, "503"),
    ],
)
def test_a_failure_says_whether_waiting_helps(status: int, error: type[Exception], advice: str) -> None:
    with pytest.raises(error, match=advice):
        refuse_failure(Response(status))
    refuse_failure(Response(status), allowed={status})


@pytest.mark.parametrize("status", [400, 402, 405, 406, 409, 411, 413, 415, 422, 451])
def test_a_request_that_is_refused_never_passes_for_nobody(status: int) -> None:
    with pytest.raises(SourceRejected, match=r"look at method, path, query and json of this step$"):
        refuse_failure(Response(status))
    with pytest.raises(SourceRejected, match=r"of this step; error_message: … shows the CRM's own words$"):
        refuse_failure(Response(status), tells_why=False)


def test_good_answers_are_no_failure() -> None:
    assert [refuse_failure(Response(status)) for status in (200, 201, 204, 206)] == [None] * 4


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("-5", 0.0),
        ("999999999", 3600.0),
        ("9" * 400, None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:27:30 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:28:30 GMT", 3600.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms_within_sensible_bounds(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, wall_clock=lambda: 1445412480.0) == seconds


def test_a_refused_request_carries_the_pause_that_the_source_asks_for(client: HttpClient) -> None:
    with HttpServer(lambda _: Reply(status=429, headers=[("retry-after", "7")])) as server:
        response = get(client, server.url)
    with pytest.raises(SourceUnavailable) as caught:
        refuse_failure(response)
    assert caught.value.retry_after == 7


def test_many_threads_get_each_their_own_answer(client: HttpClient) -> None:
    def echo(asked: Asked) -> Reply:
        return Reply(asked.path.encode())

    wrong: list[str] = []

    def ask(number: int) -> None:
        for turn in range(20):
            path = f"/{number}/{turn}"
            if get(client, server.url + path).body.decode() != path:
                wrong.append(path)

    with HttpServer(echo) as server:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 160
    assert not wrong


def test_nothing_of_a_request_shows_in_logs_or_representations(
    client: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(then_close(b"HTTP/1.1 200 OK\r\nplanted\r\nX: y\r\n\r\n{}")) as server:
        request = Request(
            "POST", server.url + "/planted", (("k", "planted"),), {"X": "planted"}, b"planted", {"s": "planted"}
        )
        response = client.send(request, Deadline.after(LONG))
    assert "planted" not in repr(request) + repr(response) + repr(client) + caplog.text
