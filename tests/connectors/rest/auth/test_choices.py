import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.sdk import ConnectorConfig, Deadline, SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import HttpClient, HttpSettings, Request, Response
from connectors.rest.auth.choices import Auth, Authentication, authentication
from connectors.rest.templates.scope import known_names
from tests.support.servers import Asked, HttpServer, Reply

PATIENCE = 10.0
REQUEST = Request("GET", "http://crm.example/x", (("key", "old"), ("q", "1")), {"x-api-key": "old", "Accept": "a"})
NAMES = {"secrets": {"password": "planted"}, "settings": {"user": "lan"}}


class Settings(ConnectorConfig):
    auth: Auth


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(HttpSettings())
    yield client
    client.close()


def settings(written: dict[str, Any]) -> Auth:
    with known_names({"secrets", "secrets.password", "settings", "settings.user", "login", "caller.e164"}):
        return Settings(auth=written).auth


def sign(auth: Authentication) -> Request:
    return auth.apply(REQUEST, Deadline.after(PATIENCE))


def complaint(written: dict[str, Any]) -> tuple[tuple[int | str, ...], str]:
    """Return where the one thing is that is wrong, and what it is; nothing of it may show the credential."""
    with pytest.raises(ValidationError) as error:
        settings(written)
    assert "planted" not in f"{error.value} {error.value!r}".lower()
    (problem,) = error.value.errors(include_url=False, include_input=False)
    return problem["loc"], problem["msg"]


WRONG = {
    "": "at least 1",
    " planted": "begins or ends with a blank",
    "planted\n": "begins or ends with a blank",
    "planted\u00a0": "begins or ends with a blank",
    "plan\tted": "control character",
    "planted\x7f-": "control character",
    "$PLANTED_TOKEN": "${CRM_TOKEN}",
    "$PLANTED": "${CRM_TOKEN}",
    "$planted_token": "${CRM_TOKEN}",
}
PLACES: list[tuple[dict[str, Any], str]] = [
    ({"type": "bearer"}, "token"),
    ({"type": "header", "name": "X-Key"}, "value"),
    ({"type": "query", "name": "key"}, "value"),
    ({"type": "basic", "username": "lan"}, "password"),
    ({"type": "oauth2_client_credentials", "token_url": "https://a.example", "client_id": "x"}, "client_secret"),
    ({"type": "oauth2_refresh_token", "token_url": "https://a.example", "client_id": "x"}, "refresh_token"),
]


@pytest.mark.parametrize(("text", "told"), WRONG.items())
@pytest.mark.parametrize(("others", "key"), PLACES, ids=lambda part: part["type"] if isinstance(part, dict) else part)
def test_what_is_no_credential_is_told_without_repeating_it(
    others: dict[str, Any], key: str, text: str, told: str
) -> None:
    if key == "password" and not text:
        return  # which some CRMs want
    place, problem = complaint({**others, key: text})
    assert place == ("auth", others["type"], key)
    assert told in problem


@pytest.mark.parametrize("text", ["$ecret", "$2b$10$abc", "a b", "$", "pass$WORD", "=a", "ậ"])
def test_odd_passwords_are_passwords(text: str) -> None:
    assert settings({"type": "basic", "username": "lan", "password": text}).password.get_secret_value() == text


@pytest.mark.parametrize(
    ("written", "key", "told"),
    [
        ({"type": "bearer", "token": "plantedé"}, "token", "no header can carry"),
        ({"type": "bearer", "token": "“planted”"}, "token", "no header can carry"),
        ({"type": "header", "name": "X", "value": "plantedé"}, "value", "no header can carry"),
        ({"type": "bearer", "token": "t", "prefix": "é"}, "prefix", "no header can carry"),
        ({"type": "bearer", "token": "Bearer planted"}, "token", "begins with the word that is sent before it anyway"),
        ({"type": "bearer", "token": "bearer planted"}, "token", "leave it out here"),
        ({"type": "bearer", "token": "Token planted", "prefix": "Token"}, "token", "leave it out here"),
        ({"type": "header", "name": "X", "value": "Key planted", "prefix": "Key"}, "value", "leave it out here"),
    ],
)
def test_a_credential_that_cannot_be_sent_as_it_is_is_told(written: dict[str, Any], key: str, told: str) -> None:
    place, problem = complaint(written)
    assert place == ("auth", written["type"], key)
    assert told in problem


@pytest.mark.parametrize(
    "written",
    [
        {"type": "bearer", "token": "Bearer x", "prefix": ""},
        {"type": "bearer", "token": "Bearerx"},
        {"type": "header", "name": "X", "value": "Bearer x"},
    ],
)
def test_a_credential_may_hold_another_word_or_the_only_one(written: dict[str, Any]) -> None:
    assert settings(written).type == written["type"]


@pytest.mark.parametrize(
    ("written", "headers", "query"),
    [
        ({"type": "none"}, {}, ()),
        ({"type": "basic", "username": "lan", "password": "ậ:b"}, {"Authorization": "Basic bGFuOuG6rTpi"}, ()),
        ({"type": "bearer", "token": "t"}, {"Authorization": "Bearer t"}, ()),
        ({"type": "bearer", "token": "t", "prefix": "Token token="}, {"Authorization": "Token token= t"}, ()),
        ({"type": "bearer", "token": "t", "prefix": ""}, {"Authorization": "t"}, ()),
        ({"type": "header", "name": "X-Api-Key", "value": "k"}, {"X-Api-Key": "k"}, ()),
        ({"type": "header", "name": "Authorization", "value": "k", "prefix": "Key"}, {"Authorization": "Key k"}, ()),
        ({"type": "query", "name": "key", "value": "a&b"}, {}, (("key", "a&b"),)),
    ],
)  # fmt: skip
def test_fixed_credentials_take_their_place_in_the_request(
    client: HttpClient, written: dict[str, Any], headers: dict[str, str], query: tuple[tuple[str, str], ...]
) -> None:
    auth = authentication(settings(written), client, "http://crm.example")
    signed = sign(auth)
    kept = {} if "X-Api-Key" in headers else {"x-api-key": "old"}
    assert signed.headers == {"Accept": "a", **kept, **headers}
    assert set(signed.query) == {("q", "1"), *(query or (("key", "old"),))}
    assert set(auth.secrets()) == {*headers.values(), *(value for _, value in query)}
    assert not auth.expired(Response(401))
    assert not auth.renew(signed, Deadline.after(PATIENCE))
    assert auth.names(Deadline.after(PATIENCE)) == {}


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"type": "oauth"},
        {"type": "none", "token": "planted"},
        {"type": "basic", "username": "lan"},
        {"type": "header", "name": "X Y", "value": "planted"},
        {"type": "header", "name": "Content-Length", "value": "planted"},
        {"type": "oauth2_refresh_token", "token_url": "https://crm.example", "client_id": "omi"},
        {"type": "login", "request": {}},
        {"type": "login", "request": {}, "take": {"a b": "token"}},
        {"type": "login", "request": {}, "take": {"token": "]["}},
        {"type": "login", "request": {"path": "{{ caller.e164 }}"}, "take": {"token": "token"}},
        {"type": "login", "request": {"path": "{{ login.token }}"}, "take": {"token": "token"}},
        {"type": "login", "request": {}, "take": {"token": "token"}, "headers": {"X": "{{ caller.e164 }}"}},
    ],
)
def test_a_mistake_is_found_when_the_configuration_is_loaded(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(written)
    assert "planted" not in str(caught.value)


class Crm:
    """A CRM with sessions; counts logins."""

    def __init__(self) -> None:
        self.logins = 0
        self.reply: Reply | None = None

    def __call__(self, _: Asked) -> Reply:
        self.logins += 1
        body = json.dumps({"data": {"token": f"planted-{self.logins}", "uid": 12}}).encode()
        return self.reply or Reply(body, headers=[("Set-Cookie", f"session=planted-{self.logins}; HttpOnly")])


LOGIN: dict[str, Any] = {
    "type": "login",
    "request": {"path": "/login", "json": {"user": "{{ settings.user }}", "password": "{{ secrets.password }}"}},
    "take": {"token": "data.token", "uid": "data.uid"},
    "headers": {"X-Session": "{{ login.token }}"},
    "query": {"uid": "{{ login.uid }}"},
}


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def server(crm: Crm) -> Iterator[HttpServer]:
    with HttpServer(crm) as server:
        yield server


@pytest.fixture
def login(server: HttpServer, client: HttpClient) -> Iterator[Callable[..., Authentication]]:
    made: list[Authentication] = []

    def build(clock: Callable[[], float] = lambda: 0.0, **changes: object) -> Authentication:
        made.append(authentication(settings(LOGIN | changes), client, server.url + "/api", clock, names=NAMES))
        return made[-1]

    yield build
    for one in made:
        one.close()


def test_a_login_yields_a_session_for_the_requests_and_typed_values_for_templates(
    login: Callable[..., Authentication], server: HttpServer
) -> None:
    auth = login()
    signed = sign(auth)
    assert signed.headers["X-Session"] == "planted-1"
    assert ("uid", "12") in signed.query
    assert auth.names(Deadline.after(PATIENCE)) == {"token": "planted-1", "uid": 12}
    assert signed.cookies == {}
    assert server.requests[0].path == "/api/login"
    assert json.loads(server.requests[0].body) == {"user": "lan", "password": "planted"}
    assert len(server.requests) == 1
    assert set(auth.secrets()) == {"planted-1"}
    assert "planted" not in repr(auth) + repr(signed) + repr(signed.signed_with)


def test_a_session_may_be_a_cookie(login: Callable[..., Authentication]) -> None:
    signed = sign(login(cookies=True, take={}, headers={}, query={}))
    assert signed.cookies == {"session": "planted-1"}
    assert signed.headers == REQUEST.headers


def test_a_form_that_sends_the_browser_on_has_let_us_in_if_it_sets_a_cookie(
    login: Callable[..., Authentication], crm: Crm
) -> None:
    crm.reply = Reply(b"", 302, [("Location", "/home"), ("Set-Cookie", "session=1")])
    assert sign(login(cookies=True, take={}, headers={}, query={})).cookies == {"session": "1"}


def test_the_end_of_a_session_is_told_by_status_or_by_the_answer(login: Callable[..., Authentication]) -> None:
    auth = login(expired_status=[401, 419], expired_when="error.code == `100`")
    assert auth.expired(Response(419))
    assert auth.expired(Response(200, body=b'{"error": {"code": 100}}'))
    assert not auth.expired(Response(200, body=b'{"error": {"code": 200}}'))
    assert not auth.expired(Response(200, body=b"<html>"))
    assert not auth.expired(Response(403))
    assert not login().expired(Response(200, body=b'{"error": {"code": 100}}'))


def test_a_session_that_has_ended_is_replaced_once(login: Callable[..., Authentication], crm: Crm) -> None:
    auth = login()
    used = sign(auth)
    later = [auth.renew(used, Deadline.after(PATIENCE)) and sign(auth).headers["X-Session"] for _ in range(3)]
    assert later == ["planted-2"] * 3
    assert crm.logins == 2


def test_a_session_with_a_lifetime_is_replaced_in_time(login: Callable[..., Authentication]) -> None:
    now = [0.0]
    auth = login(clock=lambda: now[0], lifetime="1h")
    sign(auth)
    now[0] = 3600.0
    assert sign(auth).headers["X-Session"] == "planted-2"


REFUSALS = {
    "401": (Reply(b"planted", 401), SourceRejected),
    "403": (Reply(b"planted", 403), SourceRejected),
    "400": (Reply(b"planted", 400), SourceRejected),
    "404": (Reply(b"planted", 404), SourceRejected),
    "302": (Reply(b"planted", 302), SourceRejected),
    "result false": (Reply(b'{"data": false}'), SourceRejected),
    "token null": (Reply(b'{"data": {"token": null, "uid": 12}}'), SourceRejected),
    "500": (Reply(b"planted", 500), SourceUnavailable),
    "429": (Reply(b"planted", 429), SourceUnavailable),
    "HTML": (Reply(b"<html>planted"), UnexpectedAnswer),
}


@pytest.mark.parametrize(("reply", "error"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_login_that_fails_says_whether_somebody_must_act(
    login: Callable[..., Authentication], crm: Crm, reply: Reply, error: type[SourceError]
) -> None:
    crm.reply = reply
    with pytest.raises(error) as caught:
        sign(login())
    assert "planted" not in str(caught.value)
    assert "nobody_status" not in str(caught.value)


def test_a_login_that_sets_no_cookie_is_rejected(login: Callable[..., Authentication], crm: Crm) -> None:
    crm.reply = Reply(b"<html>wrong password")
    with pytest.raises(SourceRejected, match="cookie"):
        sign(login(cookies=True, take={}, headers={}, query={}))


def test_a_session_that_no_header_can_carry_is_an_error_of_ours(login: Callable[..., Authentication], crm: Crm) -> None:
    crm.reply = Reply(json.dumps({"data": {"token": "a\r\nX: planted", "uid": 1}}).encode())
    with pytest.raises(UnexpectedAnswer) as caught:
        sign(login())
    assert "planted" not in str(caught.value)
