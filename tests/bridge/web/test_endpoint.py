import json
import logging
import re
from ipaddress import ip_network

import pytest
import yaml
from flask import Flask, Request
from werkzeug.test import EnvironBuilder

from bridge.config.loading import load_config
from bridge.lookup.decision import Outcome
from bridge.web.endpoint import OwnerEndpoint, values
from tests.support.application import opened

PATH = "/get_owner_contact_by_phone"
KEY = {"X-API-KEY": "change-me"}


@pytest.fixture
def client(tmp_path):
    (tmp_path / "customers.csv").write_text(
        "phone,owner email,owner extension\n0901234567,lan@congty.example,101\n0901234567,minh@congty.example,102\n"
        "0912345678,nghi@congty.example,\n",
        encoding="utf-8",
    )
    settings = {
        "api_keys": ["change-me", "khoá-hai-is-not-allowed".encode().hex()],
        "connectors": {"customers": {"type": "csv", "path": "customers.csv"}},
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with opened(load_config(file)) as app:
        yield app.test_client()


def ask(client, query="?phoneNumber=0901234567&sipNumber=842499950291", **headers):
    return client.get(PATH + query, headers={**KEY, **headers})


def test_owners_are_answered_as_extensions_in_plain_text(client):
    response = ask(client)
    assert (response.status_code, response.get_data()) == (200, b"101:102")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Bridge-Outcome"] == "found"
    assert response.headers["X-Bridge-Answer"] == "live"


@pytest.mark.parametrize(
    ("query", "status", "outcome"),
    [
        ("?phoneNumber=0999999999", 200, "nobody"),
        ("?phoneNumber=0912345678", 200, "unmapped"),
        ("?phoneNumber=anonymous", 200, "invalid-number"),
        ("?phoneNumber=101", 200, "invalid-number"),
        ("?phoneNumber=%00", 200, "invalid-number"),
        ("?phoneNumber=%ff%fe", 200, "invalid-number"),
        ("?phoneNumber=%20", 200, "invalid-number"),
        ("?phoneNumber=" + "9" * 10_000, 200, "invalid-number"),
        ("?phoneNumber=0901234567&phoneNumber=0912345678", 200, "invalid-number"),
        ("?phoneNumber=0901234567%0d%0aX-Evil:1", 200, "invalid-number"),
        ("", 400, "bad-request"),
        ("?phoneNumber=", 400, "bad-request"),
        ("?phoneNumber=&phoneNumber=", 400, "bad-request"),
        ("?phonenumber=0901234567", 400, "bad-request"),
    ],
)
def test_everything_else_is_answered_without_a_body(client, query, status, outcome):
    response = ask(client, query)
    assert (response.status_code, response.get_data(), response.headers["X-Bridge-Outcome"]) == (status, b"", outcome)


@pytest.mark.parametrize(
    "query",
    [
        "?phoneNumber=&phoneNumber=0901234567",
        "?phoneNumber=0901234567&phoneNumber=",
        "?sipNumber=842499950291&amp;phoneNumber=0901234567",
        "?phoneNumber=sip:0901234567@pbx.example",
        "?sipNumber=842499950291&amp;amp;phoneNumber=0901234567",
        "?phoneNumber=null&phoneNumber=0901234567",
        "?phoneNumber=sip:0901234567:5060",
        "?phoneNumber=0901234567:5060",
    ],
)
def test_a_caller_in_another_dress_is_the_caller(client, query):
    assert ask(client, query).get_data() == b"101:102"


@pytest.mark.parametrize(
    "query",
    [
        "&sipNumber=842499950291",
        "&sipNumber=&sipNumber=842499950291",
        "&sipNumber=%20&sipNumber=842499950291",
        "&amp;sipNumber=842499950291",
        "&sipNumber=&amp;sipNumber=842499950291",
        "&amp;amp;sipNumber=842499950291",
        "&sipNumber=null&sipNumber=842499950291",
        "&sipNumber=sip:abc@pbx&sipNumber=842499950291",
        "&sipNumber=sip:842499950291:5060",
        "&sipNumber=sip:842499950291@pbx.example",
        "&sipNumber=%3Csip:%2B842499950291@pbx.example;transport=udp%3E",
        "&sipNumber=tel:%2B842499950291",
    ],
)
def test_a_hotline_in_another_dress_is_the_hotline(client, caplog, query):
    with caplog.at_level(logging.INFO):
        assert ask(client, f"?phoneNumber=0901234567{query}").status_code == 200
    assert "hotline=+842499950291" in caplog.text


def test_an_unreadable_number_says_nothing_about_how_the_answer_was_come_by(client):
    assert "X-Bridge-Answer" not in ask(client, "?phoneNumber=anonymous").headers


WRONG_KEYS = [
    *("", " ", "change-m", "change-me2", "CHANGE-ME", "change-me\t", "hange-me", "chan ge-me", "*", "null", "None"),
    *(
        "change-me,change-me",
        "Bearer change-me",
        "change\u00adme",
        "ch\xe4nge-me",
        "\xff\xfe",
        "a" * 5000,
        "%63hange-me",
    ),
    *('"change-me"', "change-me;"),
]


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_a_wrong_key_is_turned_away_without_a_body(client, key):
    response = client.get(
        PATH + "?phoneNumber=0901234567", headers={"X-API-KEY": key.encode("utf-8").decode("latin-1")}
    )
    assert (response.status_code, response.get_data()) == (401, b"")
    assert response.headers["X-Bridge-Outcome"] == "unauthorized"


def test_a_missing_key_is_turned_away_and_nothing_is_said_about_the_query(client):
    for query in ("", "?phoneNumber=0901234567"):
        assert client.get(PATH + query).status_code == 401


def test_every_configured_key_opens(client):
    second = "khoá-hai-is-not-allowed".encode().hex()
    assert client.get(PATH + "?phoneNumber=0901234567", headers={"X-API-KEY": second}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
def test_another_method_is_refused_without_a_body(client, method):
    response = client.open(PATH + "?phoneNumber=0901234567", method=method, headers=KEY)
    assert (response.status_code, response.get_data(), response.headers["Allow"]) == (405, b"", "GET")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/nothing", PATH + "//", "/static/x", PATH + "%00"])
def test_another_path_is_not_found_without_a_body(client, path):
    response = client.get(path, headers=KEY)
    assert (response.status_code, response.get_data()) == (404, b"")


@pytest.mark.parametrize("given", ["abc-123", "x" * 64, 'a;b="c"'])
def test_a_sane_request_id_is_echoed(client, given):
    assert ask(client, **{"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a\tb", "\xe9", "a b", " ", "call-1 found caller=+84901"])
def test_any_other_request_id_is_replaced(client, given):
    made = ask(client, **{"X-Request-ID": given}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_the_log_has_one_line_a_call_with_the_caller_masked(client, caplog):
    with caplog.at_level(logging.INFO):
        ask(client)
    lines = [record.getMessage() for record in caplog.records if record.name == "bridge.web.endpoint"]
    assert len(lines) == 1
    assert "found caller=…567" in lines[0]
    assert "901234567" not in caplog.text


def test_a_call_that_took_more_than_half_its_time_is_warned_of_with_what_was_slow(client, caplog):
    service = client.application.extensions["omi_bridge"].service
    ask(client)
    assert "a slow call" not in caplog.text
    service.deadline = 1e-9  # so that there is no time left to ask
    ask(client)
    warning = next(record for record in caplog.records if "a slow call" in record.getMessage())
    assert warning.levelno == logging.WARNING
    assert "customers: unavailable: no time is left to ask after 0 ms" in warning.getMessage()


def test_a_network_that_is_not_allowed_is_turned_away_before_anything_else(client):
    client.application.extensions["omi_bridge"].service.allow = [ip_network("198.51.100.0/24")]
    for response in (ask(client), client.get("/nothing"), client.post(PATH)):
        assert (response.status_code, response.get_data()) == (403, b"")
        assert response.headers["X-Bridge-Outcome"] == "unauthorized"
    assert ask(client, **{"X-Forwarded-For": "198.51.100.9"}).get_data() == b"101:102"
    assert client.get("/healthz").status_code == 200


def test_the_log_says_where_a_wrong_key_came_from(client, caplog):
    with caplog.at_level(logging.INFO):
        ask(client, **{"X-API-KEY": "wrong", "X-Forwarded-For": "203.0.113.7"})
        client.get(PATH)
    assert "unauthorized caller=- hotline=- answer=- connector=- ms=" in caplog.text
    assert "reason=a wrong key from 203.0.113.7" in caplog.text
    assert "reason=no key from 127.0.0.1" in caplog.text


def test_a_bug_of_our_own_is_an_empty_answer(client, caplog):
    service = client.application.extensions["omi_bridge"].service
    del service.lookup
    response = ask(client)
    assert (response.status_code, response.get_data()) == (200, b"")
    assert response.headers["X-Bridge-Outcome"] == "unavailable"
    assert "AttributeError" in caplog.text


def test_the_body_is_empty_if_it_would_not_be_extensions(client):
    service = client.application.extensions["omi_bridge"].service
    service.lookup = Crooked()
    response = ask(client)
    assert response.get_data() == b""


class Crooked:
    def answer(self, *_args):
        from bridge.lookup.decision import Decision, Outcome  # noqa: PLC0415

        return Decision(Outcome.FOUND, ("101", "<b>"))


def test_json_in_the_query_is_nothing_special(client):
    assert ask(client, "?phoneNumber=" + json.dumps({"$ne": None})).headers["X-Bridge-Outcome"] == "invalid-number"


def test_whoever_listens_badly_costs_no_call_its_answer(client, caplog):
    def listens_badly(_decision, _seconds):
        raise ZeroDivisionError

    bridge, heard = client.application.extensions["omi_bridge"], []
    app = Flask("bridge")
    listeners = (listens_badly, lambda decision, _seconds: heard.append(decision.outcome))
    app.register_blueprint(OwnerEndpoint(PATH, lambda: bridge.service, bridge.incoming, listeners).blueprint())
    assert ask(app.test_client()).get_data() == b"101:102"
    assert heard == [Outcome.FOUND]
    assert "a bug of omi-bridge" in caplog.text


@pytest.mark.parametrize("written", ["0901234567", "%30901234567", "+84901234567", "0901.234-567", "khách", "&a&=b&c"])
def test_a_question_is_read_the_same_ahead_of_the_routes_and_behind_them(client, written):
    bridge = client.application.extensions["omi_bridge"]
    behind = Flask("bridge")
    behind.register_blueprint(OwnerEndpoint(PATH, lambda: bridge.service, bridge.incoming).blueprint())
    query = f"?phoneNumber={written}&amp;sipNumber=842499950291"
    ask(client, query)  # from now on it is remembered
    ahead, told = (ask(one, query, **{"X-Request-ID": "same"}) for one in (client, behind.test_client()))
    assert (ahead.status, ahead.get_data()) == (told.status, told.get_data())
    assert sorted(ahead.headers) == sorted(told.headers)


@pytest.mark.parametrize(
    "query",
    [
        "a=1&b=2&a=3",
        "",
        "&&a=1&",
        "a",
        "a=",
        "=1",
        "a=1=2",
        "a=+84+90",
        "a+b=1&a=1",
        "A=1&a=2",
        "a=1;b=2",
        "a=%31",
        "%61=1",
    ],
)
def test_a_plain_query_is_taken_apart_as_werkzeug_does(query):
    environ = EnvironBuilder(query_string=query).get_environ()
    for name in ("a", "b", "a b", ""):
        assert values(environ, name) == [value for value in Request(environ).args.getlist(name) if value]
