"""`POST /owner_changed` of the real service: two processes, a restart, a body that drips, two machines with a Redis."""

import http.client
import json
import os
import re
import select
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from bridge.testing import FakeCrm
from tests.support.kept import rows, until
from tests.support.purged import STEPS
from tests.support.redis_server import RunningRedis
from tests.support.service import RunningService

pytestmark = pytest.mark.system

CONFIG = (
    """
api_keys: [change-me]
purge_keys: [planted-purge-key]
server: {{workers: {workers}}}
cache: {{path: answers.db{cache}}}
"""
    + STEPS
)
CALLER = "0901234567"


class Source:
    def __init__(self) -> None:
        self.owner = 7

    def __call__(self, request):
        return {"items": [{"phone": request.query["phone"], "id": 42, "owner": self.owner}]}


@pytest.fixture
def source():
    return Source()


@contextmanager
def running(folder, source, *, workers=1, cache=""):
    folder.mkdir(exist_ok=True)
    with FakeCrm(source) as crm:
        file = folder / "config.yaml"
        file.write_text(CONFIG.format(url=crm.url, workers=workers, cache=cache), encoding="utf-8")
        with RunningService(file) as service:
            yield service


def purge(service: RunningService, content: object = None, query: str = "key=planted-purge-key") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    try:
        body = json.dumps({"record": 42} if content is None else content)
        connection.request("POST", f"/owner_changed?{query}", body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


def answers(service: RunningService, count: int = 1) -> set[tuple[bytes, str]]:
    """Ask over connections of their own, so that every process answers."""
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: service.ask(CALLER), range(count)))
    return {(reply.body, reply.headers["X-Bridge-Answer"]) for reply in replies}


def test_no_process_answers_from_before_once_the_purge_is_answered(tmp_path, source) -> None:
    with running(tmp_path, source, workers=2) as service:
        for owner, body in [(8, b"102"), (7, b"101")] * 5:
            source.owner = owner
            assert purge(service) == 200
            assert {found for found, _ in answers(service, 12)} == {body}


def test_a_killed_process_brings_nothing_back(tmp_path, source) -> None:
    with running(tmp_path, source) as service:
        assert answers(service) == {(b"101", "live")}
        until(lambda: rows(tmp_path / "answers.db") == 1)
        source.owner = 8
        worker = int(re.search(r"pid: (\d+)", service.wait_for_log("Booting worker"))[1])
        assert purge(service) == 200
        os.kill(worker, signal.SIGKILL)
        until(lambda: sum("Booting worker" in line for line in service.log) == 2)
        assert service.ask_until(CALLER, b"102").headers["X-Bridge-Answer"] == "live"


def test_a_restart_brings_nothing_back(tmp_path, source) -> None:
    with running(tmp_path, source) as service:
        assert answers(service) == {(b"101", "live")}
        source.owner = 8
        assert purge(service) == 200
    with running(tmp_path, source) as service:
        assert answers(service) == {(b"102", "live")}


def test_bodies_that_drip_end_after_two_seconds_and_cost_no_call_anything(tmp_path, source) -> None:
    head = b"POST /owner_changed?key=planted-purge-key HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    said: list[bytes] = []
    with running(tmp_path, source) as service, ExitStack() as stack:
        waiting = [stack.enter_context(service.connect(head)) for _ in range(6)]
        began = time.monotonic()
        while waiting and time.monotonic() - began < 10:
            for one in select.select(waiting, [], [], 0.3)[0]:
                said.append(one.recv(100))
                waiting.remove(one)
            for one in waiting:
                with suppress(OSError):
                    one.sendall(b" ")
            assert service.ask(CALLER).seconds < 1
        assert sorted(re.findall(rb"HTTP/1.1 (\d+)", b"".join(said))) == [b"408"] * 4 + [b"429"] * 2
        assert time.monotonic() - began < 5
        assert purge(service) == 200


def test_a_flood_of_purges_makes_no_call_late_and_is_told_to_come_again(tmp_path, source) -> None:
    with running(tmp_path, source, workers=2) as service, ThreadPoolExecutor(8) as pool:
        end = time.monotonic() + 2
        statuses: list[int] = []

        def flood(_: int) -> None:
            while time.monotonic() < end:
                statuses.append(purge(service))

        flooding = [pool.submit(flood, number) for number in range(6)]
        calls = []
        while time.monotonic() < end:
            calls.append(service.ask(CALLER))
        for one in flooding:
            one.result()
    assert {call.body for call in calls} == {b"101"}
    assert max(call.seconds for call in calls) < 1.8
    assert set(statuses) == {200, 429}
    assert statuses.count(200) <= 100 * 4


def test_another_machine_hears_of_it_over_the_redis(tmp_path, source) -> None:
    with RunningRedis() as redis, ExitStack() as stack:
        cache = f", backend: redis, url: '{redis.url}'"
        a, b = (stack.enter_context(running(tmp_path / name, source, cache=cache)) for name in "ab")
        assert {body for one in (a, b) for body, _ in answers(one)} == {b"101"}
        source.owner = 8
        assert purge(a) == 200
        assert answers(a) == {(b"102", "live")}
        assert b.ask_until(CALLER, b"102").body == b"102"
