"""Two processes of one machine, without a Redis: what a CRM can count happens once, whichever of them is asked."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from bridge.testing import FakeCrm, Reply
from tests.support.kept import until
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
server: {{workers: 2}}
extensions: {{inline: {{lan@congty.example: 101}}}}
connectors:
  crm:
    type: rest
    base_url: {url}
    auth: {{type: oauth2_client_credentials, token_url: "{url}/token", client_id: omi, client_secret: planted-secret}}
    steps:
      - path: search
        query: {{phone: "{{{{ caller.e164 }}}}"}}
        records: items
        match: phone
        take: {{owner_id: owner}}
    users: {{path: users, take: {{owner_id: id, email: email}}, refresh: 1h}}
"""


NO_SIGN_IN = """
api_keys: [change-me]
server: {{workers: {processes}}}
connectors:
  crm:
    type: rest
    base_url: {url}
    steps:
      - path: search
        query: {{phone: "{{{{ caller.e164 }}}}"}}
        records: items
        match: phone
        take: {{extension: owner}}
"""


class Crm:
    """Counts what it is asked, and answers searches when it may."""

    def __init__(self):
        self.asked, self.may_answer, self.fails, self.refuses_at = [], threading.Event(), False, None
        self.may_answer.set()
        self._lock = threading.Lock()

    def __call__(self, request):
        what = request.path.rpartition("/")[2]
        with self._lock:
            self.asked.append(what)
            if self.refuses_at is not None:
                self.refuses_at.append(time.monotonic())
                return Reply(401, {"error": "invalid_client"})
        if self.fails:
            return Reply(status=500)
        match what:
            case "token":
                return {"access_token": f"planted-token-{len(self.asked)}", "expires_in": 3600}
            case "users":
                return [{"id": 7, "email": "lan@congty.example"}]
            case _:
                assert self.may_answer.wait(20)
                return {"items": [{"phone": request.query["phone"], "owner": 7}]}


@pytest.fixture
def crm():
    return Crm()


@pytest.fixture
def service(tmp_path, crm):
    config = tmp_path / "config.yaml"
    with FakeCrm(crm) as server:
        config.write_text(CONFIG.format(url=server.url), encoding="utf-8")
        with RunningService(config) as service:
            service.wait_for_workers(2)
            yield service
            crm.may_answer.set()


@contextmanager
def standing_still(worker):
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


@contextmanager
def all_but(worker, workers):
    """Let one of the processes answer alone."""
    with ExitStack() as stopped:
        for other in workers:
            if other != worker:
                stopped.enter_context(standing_still(other))
        yield


def test_what_one_process_has_heard_the_other_knows_and_both_use_one_sign_in_and_one_list_of_users(service, crm):
    first, second = service.begun
    seen = []
    for other in (second, first):
        with standing_still(other):
            reply = service.ask("0901234567")
            seen.append((reply.body, reply.headers["X-Bridge-Answer"]))
    assert seen == [(b"101", "live"), (b"101", "cached")]
    assert sorted(crm.asked) == ["search", "token", "users"]


def test_fifty_calls_of_a_new_caller_to_both_processes_are_one_question(service, crm):
    until(lambda: len(crm.asked) >= 2)
    with ThreadPoolExecutor(50) as callers:
        crm.may_answer.clear()
        calls = [callers.submit(service.ask, "0901234567") for _ in range(50)]
        until(lambda: "search" in crm.asked)
        crm.may_answer.set()
        bodies = [call.result().body for call in calls]
    assert crm.asked.count("search") == 1
    assert bodies.count(b"101") > 25, "a machine that is too slow may turn some of them away, but not half"


def test_a_process_that_is_killed_while_it_asks_keeps_the_other_waiting_for_no_one(service, crm):
    first, second = service.begun
    crm.may_answer.clear()
    with ThreadPoolExecutor(1) as callers:
        with standing_still(second):
            lost = callers.submit(service.ask, "0901234567")
            until(lambda: "search" in crm.asked)
        os.kill(first, signal.SIGKILL)
        assert isinstance(lost.exception(10), OSError)
    crm.may_answer.set()
    reply = service.ask("0901234567")
    assert (reply.body, reply.headers["X-Bridge-Answer"]) == (b"101", "live")
    assert reply.seconds < 1.0


def asked_in_an_outage(tmp_path, crm, processes):
    """Return how often a CRM that answers nobody any more is asked for eight callers, who go to each in turn."""
    config = tmp_path / "config.yaml"
    with FakeCrm(crm) as server:
        config.write_text(NO_SIGN_IN.format(url=server.url, processes=processes), encoding="utf-8")
        with RunningService(config) as service:
            workers = service.wait_for_workers(processes)
            for number, worker in enumerate(workers):
                with all_but(worker, workers):
                    assert service.ask(f"090123000{number}").body == b"7"
            crm.asked, crm.fails = [], True
            for number in range(8):
                with all_but(workers[number % processes], workers):
                    assert service.ask(f"090123456{number}").body == b""
    return len(crm.asked)


def test_an_outage_costs_the_crm_no_more_requests_with_two_processes_than_with_one(tmp_path):
    alone, two = (asked_in_an_outage(tmp_path, Crm(), processes) for processes in (1, 2))
    assert two <= alone + 1, "a trial more, if the machine is slow"


def test_a_sign_in_that_is_refused_is_not_repeated_by_the_other_process_before_its_time(tmp_path):
    crm, config = Crm(), tmp_path / "config.yaml"
    crm.refuses_at = []
    with FakeCrm(crm) as server:
        config.write_text(CONFIG.format(url=server.url), encoding="utf-8")
        with RunningService(config) as service:
            service.wait_for_workers(2)
            until(lambda: service.ask() and len(crm.refuses_at) >= 4)
    first, second, third, fourth = crm.refuses_at[:4]
    assert (second - first > 0.95, third - second > 1.9, fourth - third > 3.8) == (True, True, True)


def test_a_process_that_stands_still_while_it_tries_a_source_for_all_keeps_the_others_from_it_for_seconds(tmp_path):
    crm, config = Crm(), tmp_path / "config.yaml"
    with FakeCrm(crm) as server:
        config.write_text(NO_SIGN_IN.format(url=server.url, processes=2), encoding="utf-8")
        with RunningService(config) as service:
            holder, other = service.wait_for_workers(2)
            with all_but(holder, [holder, other]):
                crm.fails = True
                for number in range(6):
                    service.ask(f"090123456{number}")
                service.wait_for_log("crm is left alone for a while")
            with standing_still(holder):
                reply = service.ask("0901234000")
                assert "because of" in service.wait_for_log("caller=…000"), "the other leaves it alone as well"
                crm.fails = False
                began = time.monotonic()
                assert service.ask_until("0901234001", b"7").body == b"7"
                assert time.monotonic() - began < 15
                assert reply.body == b""
            until(lambda: service.ask("0901234002").body == b"7")
