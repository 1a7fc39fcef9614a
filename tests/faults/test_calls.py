"""Calls that meet: for the same caller, behind a hung CRM, in a route of two connectors."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.faults import extension_of, number
from tests.support.faulty_crm import FaultyCrms
from tests.support.load import LIMIT, Caller, call
from tests.support.service import RunningService
from tests.support.trial import environment

FILE_HOTLINE, BOTH_HOTLINE, CRM_HOTLINE = "02838129001", "02838129002", "02838129003"
IN_FILE = "0987654321"
CONFIG = f"""
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: http://127.0.0.1:{{port}}/owner
    timeout: 4s
    steps:
      - query: {{{{phone: "{{{{{{{{ caller.national }}}}}}}}"}}}}
        records: records
        match: phone
        take: {{{{extension: owner}}}}
  file: {{{{type: csv, path: customers.csv}}}}
routes:
  - {{{{hotlines: {FILE_HOTLINE!r}, connectors: file}}}}
  - {{{{hotlines: {BOTH_HOTLINE!r}, connectors: [crm, file]}}}}
  - {{{{connectors: crm}}}}
"""


def customer(serial: int, hotline: str = CRM_HOTLINE, extension: str | None = None) -> Caller:
    phone = number(77, 1, serial)
    return Caller(phone, hotline, extension_of(phone) if extension is None else extension)


@pytest.fixture
def crm():
    with FaultyCrms(1) as running:
        yield running


@pytest.fixture
def start(tmp_path, crm):
    rows = [f"{customer(serial).phone},999" for serial in range(10)]
    (tmp_path / "customers.csv").write_text("\n".join(["phone,extension", f"{IN_FILE},998", *rows, ""]))
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(port=crm.ports[0]))
    return lambda *options: RunningService(config, *options, environment=environment())


def all_at_once(service, callers):
    """Let everybody call at the same moment."""
    line_up = threading.Barrier(len(callers))

    def call_together(caller):
        line_up.wait()
        return call(service, caller)

    with ThreadPoolExecutor(len(callers)) as pool:
        return list(pool.map(call_together, callers))


def test_fifty_calls_of_one_caller_are_one_request_and_fifty_equal_answers(crm, start):
    crm.show(0, "latency 1 s")
    with start() as service:
        seen = all_at_once(service, [customer(1)] * 50)
        assert [one for one in seen if one.late or not one.right] == []
        assert crm.requests() == [1]


@pytest.mark.parametrize("where", ["in the file", "on the command line"])
def test_callers_who_wait_for_a_hung_crm_keep_nobody_else_waiting_with_few_threads(where, crm, start, tmp_path):
    if where == "in the file":
        with (tmp_path / "config.yaml").open("a") as config:
            config.write("server: {threads: 8}\n")
    with start(*(["--threads", "8"] if where == "on the command line" else [])) as service:
        remembered = [customer(serial) for serial in range(100, 110)]
        assert all(call(service, caller).right for caller in remembered)
        crm.show(0, "hang")
        strangers = [customer(serial) for serial in range(200, 240)]
        from_file = [Caller(IN_FILE, FILE_HOTLINE, "998")] * 10
        seen = all_at_once(service, [*strangers, *remembered, *from_file])
    assert [one for one in seen if one.late or one.wrong] == []
    assert [one for one in seen[len(strangers) :] if not one.right] == []


def test_the_second_connector_answers_in_time_while_the_first_one_hangs(crm, start):
    crm.show(0, "hang")
    with start() as service:
        seen = [call(service, customer(serial, BOTH_HOTLINE, "999")) for serial in range(3)]
    assert [one for one in seen if one.late or not one.right] == [], f"not right within {LIMIT} s"


def test_the_first_connector_wins_although_the_second_one_answers_sooner(crm, start):
    crm.show(0, "latency 1 s")
    with start() as service:
        seen = [call(service, customer(serial, BOTH_HOTLINE)) for serial in range(3)]
    assert [one for one in seen if one.late or not one.right] == []
