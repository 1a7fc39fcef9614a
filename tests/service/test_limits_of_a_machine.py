"""`max_rate` and `max_in_flight` with several processes, against a CRM that counts."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.support.kept import until
from tests.support.servers import HttpServer, Reply
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    {limit}
    steps:
      - path: contacts
        query: {{phone: "{{{{ caller.national }}}}"}}
        records: data
        match: phone
        take: {{extension: owner}}
"""


class Counting:
    """A CRM that knows when it was asked, and how many questions were under way at once."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.most = 0
        self.takes = 0.0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._now = 0
        self._lock = threading.Lock()

    @property
    def under_way(self) -> int:
        return self._now

    def answer(self, asked) -> Reply:
        with self._lock:
            self.times.append(time.monotonic())
            self._now += 1
            self.most = max(self.most, self._now)
        self.may_answer.wait(10)
        threading.Event().wait(self.takes)
        with self._lock:
            self._now -= 1
        phone = asked.path.partition("phone=")[2]
        return Reply(f'{{"data": [{{"phone": "{phone}", "owner": "101"}}]}}'.encode())


@contextmanager
def two_processes(tmp_path, limit):
    crm = Counting()
    with HttpServer(crm.answer) as server:
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG.format(url=server.url, limit=limit), encoding="utf-8")
        with RunningService(config, "--workers", "2", "--threads", "32") as service:
            until(lambda: len(service.workers) == 2)
            try:
                yield service, crm
            finally:
                crm.may_answer.set()


def processor_time(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def outcomes(service: RunningService, numbers: range) -> list[str]:
    with ThreadPoolExecutor(16) as pool:
        replies = pool.map(lambda number: service.ask(f"09012{number:05}"), numbers)
        return [str(reply.headers["X-Bridge-Outcome"]) for reply in replies]


def test_all_processes_together_make_no_more_requests_than_max_rate_allows(tmp_path):
    with two_processes(tmp_path, "max_rate: 8/s") as (service, crm):
        before = {pid: processor_time(pid) for pid in service.workers}
        found = outcomes(service, range(300))
        assert all(processor_time(pid) > then for pid, then in before.items()), "only one of the processes was asked"
    assert found.count("found") == len(crm.times) > 8
    # The CRM sees them with what the network and its own threads add, so a window of its own is a little shorter.
    assert all(later - earlier > 0.85 for earlier, later in zip(crm.times, crm.times[8:], strict=False))


def test_all_processes_together_have_no_more_lookups_under_way_than_max_in_flight_allows(tmp_path):
    with two_processes(tmp_path, "max_in_flight: 3") as (service, crm):
        crm.takes = 0.3
        found = outcomes(service, range(200))
    assert crm.most == 3
    assert set(found) == {"found", "unavailable"}


def test_the_places_of_a_process_that_is_killed_come_back(tmp_path):
    with two_processes(tmp_path, "max_in_flight: 2") as (service, crm):
        crm.may_answer.clear()
        with ThreadPoolExecutor(8) as pool:
            held = [pool.submit(lost, service, f"090123456{number}") for number in range(2)]
            until(lambda: crm.under_way == 2)
            assert set(outcomes(service, range(20))) == {"unavailable"}
            assert len(crm.times) == 2
            for pid in service.workers:
                os.kill(pid, signal.SIGKILL)
            for one in held:
                one.result(10)
        crm.may_answer.set()
        assert again(service, "0912345679") == b"101"


def lost(service: RunningService, phone: str) -> None:
    try:
        service.ask(phone)
    except OSError:
        return


def again(service: RunningService, phone: str) -> bytes:
    """Ask until there is a process that answers."""
    body = b""

    def answered() -> bool:
        nonlocal body
        try:
            body = service.ask(phone).body
        except OSError:
            return False
        return bool(body)

    until(answered, 20)
    return body
