"""The real service tells people what is wrong: once a machine, through the death of workers, a reload and a restart."""

import json
import os
import signal

from tests.support.crm import Crm
from tests.support.kept import until
from tests.support.scrape import scrape_until
from tests.support.servers import HttpServer, Reply
from tests.support.service import RunningService

SECRET = "planted-secret-0123456789"
CRM = {"contacts": {"id": 7, "phone": "0901234567"}}


def write_config(folder, crm, url, extra=""):
    config = folder / "config.yaml"
    config.write_text(
        f"""
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {crm.url}
    timeout: 1s
    steps: [{{path: contacts, query: {{q: "{{{{ caller.e164 }}}}"}}, take: {{owner_id: id}}, match: phone}}]
extensions: {{inline: {{"7": 101}}{extra}}}
alerts:
  for: 1s
  webhook: {{url: "{url}/{SECRET}"}}
  ping: {{url: "{url}/ping", every: 10s}}
""",
        encoding="utf-8",
    )
    return config


def posts(server):
    return [json.loads(asked.body) for asked in server.requests if asked.path == f"/{SECRET}"]


def parts(post):
    """Return what a message is about; a busy machine, whose workers are killed, may tell of more than the list."""
    return [change["part"] for change in post["changes"]]


def pings(server):
    return [(asked.method, asked.path) for asked in server.requests if asked.path.startswith("/ping")]


def is_noted(file):
    """Tell whether the file says that the message was sent, and not only that none was waiting before."""
    text = file.read_text()
    return "extensions.csv" in text and '"waiting": {"webhook": []}' in text


def test_what_is_wrong_is_told_once_by_all_workers_through_deaths_and_restarts(tmp_path):
    with Crm(CRM) as crm, HttpServer(lambda _: Reply(b"OK")) as chat:
        config = write_config(tmp_path, crm, chat.url, ", csv: {path: missing.csv}")
        (tmp_path / "missing.csv").write_text("owner,extension\n8,102\n", encoding="utf-8")
        with RunningService(config, "--workers", "2") as service:
            until(lambda: pings(chat))
            assert posts(chat) == []
            (tmp_path / "missing.csv").unlink()
            service.wait_for_log("alerts.webhook: sent: omi-bridge on .*: degraded: extensions.csv")
            until(lambda: ("POST", "/ping/fail") in pings(chat))
            until(lambda: is_noted(tmp_path / "alerts.json"))
            service.wait_for_workers(2)
            for pid in service.begun[:2]:
                os.kill(pid, signal.SIGKILL)
            service.wait_for_workers(4)
            service.hang_up()
            found = scrape_until(
                service, lambda found: found("omi_bridge_alerts_total", channel="webhook", result="sent") > 0
            )
            assert found("omi_bridge_alerts_total", channel="webhook", result="sent") == len(posts(chat))
            assert service.stop() == 0
            assert SECRET not in "\n".join(service.log)
        with RunningService(config, "--workers", "2") as service:
            before = len(pings(chat))
            until(lambda: len(pings(chat)) > before)
        (told,) = [post for post in posts(chat) if "extensions.csv" in parts(post)]
    assert told["status"] == "degraded"
    assert told["file"] == str(config)
    assert (tmp_path / "alerts.json").exists()
