"""deploy/haproxy.cfg before two real services: whichever stops, dies, hangs or is still starting, no call notices."""

import os
import signal
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.certificates import make_certificate
from tests.support.kept import until
from tests.support.load import Caller, Load, call
from tests.support.proxies import RunningProxy
from tests.support.servers import HttpServer, Reply
from tests.support.service import RunningService, free_port

CALLER = Caller("0901234567", "02838120000", "101")
RATE = 30.0
CONFIG = """\
api_keys: [change-me]
connectors:
  customers: {type: csv, path: customers.csv}
"""
SIGNS_IN = """\
  crm:
    type: rest
    base_url: %(url)s
    auth: {type: oauth2_client_credentials, token_url: "%(url)s/token", client_id: a, client_secret: bbbbbbbb}
    steps: [{path: contacts, match: phone, take: {owner_id: id}}]
routes: [{connectors: [customers, crm]}]
"""


class Pair:
    """Two services behind HAProxy, and the calls that come meanwhile."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = (free_port(), free_port())
        self.machines = [self.machine(number) for number in (0, 1)]
        self.front = RunningProxy("haproxy", folder, make_certificate(folder), *self.ports)
        self.calls = Load(self.front, lambda: CALLER, RATE)

    def machine(self, number, config="config.yaml"):
        return RunningService(self.folder / config, port=self.ports[number])

    def answered_by(self):
        """Return which machines the next calls reach; none if one of them is not answered."""
        names = [f"asked-{time.monotonic_ns()}" for _ in range(4)]
        if not all(call(self.front, CALLER, name).right for name in names):  # HAProxy has not yet seen who is ready
            return set()
        logs = [self.front.wait_for_log(f"id={name} ") for name in names][-1]
        lines = [line for line in logs.splitlines() if any(f"id={name} " in line for name in names)]
        return {word for line in lines for word in line.split() if word.startswith("bridge=")}

    def wait_for(self, *answering):
        """Wait until these machines are asked and no other."""
        end = time.monotonic() + 20
        while self.answered_by() != {f"bridge={name}" for name in answering}:
            assert time.monotonic() < end, self.front.logs()[-2000:]
            threading.Event().wait(0.1)


@contextmanager
def silent_sign_in():
    """A CRM whose sign-in has no answer before it is let go."""
    go = threading.Event()

    def answer(_):
        go.wait(20)
        return Reply(b'{"access_token": "t", "expires_in": 3600}')

    with HttpServer(answer) as server:
        try:
            yield server.url, go
        finally:
            go.set()


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "customers.csv").write_text(f"phone,extension\n{CALLER.phone},101\n", encoding="utf-8")
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    pair = Pair(tmp_path)
    with pair.machines[0], pair.machines[1], pair.front:
        pair.wait_for("one", "two")
        yield pair


def test_no_call_is_lost_while_one_of_two_machines_stops_and_starts(pair):
    with silent_sign_in() as (crm, go), ExitStack() as machines:
        (pair.folder / "second.yaml").write_text(CONFIG + SIGNS_IN % {"url": crm}, encoding="utf-8")
        with pair.calls:
            down = pair.front.logs().count("bridges/two is DOWN")  # before it had begun, at the first look
            pair.machines[1].stop()
            until(lambda: pair.front.logs().count("bridges/two is DOWN") > down)
            pair.wait_for("one")
            machines.enter_context(pair.machine(1, "second.yaml"))
            assert pair.answered_by() == {"bridge=one"}, "a machine was asked that is not ready"
            go.set()
            pair.wait_for("one", "two")
            pair.machines[0].process.kill()
            pair.wait_for("two")
    assert [seen for seen in pair.calls.seen if seen.late or not seen.right] == []


def test_a_machine_that_hangs_is_left_out_and_no_call_waits_for_it_too_long(pair):
    worker = int(pair.machines[1].wait_for_log("Booting worker with pid").rpartition(" ")[2])
    with pair.calls:
        hung = time.monotonic()
        os.kill(worker, signal.SIGSTOP)
        try:
            pair.front.wait_for_log("bridges/two is DOWN, reason: Layer7 timeout")
        finally:
            os.kill(worker, signal.SIGCONT)
        left_out = time.monotonic()
        pair.wait_for("one", "two")
    assert left_out - hung < 3
    assert [seen for seen in pair.calls.seen if seen.late] == []
    assert {seen.outcome for seen in pair.calls.seen if not seen.right} <= {"unavailable"}
    assert [seen for seen in pair.calls.between(left_out) if not seen.right] == []
