"""`omi-bridge check --alerts`: a test message over each channel, and what came back of it."""

import json
import re

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from tests.support.mail_server import MailServer
from tests.support.scripted import dead_port
from tests.support.servers import HttpServer, Reply

SECRET = "planted-secret-4711"


def plain(line):
    return re.sub(r"127\.0\.0\.1:[0-9]+", "HOST", re.sub(r"in [0-9]+ ms", "in N ms", line))


@pytest.fixture
def check(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    file = tmp_path / "config.yaml"

    def run(alerts, *options):
        text = "api_keys: [change-me]\nconnectors: {customers: {type: csv, path: customers.csv}}\n"
        file.write_text(text + (f"alerts: {json.dumps(alerts)}\n" if alerts else ""), encoding="utf-8")
        result = CliRunner().invoke(main, ["check", "-c", str(file), *options], catch_exceptions=False)
        assert SECRET not in result.output
        lines = [line for line in result.output.splitlines() if " alerts" in line or "Error" in line]
        return result.exit_code, [plain(line) for line in lines]

    return run


def email(port):
    return {"host": "127.0.0.1", "port": port, "tls": "none", "from": "a@b.example", "to": "it@congty.example"}


def test_each_channel_gets_a_message_that_says_that_it_is_a_test(check):
    with HttpServer(lambda _: Reply(b"OK")) as server, MailServer() as mails:
        hook, ping = {"url": f"{server.url}/{SECRET}"}, {"url": f"{server.url}/uuid"}
        assert check({"webhook": hook, "email": email(mails.port), "ping": ping}, "--alerts") == (
            0,
            [
                "ok      alerts.webhook: sent: HOST answered 200, in N ms",
                "ok      alerts.email: sent: HOST took it for 1 of 1 mailboxes, in N ms",
                "ok      alerts.ping: sent: HOST answered 200, in N ms",
            ],
        )
    posted = json.loads(server.requests[0].body)
    assert (posted["status"], posted["changes"], posted["troubles"]) == ("test", [], [])
    assert "omi-bridge check --alerts. Nothing is wrong." in posted["text"]
    assert mails.received[0]["Subject"].endswith(": a test")
    assert [(asked.method, asked.path) for asked in server.requests[1:]] == [("GET", "/uuid")]


def test_what_does_not_arrive_has_failed_with_what_to_do(check):
    with HttpServer(lambda _: Reply(b"", 429)) as server, dead_port() as port:
        hook, ping = {"url": f"{server.url}/{SECRET}"}, {"url": f"http://127.0.0.1:{port}/{SECRET}"}
        assert check({"webhook": hook, "email": email(port), "ping": ping}, "--alerts") == (
            1,
            [
                "FAILED  alerts.webhook: not sent: HOST answered 429: too many messages just now",
                "FAILED  alerts.email: not sent: HOST refuses the connection: are 'host' and 'port' right?",
                "FAILED  alerts.ping: not sent: HOST refuses the connection",
            ],
        )


def test_a_mailbox_that_is_refused_is_a_failure_though_another_gets_it(check):
    with MailServer(refused={"old@congty.example": "550 5.1.1 no such user"}) as mails:
        settings = {**email(mails.port), "to": ["it@congty.example", "old@congty.example"]}
        assert check({"email": settings}, "--alerts") == (
            1,
            [
                "ok      alerts.email: sent: HOST took it for 1 of 2 mailboxes, in N ms",
                "FAILED  alerts.email: HOST refuses old@congty.example: 550 5.1.1 no such user",
            ],
        )


@pytest.mark.parametrize("option", [(), ("--online",)])
def test_without_being_asked_to_nothing_is_sent(check, option):
    with HttpServer(lambda _: Reply()) as server:
        told = check({"webhook": {"url": server.url}, "ping": {"url": server.url}}, *option)
    not_tried = [f"ok      alerts.{name}: not tried (--alerts sends a test)" for name in ("webhook", "ping")]
    assert told == (0, not_tried)
    assert server.requests == []


def test_alerts_that_are_not_there_cannot_be_tried(check):
    status, lines = check(None, "--alerts")
    assert status == 2
    assert lines[0].endswith("has no section alerts: docs/alerts.md tells how to write one")


def test_what_sends_is_not_what_opens_nothing(check):
    assert check(None, "--alerts", "--config-only")[0] == 2


def test_a_file_of_somebody_else_where_alerts_are_kept_is_told(check, tmp_path):
    (tmp_path / "alerts.json").write_text('{"mine": 1}')
    with dead_port() as port:
        status, lines = check({"ping": {"url": f"http://127.0.0.1:{port}/"}})
    file = tmp_path / "alerts.json"
    assert status == 1
    told = "there is a file that omi-bridge did not make, and it is left alone: choose another path, or move it away"
    assert lines[0] == f"FAILED  alerts: {file} cannot be written: {told}"
