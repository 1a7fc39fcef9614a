import base64
import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from bridge.sdk import ConnectorConfig, Deadline, SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import HttpClient, HttpSettings, Request, Response
from connectors.rest.auth.choices import Auth, Authentication, authentication
from tests.support.servers import Asked, HttpServer, Reply

PATIENCE = 10.0
REQUEST = Request("GET", "http://crm.example/x", headers={"authorization": "none"})


class Settings(ConnectorConfig):
    auth: Auth


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TokenServer:
    """Answers what the test says; issues numbered tokens otherwise."""

    def __init__(self) -> None:
        self.reply: Callable[[Asked], Reply] | None = None
        self.extra: dict[str, Any] = {}
        self.issued = 0

    def __call__(self, asked: Asked) -> Reply:
        if self.reply:
            return self.reply(asked)
        self.issued += 1
        return Reply(json.dumps({"access_token": f"planted-{self.issued}", "expires_in": 3600} | self.extra).encode())


@pytest.fixture
def tokens() -> TokenServer:
    return TokenServer()


@pytest.fixture
def server(tokens: TokenServer) -> Iterator[HttpServer]:
    with HttpServer(tokens) as server:
        yield server


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(HttpSettings())
    yield client
    client.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(server: HttpServer, client: HttpClient, clock: Clock) -> Iterator[Callable[..., Authentication]]:
    made: list[Authentication] = []

    def build(kind: str = "oauth2_client_credentials", **settings: object) -> Authentication:
        own = {"type": kind, "token_url": server.url + "/token", "client_id": "omi", "client_secret": "planted secret"}
        if kind == "oauth2_refresh_token":
            own["refresh_token"] = "planted refresh"
        made.append(authentication(Settings(auth=own | settings).auth, client, "", clock))
        return made[-1]

    yield build
    for one in made:
        one.close()


def sign(auth: Authentication) -> Request:
    return auth.apply(REQUEST, Deadline.after(PATIENCE))


def form(server: HttpServer) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(server.requests[-1].body.decode()).items()}


def test_client_credentials_become_an_access_token_in_the_header(
    make: Callable[..., Authentication], server: HttpServer
) -> None:
    signed = sign(make(scope="read", params={"scopes": "PublicApi.Access"}))
    assert signed.headers == {"Authorization": "Bearer planted-1"}
    assert form(server) == {
        "grant_type": "client_credentials",
        "client_id": "omi",
        "client_secret": "planted secret",
        "scope": "read",
        "scopes": "PublicApi.Access",
    }


def test_the_client_may_prove_itself_in_a_header(make: Callable[..., Authentication], server: HttpServer) -> None:
    sign(make(client_auth="basic", client_secret="a:b c"))
    scheme, _, pair = server.requests[0].headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair)) == ("Basic", b"omi:a%3Ab+c")
    assert form(server) == {"grant_type": "client_credentials"}


@pytest.mark.parametrize(
    ("prefix", "header"),
    [("Zoho-oauthtoken", "Zoho-oauthtoken planted-1"), ("", "planted-1"), ("bearer", "bearer planted-1")],
)
def test_the_word_before_the_token_is_free(make: Callable[..., Authentication], prefix: str, header: str) -> None:
    assert sign(make(prefix=prefix)).headers["Authorization"] == header


@pytest.mark.parametrize(
    ("expires_in", "lifetime", "lives"),
    [(100, None, 100), ("100", None, 100), (None, None, 3600), (None, "60s", 60), (0, None, 3600), ("soon", None, 3600),
     (True, None, 3600), (float("inf"), "60s", 60), ([], "60s", 60)],
)  # fmt: skip
def test_a_token_lives_as_long_as_its_answer_says(
    make: Callable[..., Authentication],
    tokens: TokenServer,
    clock: Clock,
    expires_in: object,
    lifetime: str | None,
    lives: float,
) -> None:
    tokens.extra = {"expires_in": expires_in}
    if expires_in == float("inf"):
        tokens.extra = {"expires_in": "inf"}
    auth = make(**({"lifetime": lifetime} if lifetime else {}))
    sign(auth)
    clock.now += 0.79 * lives if lives < 1500 else lives - 301
    sign(auth)
    assert tokens.issued == 1
    clock.now += lives
    assert sign(auth).headers["Authorization"] == "Bearer planted-2"


def test_a_refused_token_is_renewed_once_for_all(make: Callable[..., Authentication], tokens: TokenServer) -> None:
    auth = make()
    used = sign(auth)
    assert auth.expired(Response(401))
    assert not auth.expired(Response(403))
    results: list[object] = []

    def again() -> None:
        results.append(auth.renew(used, Deadline.after(PATIENCE)) and sign(auth).headers["Authorization"])

    threads = [threading.Thread(target=again) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["Bearer planted-2"] * 50
    assert tokens.issued == 2


OUTAGES = {
    "500": Reply(b"planted", 500),
    "503 with invalid_grant": Reply(b'{"error": "invalid_grant"}', 503),
    "429": Reply(b"", 429, [("Retry-After", "7")]),
    "HTML with 200": Reply(b"<html>planted"),
    "HTML with 400": Reply(b"<html>planted", 400),
    "unknown error": Reply(b'{"error": "planted"}', 400),
    "unknown error with 200": Reply(b'{"error": "planted"}'),
    "404": Reply(b"{}", 404),
    "a list": Reply(b"[]"),
    "null": Reply(b"null"),
    "error object": Reply(b'{"error": {"code": "planted"}}', 401),
}


@pytest.mark.parametrize("reply", OUTAGES.values(), ids=OUTAGES.keys())
@pytest.mark.parametrize("kind", ["oauth2_client_credentials", "oauth2_refresh_token"])
def test_a_token_server_out_of_order_is_an_outage(
    make: Callable[..., Authentication], tokens: TokenServer, reply: Reply, kind: str
) -> None:
    tokens.reply = lambda _: reply
    with pytest.raises(SourceUnavailable) as caught:
        sign(make(kind))
    assert "planted" not in str(caught.value)
    assert caught.value.retry_after == (7 if reply.status == 429 else None)


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (400, "invalid_grant", "sign in"),
        (200, "invalid_code", "sign in"),
        (401, "invalid_client", "client_secret"),
        (400, "unauthorized_client", "allow it"),
        (400, "invalid_scope", "the scope is not granted"),
        (200, "invalid_client_secret", "client_id or client_secret is not right"),
    ],
)
def test_only_what_a_person_must_settle_is_rejected_and_the_message_says_how(
    make: Callable[..., Authentication], tokens: TokenServer, status: int, error: str, advice: str
) -> None:
    said = {"error": error, "error_description": "AADSTS7000222: it has expired, planted refresh"}
    tokens.reply = lambda _: Reply(json.dumps(said).encode(), status)
    with pytest.raises(SourceRejected, match=advice) as caught:
        sign(make("oauth2_refresh_token"))
    assert str(caught.value).endswith("(AADSTS7000222: it has expired, •••)")


def test_a_code_that_is_not_known_is_told(make: Callable[..., Authentication], tokens: TokenServer) -> None:
    tokens.reply = lambda _: Reply(b'{"error": "app_disabled"}')
    with pytest.raises(SourceUnavailable, match=r"answered 200 without a token \(app_disabled\)"):
        sign(make())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_words_of_a_token_server_that_is_out_of_order_are_told_as_with_any_status(
    make: Callable[..., Authentication], tokens: TokenServer, status: int
) -> None:
    tokens.reply = lambda _: Reply(b'{"error": "server_error", "error_description": "no disk, planted secret"}', status)
    with pytest.raises(SourceUnavailable, match=rf"answered {status} \(server_error\) \(no disk, •••\)$"):
        sign(make())
    with pytest.raises(SourceUnavailable, match=rf"answered {status} \(server_error\) \(server_error\)$"):
        sign(make(error_message="error"))


@pytest.mark.parametrize("status", [200, 400])
def test_a_token_server_that_says_that_it_is_busy_is_an_outage_whatever_it_calls_that(
    make: Callable[..., Authentication], tokens: TokenServer, status: int
) -> None:
    said = {"error": "invalid_client", "error_description": "database down"}
    tokens.reply = lambda _: Reply(json.dumps(said).encode(), status)
    with pytest.raises(SourceUnavailable, match="asks to try again later"):
        sign(make(busy_when="error_description == 'database down'"))


@pytest.mark.parametrize("token", ['""', "null", "5", '"a\\r\\nX: planted"', '"tiếng"', '["planted"]'])
def test_an_answer_without_a_usable_token_is_unexpected(
    make: Callable[..., Authentication], tokens: TokenServer, token: str
) -> None:
    tokens.reply = lambda _: Reply(f'{{"access_token": {token}}}'.encode())
    with pytest.raises(UnexpectedAnswer, match="access_token"):
        sign(make())


def test_a_replaced_refresh_token_is_used_from_then_on_and_after_a_restart(
    make: Callable[..., Authentication], tokens: TokenServer, server: HttpServer, clock: Clock, tmp_path: Path
) -> None:
    auth = make("oauth2_refresh_token", token_file=tmp_path / "token.json")
    tokens.extra = {"refresh_token": "planted second"}
    sign(auth)
    assert form(server)["refresh_token"] == "planted refresh"
    tokens.extra = {}
    clock.now += 3600
    sign(auth)
    assert form(server)["refresh_token"] == "planted second"
    sign(make("oauth2_refresh_token", token_file=tmp_path / "token.json"))
    assert form(server)["refresh_token"] == "planted second"
    assert set(auth.secrets()) == {"planted-2", "planted second"}


def test_a_single_use_token_is_never_sent_twice(make: Callable[..., Authentication], server: HttpServer) -> None:
    sign(make("oauth2_refresh_token"))
    assert server.requests[0].headers["Connection"] == "close"


def test_no_secret_shows_in_logs_errors_or_representations(
    make: Callable[..., Authentication],
    tokens: TokenServer,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    for kind in ("oauth2_client_credentials", "oauth2_refresh_token"):
        tokens.reply, tokens.extra = None, {"refresh_token": "planted second"}
        auth = make(kind)
        signed = sign(auth)
        shown += [repr(auth), repr(signed), repr(signed.signed_with)]
        clock.now += 3600
        tokens.reply = lambda _: Reply(b'{"error": "invalid_grant", "error_description": "planted secret"}', 400)
        with pytest.raises(SourceError) as caught:
            sign(auth)
        shown += [repr(caught.value), repr(caught.value.__context__), repr(caught.value.__cause__)]
    assert "no new token" in caplog.text
    assert "planted" not in "".join(shown) + caplog.text


@pytest.mark.parametrize("url", ["token", "http://", "https://lan:planted@crm.example/token", "ftp://crm.example"])
def test_a_token_url_that_cannot_be_asked_is_found_when_the_configuration_is_loaded(url: str) -> None:
    settings = {"type": "oauth2_client_credentials", "token_url": url, "client_id": "omi"}
    with pytest.raises(ValidationError, match="https://HOST/PATH") as caught:
        Settings(auth=settings)
    assert "planted" not in str(caught.value)
