"""Who is let into the console, for how long, and what somebody finds out who tries."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.security import generate_password_hash

from bridge.config.console import Console
from bridge.console.app import create_app
from bridge.console.sessions import MOST, TRIES, Sessions
from bridge.testing.fakes import FakeClock
from tests.bridge.console.test_console import LOCAL, client_of, post, said, signed_in, token_in
from tests.support.consoled import PASSWORD

COOKIE = "omi_bridge_console"
WRONG = {"password": "guess"}
RIGHT = {"password": PASSWORD}


def test_a_wrong_password_may_be_tried_so_often_and_no_more():
    clock = FakeClock()
    client = client_of(clock=clock)
    wrong = [post(client, "/sign-in", {"password": "guess"}).status_code for _ in range(TRIES)]
    right = post(client, "/sign-in", {"password": PASSWORD})
    clock.advance(61)
    later = post(client, "/sign-in", {"password": PASSWORD})
    assert wrong == [403] * TRIES
    assert (right.status_code, later.status_code) == (429, 302)


def test_a_session_ends():
    clock = FakeClock()
    client = signed_in(client_of(clock=clock, session=3600))
    clock.advance(3599)
    assert client.get("/sources", **LOCAL).status_code == 200
    clock.advance(1)
    assert client.get("/sources", **LOCAL).status_code == 302


def test_signing_out_ends_it():
    client = signed_in(client_of())
    assert post(client, "/sign-out", {}, page="/").status_code == 302
    assert client.get("/sources", **LOCAL).status_code == 302


def test_a_copy_of_the_cookie_is_worth_nothing_once_its_owner_has_signed_out():
    client, thief = (app := client_of().application).test_client(), app.test_client()
    signed_in(client)
    thief.set_cookie(COOKIE, client.get_cookie(COOKIE).value)
    assert thief.get("/sources", **LOCAL).status_code == 200
    post(client, "/sign-out", {}, page="/")
    assert thief.get("/sources", **LOCAL).status_code == 302


def test_a_cookie_ends_with_the_console():
    before, after = client_of(), client_of()
    signed_in(before)
    after.set_cookie(COOKIE, before.get_cookie(COOKIE).value)
    assert after.get("/sources", **LOCAL).status_code == 302


def test_a_cookie_that_was_planted_before_signing_in_opens_nothing():
    client, other = (app := client_of().application).test_client(), app.test_client()
    token = token_in(client.get("/sign-in", **LOCAL).get_data(as_text=True))
    other.set_cookie(COOKIE, client.get_cookie(COOKIE).value)
    signed_in(client)
    assert other.get("/sources", **LOCAL).status_code == 302
    assert client.post("/sign-out", data={"csrf_token": token}, **LOCAL).status_code == 400


def test_many_at_once_try_no_more_passwords_than_one_after_the_other():
    slow = Console(password=generate_password_hash(PASSWORD, "pbkdf2:sha256:200000"), hosts=["localhost"])
    app, together = create_app(slow, said), threading.Barrier(3 * TRIES)

    def attempt(_: int) -> int:
        client = app.test_client()
        form = WRONG | {"csrf_token": token_in(client.get("/sign-in", **LOCAL).get_data(as_text=True))}
        together.wait(10)
        return client.post("/sign-in", data=form, **LOCAL).status_code

    with ThreadPoolExecutor(3 * TRIES) as pool:
        statuses = list(pool.map(attempt, range(3 * TRIES)))
    assert (statuses.count(403), statuses.count(429)) == (TRIES, 2 * TRIES)


def test_whoever_has_signed_in_before_is_kept_out_by_nobody_but_himself():
    app = client_of(clock=FakeClock()).application
    admin, other = signed_in(app.test_client()), app.test_client()
    post(admin, "/sign-out", {}, page="/")
    for _ in range(TRIES + 1):
        status = post(other, "/sign-in", WRONG).status_code
    assert (status, post(other, "/sign-in", RIGHT).status_code) == (429, 429)
    assert [post(admin, "/sign-in", WRONG).status_code for _ in range(TRIES)] == [403] * TRIES
    assert post(admin, "/sign-in", RIGHT).status_code == 429


def test_so_many_browsers_are_known_and_no_more():
    sessions = Sessions(60.0, FakeClock())
    names = [sessions.begin() for _ in range(MOST + 1)]
    assert [sessions.is_open(name) for name in names] == [False] + [True] * MOST
    assert not sessions.is_open("")


@pytest.mark.parametrize(
    "prefix",
    ["//evil.example", "https://evil.example", "javascript:alert(1)//evil", "/\\evil.example", "evil"],
)
def test_a_prefix_that_is_no_path_is_answered_nothing(prefix):
    page = client_of(proxy=True).get("/sign-in", headers={"X-Forwarded-Prefix": prefix}, **LOCAL)
    assert (page.status_code, page.mimetype) == (400, "text/plain")
    assert b"evil" not in page.data


@pytest.mark.parametrize("page", ["/sources\r\nSet-Cookie: a=b", "//evil.example", "/\t/evil.example"])
def test_a_language_leads_to_no_other_page_and_writes_no_header(page):
    client = client_of()
    answer = post(client, "/language", {"language": "vi", "page": page}, page="/sign-in")
    assert (answer.status_code, answer.location) == (302, "/")


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL"])
def test_no_other_header_says_what_the_host_is(header):
    for client in (client_of(), client_of(proxy=True)):
        page = client.get("/sign-in", headers={header: "host=evil.example"}, **LOCAL)
        assert page.status_code == 200
        assert b"evil" not in page.data
        assert client.get("/sign-in", headers={header: "localhost"}, base_url="http://evil.example").status_code == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
@pytest.mark.parametrize(
    "path", ["/", "/calls", "/sources", "/configuration", "/set-up", "/upkeep/forget", "/upkeep/confirm", "/sign-out"]
)
def test_a_form_without_its_token_does_nothing_whatever_it_is_sent_as(method, path):
    asked = []
    client = signed_in(client_of(lambda question: asked.append(question) or said(question)))
    kinds = ({"data": WRONG}, {"json": {"number": "0901234567"}}, {"data": "number=1", "content_type": "text/plain"})
    statuses = {client.open(path, method=method, **LOCAL, **body).status_code for body in kinds}
    assert statuses <= {400, 405}
    assert asked == []
