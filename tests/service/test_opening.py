"""A CRM that takes long to sign in to, or is away, while the service starts."""

import re
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


SLOW = """
import pathlib, threading
from bridge.sdk import Connector, ConnectorConfig, Owner

class Slow(Connector):
    Config = ConnectorConfig
    made = 0

    def __init__(self, config):
        super().__init__(config)
        Slow.made += 1  # first where the configuration is checked, before anything listens, then in the worker
        while Slow.made > 1 and not pathlib.Path(__file__).with_name("may-start").exists():
            threading.Event().wait(0.01)

    def find_owners(self, call, deadline):
        return [Owner(extension="101")]
"""


def test_calls_that_came_while_the_service_started_are_each_judged_by_their_own_arrival(tmp_path):
    """OMICall has given the first one up by the time that the service has started; the second has most of his time."""
    (tmp_path / "slow_start.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "config.yaml").write_text(
        "api_keys: [change-me]\nconnectors: {slow: {type: 'slow_start:Slow'}}\n", encoding="utf-8"
    )
    service = RunningService(tmp_path / "config.yaml")
    try:
        service.wait_for_log("Listening at")
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(service.ask, "0901234561")
            threading.Event().wait(1.9)
            second = pool.submit(service.ask, "0901234562")
            threading.Event().wait(0.2)
            (tmp_path / "may-start").touch()
            assert [one.result(20).body for one in (first, second)] == [b"", b"101"]
        waited = [float(re.search("ms=([0-9.]+)", service.wait_for_log(f"caller=…{end} "))[1]) for end in (561, 562)]
    finally:
        service.stop()
    assert waited[0] > 1900
    assert 180 < waited[1] < 1800
