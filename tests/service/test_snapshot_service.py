"""Customers of a CRM read ahead by the real service: within `max_rate`, through a kill and through an outage."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

from bridge.testing import FakeCrm, Reply
from tests.support.kept import until
from tests.support.service import RunningService

COUNT, PAGE, RATE = 200_000, 2000, 60
CONFIG = """
api_keys: [change-me]
server: {{workers: 2}}
extensions: {{inline: {{lan@congty.example: 101, minh@congty.example: 102}}}}
connectors:
  crm:
    type: rest
    base_url: {url}
    max_rate: {rate}/s
    max_response_size: 5MB
    snapshot: {{every: 10m}}
    steps:
      - path: search
        query: {{phone: "{{{{ caller.national }}}}"}}
        records: items
        match: phone
        take: {{email: owner}}
    list:
      - like: 1
        path: customers
        query: {{offset: "{{{{ page }}}}"}}
        pages: {{more: "items[{last}]", first: 0, by: {size}}}
        total: total
"""


class Crm:
    """Has so many customers, and knows when it was asked for which page."""

    def __init__(self, number=COUNT, size=PAGE):
        self.pages, self.times, self.owner, self.is_away = [], [], "lan@congty.example", False
        pages = range(0, number, size)
        self._bodies = {first: self._page(first, min(first + size, number), number) for first in pages}

    def __call__(self, request):
        if self.is_away:
            return Reply(503)
        if request.path.endswith("search"):
            return {"items": []}
        first = int(request.query["offset"])
        self.pages.append(first)
        self.times.append(time.monotonic())
        return Reply(body=self._bodies[first]) if first in self._bodies else {"items": [], "total": 0}

    def _page(self, first, last, number):
        items = [{"phone": f"09{at:08}", "owner": self.owner} for at in range(first, last)]
        return json.dumps({"items": items, "total": number}).encode()


@pytest.fixture
def crm():
    return Crm()


def write(folder, url, *, size=PAGE, rate=RATE) -> Path:
    file = folder / "config.yaml"
    file.write_text(CONFIG.format(url=url, rate=rate, size=size, last=size - 1), encoding="utf-8")
    return file


def test_200_000_customers_are_read_within_the_rate_through_a_kill_and_answered_in_an_outage(tmp_path, crm):
    with FakeCrm(crm) as server:
        config = write(tmp_path, server.url)
        with RunningService(config) as service:
            until(lambda: len(crm.pages) >= 50)
            os.kill(service.process.pid, signal.SIGKILL)  # its workers end by themselves
            service.process.wait()
            until(lambda: time.monotonic() - crm.times[-1] > 1.5)
        before = len(crm.pages)
        with RunningService(config) as service:
            until(lambda: service.ask("0900199999").body == b"101", seconds=120)
            others = map("09001{:05}".format, count())  # who was asked for before is remembered for a while
            until(lambda: all(service.ask(next(others)).body == b"101" for _ in range(40)), 60)  # by both processes
            crm.is_away = True
            replies = [service.ask(f"0900{at:06}") for at in (0, 77_777, 123_456, 199_999) for _ in range(3)]
    assert {(one.body, one.headers["X-Bridge-Answer"]) for one in replies} == {(b"101", "snapshot")}
    assert crm.pages[before] > 0
    assert len(crm.pages) - before < COUNT / PAGE
    windows = [sum(at <= other < at + 1 for other in crm.times) for at in crm.times]
    assert max(windows) <= RATE / 2 + 1


def test_with_the_crm_gone_before_the_first_call_a_restarted_service_knows_everybody(tmp_path):
    crm = Crm(100, size=10)
    with FakeCrm(crm) as server:
        config = write(tmp_path, server.url, size=10)
        with RunningService(config) as service:
            assert service.wait_for_log("100 customers with 100 numbers")
        crm.is_away = True
        with RunningService(config) as service:
            replies = [service.ask(f"09{at:08}") for at in range(100)]
            stranger = service.ask("0999999999")
        command = [sys.executable, "-m", "bridge", "lookup", "-c", str(config), "0900000003"]
        looked_up = subprocess.run(command, capture_output=True, text=True, check=False)
    assert {(one.body, one.headers["X-Bridge-Answer"]) for one in replies} == {(b"101", "snapshot")}
    assert looked_up.stdout.strip() == "101"
    assert stranger.headers["X-Bridge-Outcome"] == "unavailable"
