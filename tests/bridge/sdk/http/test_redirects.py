import contextlib
from collections.abc import Callable, Iterator

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.http.address import origin
from bridge.sdk.http.client import HttpClient, HttpSettings, Request, Response
from tests.support.servers import Asked, HttpServer, Reply

REQUEST_HEADERS = {"Authorization": "Bearer planted"}


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(HttpSettings(max_redirects=3))
    yield client
    client.close()


def ask(client: HttpClient, url: str, method: str = "GET") -> Response:
    body = b"body" if method == "POST" else None
    request = Request(method, url + "/start", (("a", "1"),), REQUEST_HEADERS, body)
    return client.send(request, Deadline.after(10))


def sends_on(status: int, place: str) -> Callable[[Asked], Reply]:
    def handler(asked: Asked) -> Reply:
        if asked.path.startswith("/start"):
            return Reply(b"moved", status, [("Location", place), ("Set-Cookie", "hop=1")])
        return Reply(b'"there"')

    return handler


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["/there?b=2#part", "there?b=2", "//{host}/there?b=2", "http://{host}/there?b=2"])
def test_a_redirect_within_the_host_is_followed_with_credentials_and_cookies(
    client: HttpClient, status: int, place: str
) -> None:
    def handler(asked: Asked) -> Reply:
        return sends_on(status, place.replace("{host}", server.host))(asked)

    with HttpServer(handler) as server:
        response = ask(client, server.url)
        last = server.requests[-1]
    assert response.json() == "there"
    assert response.cookies == {"hop": "1"}
    assert (last.path, last.headers["Authorization"], last.headers["Cookie"]) == (
        "/there?b=2",
        "Bearer planted",
        "hop=1",
    )


def test_a_request_that_must_stay_what_it_is_is_sent_on_with_its_body(client: HttpClient) -> None:
    with HttpServer(sends_on(308, "/there")) as server:
        assert ask(client, server.url, "POST").json() == "there"
        assert (server.requests[-1].method, server.requests[-1].body) == ("POST", b"body")


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_request_with_a_body_is_never_turned_into_another_one(client: HttpClient, status: int) -> None:
    with HttpServer(sends_on(status, "/there")) as server:
        assert ask(client, server.url, "POST").status == status
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "place", ["http://localhost:{port}/there", "https://{host}/there", "//localhost:{port}/x", "ftp://{host}/x"]
)
def test_a_redirect_to_another_origin_is_refused_and_credentials_stay(client: HttpClient, place: str) -> None:
    def handler(asked: Asked) -> Reply:
        port = server.host.partition(":")[2]
        return sends_on(302, place.format(host=server.host, port=port))(asked)

    with HttpServer(handler) as server:
        with pytest.raises(UnexpectedAnswer) as caught:
            ask(client, server.url)
        assert len(server.requests) == 1
    assert "planted" not in str(caught.value)
    assert "ftp" in place or "base_url" in str(caught.value)


def test_the_other_host_is_named_but_not_its_path(client: HttpClient) -> None:
    with (
        HttpServer(sends_on(302, "https://login.example/planted?key=planted")) as server,
        pytest.raises(UnexpectedAnswer, match=r"redirects to https://login\.example: .*base_url") as caught,
    ):
        ask(client, server.url)
    assert "planted" not in str(caught.value)


def test_a_host_that_is_longer_than_any_name_is_none(client: HttpClient) -> None:
    with (
        HttpServer(sends_on(302, f"https://{'planted' * 1000}.example/")) as server,
        pytest.raises(UnexpectedAnswer, match="not a complete http") as caught,
    ):
        ask(client, server.url)
    assert "planted" not in str(caught.value)


def test_a_redirect_loop_ends(client: HttpClient) -> None:
    with HttpServer(sends_on(302, "/start")) as server:
        with pytest.raises(UnexpectedAnswer, match="more than 3 times"):
            ask(client, server.url)
        assert len(server.requests) == 4


@pytest.mark.parametrize("place", ["", "http://[", "/a\\b", "http://a b/", "/../../x", "\x01", "/tiếng"])
def test_a_strange_place_is_either_followed_within_the_host_or_an_error_of_ours(client: HttpClient, place: str) -> None:
    encoded = place.encode().decode("latin-1")
    with HttpServer(sends_on(302, encoded)) as server:
        with contextlib.suppress(UnexpectedAnswer):
            ask(client, server.url)
        assert {asked.headers["Host"] for asked in server.requests} == {server.host}


@pytest.mark.parametrize(
    ("here", "there", "follows"),
    [
        ("http://crm.example/", "https://crm.example/", True),
        ("http://CRM.example:80/", "https://crm.example:443/", True),
        ("https://crm.example/", "http://crm.example/", False),
        ("http://crm.example:8080/", "https://crm.example/", False),
        ("http://crm.example/", "https://crm.example:8443/", False),
        ("https://crm.example/", "https://www.crm.example/", False),
        ("https://crm.example/", "https://crm.example.evil.example/", False),
        ("https://crm.example/", "https://crm.example:443/", True),
    ],
)
def test_only_the_same_origin_or_its_upgrade_to_tls_is_followed(here: str, there: str, follows: bool) -> None:
    assert origin(here).leads_to(origin(there)) is follows
