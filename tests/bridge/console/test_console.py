"""The console's pages by Flask's own client, in front of the real service in this process."""

import json
import re
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from bridge.config.console import Console
from bridge.console.app import create_app
from bridge.console.audit import TOLD_FOR, ToldLately
from bridge.console.plots import WIDTH, bars_of, columns_of
from bridge.insight.client import AnswerRefused, ServiceSlow, ask_service
from bridge.local.address import ServiceUnreachable
from bridge.starters import NAMES, starter
from bridge.testing.fakes import FakeClock
from tests.support.application import opened
from tests.support.consoled import HASHED, PASSWORD, settings_of, with_console
from tests.support.documents import ROOT
from tests.support.known_customers import expecting

LOCAL = {"base_url": "http://localhost"}
HOSTILE = "<script>alert(1)</script>\"'"
PAGES = (
    "/",
    "/calls",
    "/sources",
    "/directory",
    "/figures",
    "/configuration",
    "/upkeep",
    "/set-up",
    "/set-up?crm=hostile",
    "/set-up/file",
)
TRACE = {
    "request_id": "console-1", "caller": "…567", "hotline": "", "deadline": 1.8, "milliseconds": 12.5, "by_heart": None,
    "live": {"outcome": "found", "extensions": ["101"], "answer": "live", "connector": HOSTILE, "reason": HOSTILE,
             "because": [HOSTILE], "owners": [
                 {"names": [HOSTILE, "lan@congty.example"], "record": HOSTILE, "notes": [HOSTILE],
                  "rings": [{"extension": "101", "place": HOSTILE}]},
                 {"names": ["Minh"], "record": "", "notes": [], "rings": []}]},
    "steps": [{"begin": 0.0, "end": 500.0, "text": HOSTILE}, {"begin": 500.0, "end": 3000.0, "text": "late"}],
}  # fmt: skip
SOURCES = {
    "status": "degraded", "troubles": {f"connector {HOSTILE}": HOSTILE, HOSTILE: HOSTILE},
    "since": {HOSTILE: "2026-11-26T17:45:36+07:00"}, "last_call": HOSTILE, "last_answers": {HOSTILE: "none"},
    "network": "", "deadline": 1.8, "without_extension": 1, "last_key": 2, "keys": 3,
    "lists": [{"name": HOSTILE, "age": 60, "failure": None, "rows": [5, None], "certificates": []}],
    "connectors": [{
        "name": HOSTILE, "type": HOSTILE, "left_alone": True, "in_flight": 0, "max_in_flight": 4, "remembered": [0, 3],
        "tls": "https", "rows": [118, 120], "certificates": [
            {"host": HOSTILE, "ends": "2026-12-06T17:45:36+07:00", "days": 9, "is_near": True,
             "at": "2026-11-26T17:45:36+07:00"},
        ],
        "failure": {"at": "2026-11-26T17:45:36+07:00", "kind": "rejected", "words": HOSTILE, "answered_since": False},
        "age": 90, "doubted": True, "read_ahead": [1, 2], "report": [{"text": HOSTILE, "attention": True}],
    }],
}  # fmt: skip
FIGURES = {
    "calls": 3, "late": 0, "remembered": 0.5, "p50": 1.0, "p99": 2.0, "slowest": 2.0, "deadline": 1.8,
    "network": {"round_trip": 0.02}, "histogram": [[0.005, 1], [2.0, 2], [None, 0]],
}  # fmt: skip
CALLS = {
    "read": "2026-11-26T17:45:36+07:00",
    "callers": "masked", "refused": {"wrong-key": "2026-11-26T17:45:36+07:00", HOSTILE: "2026-11-26T17:45:36+07:00"},
    "calls": [{
        "at": "2026-11-26T17:45:36.123+07:00", "caller": HOSTILE, "hotline": HOSTILE, "outcome": HOSTILE,
        "extensions": ["101"], "answer": "live", "connector": HOSTILE, "milliseconds": 1.5, "request_id": HOSTILE,
        "by_hand": True, "because": [HOSTILE],
    }],
}  # fmt: skip
DIRECTORY = {
    "at": 1.0, "lost": [{"owner": HOSTILE, "calls": 3}],
    "findings": [{"severity": "warn", "text": HOSTILE}, {"severity": "ok", "text": HOSTILE}],
}  # fmt: skip
CONFIGURATION = {
    "file": HOSTILE, "lines": [{"number": 1, "text": HOSTILE}, {"number": 4, "text": "    b: 1"}], "more_lines": 1,
    "problems": [{"line": 3, "column": 7, "text": HOSTILE}, {"line": 0, "column": 0, "text": "as a whole"}],
    "changes": [HOSTILE], "more_changes": 1, "beside": [HOSTILE], "same": False,
}  # fmt: skip
VALID = {**CONFIGURATION, "problems": []}
DOUBTS = [{"name": HOSTILE, "told": HOSTILE}]
FORGOTTEN = {
    "caller": "…567", "left": [HOSTILE],
    "parts": [{"part": "files", "told": HOSTILE, "failed": False}, {"part": HOSTILE, "told": "no", "failed": True}],
}  # fmt: skip
PRESETS = {"presets": [{
    "type": "hostile", "name": HOSTILE, "proven": "documents", "needs": [
        {"key": "url", "help": HOSTILE, "example": HOSTILE, "secret": False, "choices": [], "default": None},
        {"key": "dc", "help": HOSTILE, "example": "com", "secret": False, "choices": [HOSTILE], "default": "com"},
        {"key": "key", "help": HOSTILE, "example": "${KEY}", "secret": True, "choices": [], "default": None},
    ],
}]}  # fmt: skip
SHADOW = {
    "callers": 4, "same": 1, "refused": [],
    "differ": [{"caller": "…567", "hotline": HOSTILE,
                "now": {"outcome": "found", "extensions": ["101"], "because": [HOSTILE]},
                "then": {"outcome": "nobody", "extensions": [], "because": [HOSTILE]}}],
    "unknown": [{"caller": "…568", "hotline": "", "why": "no-room"},
                {"caller": "…569", "hotline": "", "why": "unavailable",
                 "now": {"outcome": HOSTILE, "extensions": [], "because": [HOSTILE]},
                 "then": {"outcome": "unavailable", "extensions": [], "because": [HOSTILE]}}],
}  # fmt: skip
SAID = {
    "shadow": SHADOW,
    "presets": PRESETS,
    "region": {"region": "VN"},
    "lines": {"yaml": HOSTILE, "variables": ["KEY"], "problems": []},
    "doubts": DOUBTS,
    "forget": FORGOTTEN,
    "confirm": DOUBTS[0],
    "try": {"name": HOSTILE},
    "configuration": CONFIGURATION,
    "trace": TRACE,
    "directory": DIRECTORY,
    "calls": CALLS,
    "sources": SOURCES,
    "figures": FIGURES,
}


def said(question):
    return json.loads(json.dumps(SAID[question["ask"]]))


def client_of(ask=said, clock=None, **settings):
    """Return a browser in front of a console, not signed in."""
    return create_app(settings_of(**settings), ask, **({"clock": clock} if clock else {})).test_client()


def token_in(page):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]


def post(client, path, form, page=None, **options):
    """Fill in a form of the page, with the token that it holds."""
    token = token_in(client.get(page or path, **LOCAL).get_data(as_text=True))
    return client.post(path, data={**form, "csrf_token": token}, **LOCAL, **options)


def signed_in(client):
    assert post(client, "/sign-in", {"password": PASSWORD}).status_code == 302
    return client


def test_the_real_service_answers_on_each_page(tmp_path):
    config, settings = with_console(expecting(tmp_path).file)
    with opened(config) as bridge:
        ask = {"phoneNumber": "0901234567"}
        bridge.test_client().get("/get_owner_contact_by_phone", query_string=ask, headers={"X-API-KEY": "change-me"})
        bridge.extensions["omi_bridge"].decisions.close()
        client = signed_in(create_app(settings, partial(ask_service, config.file)).test_client())
        found = post(client, "/", {"number": "0901234567"}).get_data(as_text=True)
        sources, figures = (client.get(path, **LOCAL).get_data(as_text=True) for path in ("/sources", "/figures"))
    assert "owner email lan@congty.example: extension 101 (extensions.inline lan@congty.example)" in found
    assert 'class="badge text-bg-success fs-6">101<' in found
    assert "omi-bridge trace console-" in found
    assert "crm <small>(tests.support.known_customers:KnownCrm)</small>" in sources
    assert re.search(r'<dt>Calls</dt><dd class="fs-4">1</dd>', figures)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_before_signing_in(path):
    asked = []
    client = client_of(asked.append)
    answer = client.get(path, **LOCAL)
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in")
    assert asked == []


@pytest.mark.parametrize("path", ["/", "/sign-in", "/language", "/sign-out"])
def test_a_form_of_another_site_is_refused(path):
    asked = []
    client = signed_in(client_of(lambda question: asked.append(question) or said(question)))
    answer = client.post(path, data={"number": "0901234567", "password": PASSWORD, "language": "vi"}, **LOCAL)
    assert asked == []
    assert answer.status_code in {200, 400}
    assert answer.status_code == 400 or "Rings" not in answer.get_data(as_text=True)
    assert client.get("/sources", **LOCAL).status_code == 200  # and nobody was signed out


@pytest.mark.parametrize("host", ["localhost:8081", "LOCALHOST", "[::1]:8081", "[::1]"])
def test_its_own_names_are_answered_at_every_port(host):
    settings = Console(password=HASHED, hosts=["LocalHost", "[::1]"])
    page = create_app(settings, said).test_client().get("/sign-in", headers={"Host": host})
    assert page.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "x@localhost",
        "localhost@evil.example",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1",
        "evil.example:80",
    ],
)
def test_another_host_is_answered_nothing(host):
    client = signed_in(client_of())
    answer = client.get("/sources", base_url=f"http://{host}")
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert b"omi-bridge" not in answer.data


def test_the_cookie_is_for_this_site_alone_and_over_tls_where_it_came_so():
    plain = client_of().get("/sign-in", **LOCAL).headers["Set-Cookie"]
    behind = client_of(proxy=True).get("/sign-in", headers={"X-Forwarded-Proto": "https"}, **LOCAL)
    assert ("HttpOnly" in plain, "SameSite=Strict" in plain, "Secure" in plain) == (True, True, False)
    assert "Secure" in behind.headers["Set-Cookie"]


def test_it_stands_behind_a_proxy_under_a_path():
    client = client_of(proxy=True)
    prefix = {"X-Forwarded-Prefix": "/console"}
    page = client.get("/sign-in", headers=prefix, **LOCAL).get_data(as_text=True)
    form = {"password": PASSWORD, "csrf_token": token_in(page)}
    answer = client.post("/sign-in?next=/sources", data=form, headers=prefix, **LOCAL)
    assert 'href="/console/static/console.css"' in page
    assert answer.location == "/console/sources"


def test_without_a_proxy_nobody_says_whence_he_comes():
    page = client_of().get("/sign-in", headers={"X-Forwarded-Prefix": "//evil.example"}, **LOCAL)
    assert b"evil.example" not in page.data


@pytest.mark.parametrize(
    "next_page",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/sources\r\nSet-Cookie: a=b",
        "/\u2028",
        "evil",
        "",
    ],
)
def test_nobody_is_led_elsewhere(next_page):
    client = client_of()
    token = token_in(client.get("/sign-in", **LOCAL).get_data(as_text=True))
    form = {"password": PASSWORD, "csrf_token": token}
    answer = client.post("/sign-in", query_string={"next": next_page}, data=form, **LOCAL)
    assert answer.location == "/"


class Seen(HTMLParser):
    """What stands in a page that could run, or come from elsewhere."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.attributes += attrs


def scripts_in(text):
    """Return what scripts a page has; all else in it that could run or come from elsewhere is a fault."""
    seen = Seen()
    seen.feed(text)
    assert "alert(1)" not in [tag for tag, _ in seen.tags]
    assert [name for name, _ in seen.attributes if name == "style" or name.startswith("on")] == []
    assert [
        to for name, to in seen.attributes if name in {"href", "src", "action"} and not to.startswith(("/", "#"))
    ] == []
    return [found["src"] for tag, found in seen.tags if tag == "script"]


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/nowhere"])
def test_whatever_a_crm_calls_somebody_nothing_runs_in_a_page(path, language):
    client = signed_in(client_of())
    post(client, "/language", {"language": language, "page": "/"}, page="/")
    answer = post(client, path, {"number": HOSTILE}) if path == "/" else client.get(path, **LOCAL)
    text = answer.get_data(as_text=True)
    assert f'<html lang="{language}">' in text
    scripts = {"/": ["/static/copy.js"], "/calls": ["/static/live.js"]}
    own = ["/static/file.js"] if path.startswith("/set-up") else scripts.get(path, [])
    assert scripts_in(text) == own
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; style-src 'self'; script-src 'self'" in policy
    assert ("connect-src 'self'" in policy) == (path == "/calls")
    assert policy.count("connect-src") <= 1
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/static/../app.py", "/static/%2e%2e/app.py", "/bootstrap/static/..%2f"]
)
def test_no_path_leads_to_a_file_of_the_machine(path):
    answer = signed_in(client_of()).get(path, **LOCAL)
    assert answer.status_code == 404


@pytest.mark.parametrize("why", ["busy", "often", "no-room"])
def test_a_trace_that_is_refused_says_why_in_words(why):
    def refuse(_question):
        raise AnswerRefused(why)

    page = post(signed_in(client_of(refuse)), "/", {"number": "0901234567"})
    assert page.status_code == 200
    assert re.search(r'class="alert alert-warning" role="alert">\w+ .*\.</p>', page.get_data(as_text=True))


def test_a_trace_says_in_the_readers_language_who_looks_after_the_customer_and_what_rings():
    client = signed_in(client_of())
    page = " ".join(re.sub(r"<[^>]+>", "", post(client, "/", {"number": "0901234567"}).get_data(as_text=True)).split())
    assert ", lan@congty.example (&lt;script&gt;" in page
    assert ", extension 101 (&lt;script&gt;" in page
    assert "Looked after by Minh, no extension" in page
    post(client, "/language", {"language": "vi", "page": "/"}, page="/")
    page = " ".join(re.sub(r"<[^>]+>", "", post(client, "/", {"number": "0901234567"}).get_data(as_text=True)).split())
    assert "Người phụ trách: Minh, chưa có máy lẻ" in page


def test_a_service_that_is_away_is_said_to_be():
    def away(_question):
        raise ServiceUnreachable("no service with the configuration /etc/x runs on this machine")

    answer = signed_in(client_of(away)).get("/sources", **LOCAL)
    assert answer.status_code == 503
    assert "The service cannot be asked" in answer.get_data(as_text=True)


def test_a_service_that_is_there_and_slow_is_not_said_to_be_away():
    def slow(_question):
        raise ServiceSlow("the service has not answered within 5 s")

    answer = signed_in(client_of(slow)).get("/set-up", **LOCAL)
    assert answer.status_code == 503
    page = answer.get_data(as_text=True)
    assert "has not answered in time. Try again" in page
    assert "cannot be asked" not in page


def test_calls_are_looked_for_by_what_is_filled_in(caplog):
    caplog.set_level("INFO")
    asked = []
    client = signed_in(client_of(lambda question: asked.append(question) or said(question)))
    post(client, "/calls", {"number": "0901234567", "outcome": "found", "day": "2026-11-26"})
    empty = {"ask": "calls"}
    filled = dict.fromkeys(("owner", "extension", "hotline"), "") | {"number": "0901234567", "outcome": "found"}
    assert asked == [empty, empty | filled | {"day": "2026-11-26"}]
    assert "looks at the calls, those of the number …567" in caplog.text
    assert "0901234567" not in caplog.text


REFRESH = {"X-Refresh": "1"}


@pytest.fixture
def refreshing():
    """A page of calls in a browser that asks for it again and again, and what it has asked."""
    asked = []
    client = signed_in(client_of(lambda question: asked.append(question) or said(question)))
    token = token_in(client.get("/calls", **LOCAL).get_data(as_text=True))

    def refresh(**wanted):
        form = {"csrf_token": token, **wanted}
        return client.post("/calls", data=form, headers=REFRESH, **LOCAL)

    asked.clear()
    return client, refresh, asked


def test_what_a_page_asks_by_itself_says_so_and_is_told_once(refreshing, caplog):
    caplog.set_level("INFO")
    _, refresh, asked = refreshing
    for _ in range(3):
        assert "Read at 26/11/2026 17:45:36." in refresh(number="0901234567").get_data(as_text=True)
    assert [question["refresh"] for question in asked] == [True] * 3
    told = [record.getMessage() for record in caplog.records if record.name == "bridge.console.audit"]
    assert told == ["127.0.0.1 looks at the calls, those of the number …567"]


def test_whoever_asks_in_the_name_of_a_refresh_is_written_down_for_each_number_and_again_later(caplog):
    caplog.set_level("INFO", "bridge.console.audit")
    clock = FakeClock()
    told = ToldLately(clock)
    assert [told.was_told("a"), told.was_told("b"), told.was_told("a")] == [False, False, True]
    clock.advance(TOLD_FOR)
    assert not told.was_told("a")


def test_a_refresh_is_not_answered_with_a_form_to_sign_in(refreshing):
    client, refresh, asked = refreshing
    post(client, "/sign-out", {}, page="/")
    assert refresh().status_code == 302
    assert asked == []


def test_a_refresh_that_the_service_has_no_time_for_is_none():
    def busy(question):
        if question.get("refresh"):
            raise AnswerRefused("busy")
        return said(question)

    client = signed_in(client_of(busy))
    token = token_in(client.get("/calls", **LOCAL).get_data(as_text=True))
    answer = client.post("/calls", data={"csrf_token": token}, headers=REFRESH, **LOCAL)
    assert answer.status_code == 503


def sources_with(**changes):
    """Return the page of sources where one is otherwise."""
    found = json.loads(json.dumps(SOURCES))
    found["connectors"][0] |= changes
    found["last_key"] = changes.get("last_key", 2)
    client = signed_in(client_of(lambda question: found if question["ask"] == "sources" else said(question)))
    return client.get("/sources", **LOCAL).get_data(as_text=True)


def test_a_source_is_told_in_plain_words():
    page = sources_with()
    for told in (
        "with key number 2 of the 3 in api_keys",
        "118 · before the last change: 120",
        "9 days left, until 06/12/2026 17:45:36",
        "Have it renewed at the source",
        "somebody has to correct the key",
        "0 · 3 (each process its own)",
    ):
        assert told in re.sub(r"\s+", " ", page)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"certificates": []}, "not seen yet"),
        ({"certificates": [], "tls": "unchecked"}, "not checked (tls.verify is false)"),
        ({"failure": SOURCES["connectors"][0]["failure"] | {"answered_since": True}}, "It has answered since."),
        ({"failure": None}, "none since the start"),
        ({"last_key": 0}, "with a key that is not in api_keys any more"),
    ],
    ids=str,
)
def test_what_is_not_known_of_a_source_is_said(changes, told):
    assert told in sources_with(**changes)


@pytest.mark.parametrize(("days", "is_near"), [(14, False), (13, True), (-1, True)])
def test_a_certificate_is_to_be_seen_to_before_it_ends(days, is_near):
    shown = SOURCES["connectors"][0]["certificates"][0] | {"days": days, "is_near": is_near}
    page = sources_with(certificates=[shown])
    assert ("Have it renewed" in page) == is_near
    assert ("ended on" in page) == (days < 0)


def test_who_looked_at_what_is_told_without_the_number(caplog):
    caplog.set_level("INFO")
    client = signed_in(client_of())
    post(client, "/", {"number": "0901234567"})
    client.get("/sources", **LOCAL)
    told = [record.getMessage() for record in caplog.records if record.name == "bridge.console.audit"]
    assert told == ["127.0.0.1 signs in", "127.0.0.1 looks up the caller …567", "127.0.0.1 looks at the sources"]


def test_a_problem_stands_below_its_line_or_above_all():
    page = signed_in(client_of()).get("/configuration", **LOCAL).get_data(as_text=True)
    places = [page.index(text) for text in ("as a whole", ">1</span>", "line 3, column 7", ">4</span>")]
    assert places == sorted(places)


def test_a_change_is_tried_on_the_last_callers_when_that_is_wanted(caplog):
    caplog.set_level("INFO")
    client = signed_in(client_of(lambda question: said(question) if question["ask"] != "configuration" else VALID))
    looked = client.get("/configuration", **LOCAL).get_data(as_text=True)
    page = post(client, "/configuration", {}).get_data(as_text=True)
    assert "Last callers: 4" not in looked
    assert "Last callers: 4. The same: 1, otherwise: 1, not to be said: 2." in page
    words = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "now 101 , by the file Nobody looks after this customer" in words
    assert "…568 : The sources have no room just now" in words
    assert scripts_in(page) == []
    assert "tries the configuration's file on the last callers" in caplog.text


@pytest.mark.parametrize("why", ["busy", "no-callers", "not-valid", "shadow-often"])
def test_why_a_change_is_not_tried_is_said_in_words(why):
    def answer(question):
        if question["ask"] == "shadow":
            raise AnswerRefused(why)
        return VALID

    page = post(signed_in(client_of(answer)), "/configuration", {}).get_data(as_text=True)
    assert re.search(r'class="alert alert-warning" role="alert">\w+ .*\.</p>', page)


@pytest.fixture
def heard():
    """A console, signed in, and the deeds that it has asked for."""
    asked = []
    client = signed_in(client_of(lambda question: asked.append(question) or said(question)))
    return client, lambda: [one for one in asked if one["ask"] in {"forget", "confirm", "try", "lines", "shadow"}]


def test_a_caller_is_forgotten_once_that_was_asked_twice(heard, caplog):
    caplog.set_level("INFO")
    client, deeds = heard
    asked = post(client, "/upkeep/forget", {"number": "090 123 4567"}, page="/upkeep").get_data(as_text=True)
    assert "The caller …567 is forgotten" in asked
    assert deeds() == []
    done = post(client, "/upkeep/forget", {"number": "090 123 4567", "sure": "yes"}, page="/upkeep")
    assert deeds() == [{"ask": "forget", "number": "090 123 4567"}]
    assert "not forgotten" in done.get_data(as_text=True)
    assert "127.0.0.1 forgets the caller …567" in caplog.text
    assert "123 4567" not in caplog.text


def test_a_list_is_confirmed_once_that_was_asked_twice(heard, caplog):
    caplog.set_level("INFO")
    client, deeds = heard
    doubted = {"name": "customers", "told": "only 5 of 40 rows"}
    assert "only 5 of 40 rows" in post(client, "/upkeep/confirm", doubted, page="/upkeep").get_data(as_text=True)
    assert deeds() == []
    assert post(client, "/upkeep/confirm", doubted | {"sure": "yes"}, page="/upkeep").status_code == 200
    assert deeds() == [{"ask": "confirm", **doubted}]
    assert "127.0.0.1 confirms the list customers" in caplog.text


def test_a_source_that_is_left_alone_is_tried(heard, caplog):
    caplog.set_level("INFO")
    client, deeds = heard
    assert 'class="alert alert-success"' in post(client, "/sources", {"name": "crm"}).get_data(as_text=True)
    assert deeds() == [{"ask": "try", "name": "crm"}]
    assert "127.0.0.1 tries the source crm" in caplog.text


def test_a_form_makes_lines_of_what_is_needed_and_of_no_secret(heard, caplog):
    caplog.set_level("INFO")
    client, deeds = heard
    form = {"type": "hostile", "url": "https://crm.example", "key": "planted", "another": "planted"}
    page = post(client, "/set-up", form, page="/set-up?crm=hostile").get_data(as_text=True)
    assert deeds() == [{"ask": "lines", "type": "hostile", "values": {"url": "https://crm.example", "dc": ""}}]
    assert "KEY=…" in page
    assert "makes lines for hostile" in caplog.text


def test_a_problem_stands_beside_what_it_is_about():
    wrong = {"yaml": "", "variables": [], "problems": [{"key": "url", "text": "not an address"}]}
    client = signed_in(client_of(lambda question: wrong if question["ask"] == "lines" else said(question)))
    page = post(client, "/set-up", {"type": "hostile", "url": "x"}, page="/set-up?crm=hostile").get_data(as_text=True)
    assert '<strong class="text-danger">not an address</strong>' in page
    assert "KEY=…" not in page


def test_a_form_of_a_crm_that_is_none_asks_nothing(heard):
    client, deeds = heard
    post(client, "/set-up", {"type": "../../etc"}, page="/set-up?crm=hostile")
    assert deeds() == []


@pytest.mark.parametrize("name", NAMES)
def test_a_table_to_start_from_is_given_as_a_file(name):
    answer = signed_in(client_of()).get(f"/set-up/{name}", **LOCAL)
    assert answer.data == starter(name)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "customers.exe", "%2fetc%2fpasswd", "__init__.py"])
def test_no_other_file_is_given(name):
    assert signed_in(client_of()).get(f"/set-up/{name}", **LOCAL).status_code == 404


def test_the_page_to_begin_with_has_the_lines_that_name_each_table():
    page = signed_in(client_of()).get("/set-up", **LOCAL).get_data(as_text=True)
    for line in (
        "customers: {type: xlsx, path: customers.xlsx}",
        "customers: {type: csv, path: customers.csv}",
        "xlsx: {path: extensions.xlsx}",
        "csv: {path: extensions.csv}",
        "customers: {type: google_sheet, url:",
    ):
        assert line in page


@pytest.mark.parametrize("path", ["/upkeep/forget", "/upkeep/confirm", "/sources", "/set-up", "/configuration"])
def test_nothing_is_done_for_another_site_or_by_looking(heard, path):
    client, deeds = heard
    form = {"number": "0901234567", "name": "customers", "told": "x", "sure": "yes", "type": "hostile", "url": "x"}
    assert client.post(path, data=form, **LOCAL).status_code == 400
    assert client.get(path, query_string=form, **LOCAL).status_code == 200
    assert deeds() == []


def test_a_form_that_is_too_large_is_refused_and_asks_nothing(heard):
    client, deeds = heard
    answer = post(client, "/set-up", {"type": "hostile", "url": "x" * 100_000}, page="/set-up?crm=hostile")
    assert answer.status_code == 413
    assert deeds() == []


@pytest.mark.parametrize("why", ["busy", "wrong-number", "forget-often", "not-forgotten"])
def test_what_could_not_be_forgotten_is_said_and_written_down(why, caplog):
    caplog.set_level("INFO")

    def refuse(question):
        if question["ask"] == "forget":
            raise AnswerRefused(why)
        return said(question)

    form = {"number": "0901234567", "sure": "yes"}
    page = post(signed_in(client_of(refuse)), "/upkeep/forget", form, page="/upkeep")
    assert re.search(r'class="alert alert-warning" role="alert">\w+ .*\.</p>', page.get_data(as_text=True))
    assert f"forgets the caller …567, refused: {why}" in caplog.text


def test_a_bar_ends_where_omicall_hangs_up():
    first, last = bars_of(TRACE)
    assert (first.x, first.width) == (0.0, WIDTH / 4)
    assert last.x + last.width == WIDTH


def test_the_largest_class_is_as_high_as_the_picture():
    low, high, none = columns_of(FIGURES["histogram"])
    assert (low.height, high.height, none.height) == (80.0, 160.0, 0.0)
    assert columns_of([[0.005, 0]])[0].height == 0.0


CONSOLE = ROOT / "bridge/console"
WORDS = CONSOLE / "translations/vi/LC_MESSAGES"


def test_every_word_is_translated():
    methods = [("**.py", "python"), ("**.html", "jinja2")]
    wanted = {message for _, _, message, *_ in extract_from_dir(CONSOLE, methods)}
    with (WORDS / "messages.po").open("rb") as file:
        known = {message.id: message.string for message in read_po(file) if message.id}
    assert set(known) == wanted
    assert [word for word, translated in known.items() if not translated] == []
    for word, translated in known.items():
        assert re.findall(r"%\(\w+\)s", word) == re.findall(r"%\(\w+\)s", translated)


def test_what_is_translated_is_what_is_used():
    with (WORDS / "messages.po").open("rb") as written, Path(WORDS / "messages.mo").open("rb") as used:
        assert {one.id: one.string for one in read_po(written) if one.id} == {
            one.id: one.string for one in read_mo(used) if one.id
        }, "make translations"
