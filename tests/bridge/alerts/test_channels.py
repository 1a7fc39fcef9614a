"""Messages over HTTP, to real servers: what they receive, and what is told when they refuse."""

import json
import os
import time
from dataclasses import replace

import pytest

from bridge.alerts.channels import NotSent, WebhookChannel
from bridge.alerts.message import Change, Kind, Message
from bridge.alerts.ping import PingChannel, answers_at
from bridge.config.alerts import Ping, Webhook
from bridge.sdk.deadline import Deadline
from tests.support.scripted import ScriptedServer, answer, dead_port, then_close
from tests.support.servers import HttpServer, Reply

SINCE, AT = 1_700_000_000.0, 1_700_000_060.0
NEWS = Change(Kind.AGAIN, "connector crm", 'rejected: "401" \\ máy chủ', SINCE, times=7)
OLD = Change(Kind.STILL, "extensions.csv", "cannot be read", SINCE)
MESSAGE = Message("0123456789abcdef", AT, "may-chu-1", "/etc/omi-bridge/config.yaml", "degraded", (NEWS,), (OLD,))


@pytest.fixture(autouse=True)
def _vietnamese_time(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def post(server, seconds=5.0, **keys):
    settings = Webhook.model_validate({"url": f"{server.url}/hooks/hunter2", **keys})
    return WebhookChannel(settings).send(MESSAGE, Deadline.after(seconds))


def refusal(server, seconds=5.0, **keys):
    with pytest.raises(NotSent) as caught:
        post(server, seconds, **keys)
    assert "hunter2" not in str(caught.value)
    return str(caught.value).replace(server.host, "HOST")


def test_a_webhook_gets_the_documented_json():
    with HttpServer(lambda _: Reply(b"ok")) as server:
        receipt = post(server, headers={"Authorization": "Bearer hunter2"})
    assert receipt == (f"{server.host} answered 200", "")
    (asked,) = server.requests
    assert (asked.method, asked.path, asked.headers["Authorization"]) == ("POST", "/hooks/hunter2", "Bearer hunter2")
    assert asked.headers["Content-Type"] == "application/json; charset=utf-8"
    change = {
        "change": "again",
        "part": "connector crm",
        "reason": 'rejected: "401" \\ máy chủ',
        "since": "2023-11-15T05:13:20+07:00",
        "until": None,
        "times": 7,
    }
    other = {**change, "change": "still", "part": "extensions.csv", "reason": "cannot be read", "times": 0}
    assert json.loads(asked.body) == {
        "id": "0123456789abcdef",
        "status": "degraded",
        "subject": "omi-bridge on may-chu-1: degraded: connector crm",
        "text": MESSAGE.text,
        "host": "may-chu-1",
        "file": "/etc/omi-bridge/config.yaml",
        "at": "2023-11-15T05:14:20+07:00",
        "sent_at": "2023-11-15T05:14:20+07:00",
        "changes": [change],
        "troubles": [change, other],
    }


def test_the_text_says_all_that_a_woken_person_needs():
    assert MESSAGE.text == (
        "omi-bridge on may-chu-1: degraded: connector crm\n"
        "/etc/omi-bridge/config.yaml, 2023-11-15 05:14:20 +07:00\n\n"
        'connector crm (again): rejected: "401" \\ máy chủ\n'
        "  Since 2023-11-15 05:13:20 +07:00.\n"
        "  It went and came 7 times.\n\n"
        "Still: extensions.csv: cannot be read\n"
        "  Since 2023-11-15 05:13:20 +07:00.\n\n"
        "What to do: omi-bridge check --online -c /etc/omi-bridge/config.yaml"
    )


@pytest.mark.parametrize(
    ("part", "end"),
    [
        ("api_keys", "  Since 2023-11-15 05:13:20 +07:00."),
        ("server.allow", "  Since 2023-11-15 05:13:20 +07:00."),
        ("alerts.email", "What to do: omi-bridge check --alerts -c /etc/omi-bridge/config.yaml"),
        ("extensions.csv", "What to do: omi-bridge check --online -c /etc/omi-bridge/config.yaml"),
    ],
)
def test_what_to_do_is_said_where_the_command_helps(part, end):
    change = Change(Kind.BEGAN, part, "the last 3 calls came without a key", SINCE)
    assert replace(MESSAGE, changes=(change,), others=()).text.splitlines()[-1] == end


def test_a_chat_gets_the_body_that_it_wants():
    body = {"chat_id": -100123, "text": "{{ text }}", "extra": [{"title": "({{status}}) {{ host }}"}]}
    with HttpServer(lambda _: Reply(b'{"ok": true, "result": {"message_id": 1}}')) as server:
        post(server, body=body)
    (asked,) = server.requests
    extra = [{"title": "(degraded) may-chu-1"}]
    assert json.loads(asked.body) == {"chat_id": -100123, "text": MESSAGE.text, "extra": extra}


NOT_THERE = "HOST answered 404: is 'url' right, and does what it names still exist?"
CHAT = b'{"ok":false,"description":"Bad Request: chat not found"}'
UNFIT = "HOST answered 400: does the receiver take this JSON? 'body' says what it gets"


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, b"no_service", f"{NOT_THERE} It says: no_service"),
        (404, b"<html>Not Found</html>", NOT_THERE),
        (403, b"invalid_token", "HOST answered 403: is the token right, in 'url' or 'headers'? It says: invalid_token"),
        (400, CHAT, f"{UNFIT} It says: {CHAT.decode()}"),
        (429, b"", "HOST answered 429: too many messages just now"),
        (503, b"", "HOST answered 503"),
        (200, CHAT, f"HOST answered 200, but refuses: {CHAT.decode()}"),
        (200, b'{"error":-216,"message":"old"}', 'HOST answered 200, but refuses: {"error":-216,"message":"old"}'),
    ],
)
def test_a_refusal_is_told_with_what_to_do(status, body, told):
    with HttpServer(lambda _: Reply(body, status)) as server:
        assert refusal(server) == told


def test_an_answer_without_an_error_is_none():
    with HttpServer(lambda _: Reply(b'{"error": 0, "errcode": 0, "ok": true}')) as server:
        assert post(server).problem == ""


def test_nobody_is_held_beyond_the_deadline_by_a_server_that_drips():
    started = time.monotonic()
    with ScriptedServer(lambda connection: connection.drip_for_ever(b"HTTP/1.1 200 OK\r\nX: y\r\n")) as server:
        assert refusal(server, 0.4) == "HOST did not answer in time"
    assert time.monotonic() - started < 3


def ping(server, reason="", query=""):
    settings = Ping.model_validate({"url": f"{server.url}/0b3c-hunter2{query}"})
    return PingChannel(settings).send(reason, Deadline.after(5))


def test_a_ping_is_what_healthchecks_expects():
    with HttpServer(lambda _: Reply(b"OK")) as server:
        ping(server)
        ping(server, "connector crm: rejected: máy chủ")
        ping(server, "x", "?create=1")
    told = [(asked.method, asked.path, asked.body.decode()) for asked in server.requests]
    assert told == [
        ("GET", "/0b3c-hunter2", ""),
        ("POST", "/0b3c-hunter2/fail", "connector crm: rejected: máy chủ"),
        ("POST", "/0b3c-hunter2/fail?create=1", "x"),
    ]


def test_a_ping_for_nobody_is_not_taken_for_a_good_one():
    with HttpServer(lambda _: Reply(b"OK (not found)")) as server, pytest.raises(NotSent) as caught:
        ping(server)
    assert str(caught.value) == (f"{server.host} answered 200, but takes no ping (OK (not found)): is 'url' right?")


def test_a_worker_lives_if_it_answers_anything():
    with HttpServer(lambda _: Reply(status=403)) as server:
        assert answers_at(server.host)
        assert answers_at(f"0.0.0.0:{server.host.rpartition(':')[2]}")
    with ScriptedServer(then_close(b"")) as mute:
        assert not answers_at(mute.host)
    with dead_port() as port:
        assert not answers_at(f"127.0.0.1:{port}")


def test_the_way_to_oneself_leads_through_no_proxy(monkeypatch):
    with HttpServer(lambda _: Reply()) as server, dead_port() as port:
        monkeypatch.setitem(os.environ, "http_proxy", f"http://127.0.0.1:{port}")
        assert answers_at(server.host)


def test_a_webhook_is_asked_through_the_proxy_of_the_environment(monkeypatch):
    with ScriptedServer(then_close(answer(b"ok"))) as proxy:
        monkeypatch.setitem(os.environ, "http_proxy", proxy.url)
        settings = Webhook.model_validate({"url": "http://chat.congty.example/hooks/1"})
        WebhookChannel(settings).send(MESSAGE, Deadline.after(5))
    assert proxy.requests[0].startswith(b"POST http://chat.congty.example/hooks/1 ")
