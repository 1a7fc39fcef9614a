"""A CRM that takes long to sign in to, or is away, while the service starts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.support.crm import Crm, Says
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    auth:
      type: login
      request: {{path: login, json: {{password: "{{{{ secrets.password }}}}"}}}}
      take: {{token: token}}
      headers: {{Authorization: "Bearer {{{{ login.token }}}}"}}
    secrets: {{password: planted-password}}
    steps:
      - path: contacts
        query: {{phone: "{{{{ caller.national }}}}"}}
        records: data
        match: phone
        take: {{extension: owner}}
"""


def contacts(asked):
    return {"data": [{"phone": dict(asked.query)["phone"], "owner": "101"}]}


@contextmanager
def running(tmp_path, login):
    with Crm({"login": login, "contacts": contacts}) as crm:
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG.format(url=crm.url), encoding="utf-8")
        with RunningService(config) as service:
            yield service, crm


def test_a_call_waits_for_a_sign_in_that_is_under_way(tmp_path):
    may_sign_in = threading.Event()

    def login(_asked):
        may_sign_in.wait(10)
        return {"token": "planted-token"}

    with running(tmp_path, login) as (service, _), ThreadPoolExecutor(1) as pool:
        reply = pool.submit(service.ask)
        threading.Timer(0.3, may_sign_in.set).start()
        assert reply.result(10).body == b"101"


def test_a_sign_in_that_takes_too_long_makes_no_call_late(tmp_path):
    may_sign_in = threading.Event()

    def login(_asked):
        may_sign_in.wait(10)
        return {"token": "planted-token"}

    with running(tmp_path, login) as (service, _):
        reply = service.ask()
        assert (reply.body, reply.headers["X-Bridge-Outcome"]) == (b"", "unavailable")
        assert reply.seconds < 2
        may_sign_in.set()


def test_a_crm_that_was_away_when_the_service_started_is_used_within_seconds(tmp_path):
    with running(tmp_path, Says(status=503)) as (service, crm):
        for _ in range(20):
            assert service.ask().headers["X-Bridge-Outcome"] == "unavailable"
            threading.Event().wait(0.2)
        crm.scripts["login"] = {"token": "planted-token"}
        replies = []
        while not replies or not replies[-1].body:
            replies.append(service.ask())
            threading.Event().wait(0.1)
            assert len(replies) < 30
