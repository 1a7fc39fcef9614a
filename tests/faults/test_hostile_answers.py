"""What a CRM sends to cost time makes nobody late whom it does not concern: another hotline, answered from a file.

All of it is worked on in the one process that answers both, and Python runs one thread at a time.
"""

import threading
from itertools import count

import pytest

from tests.support.faulty_crm import FaultyCrms
from tests.support.hostile_answers import HOSTILE
from tests.support.load import Caller, Load
from tests.support.service import RunningService
from tests.support.trial import environment, hotline_of

SECONDS, RATE, HOSTILE_RATE = 2.0, 80.0, 20.0
KINDS = sorted(HOSTILE)
OF_THE_FILE = Caller("0901234567", hotline_of(0), "101")
CONFIG = """
api_keys: [change-me]
connectors:
  customers: {type: csv, path: customers.csv}
"""
CRM = """
  crm%d:
    type: rest
    base_url: http://127.0.0.1:%d/owner
    timeout: 4s
    steps:
      - query: {phone: "{{ caller.national }}"}
        records: records
        match: phone
        take: {extension: owner}
"""
ROUTE = '  - {hotlines: "%s", connectors: %s}\n'


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    (folder / "customers.csv").write_text(f"phone,extension\n{OF_THE_FILE.phone},101\n", encoding="utf-8")
    with FaultyCrms(len(KINDS)) as crms:
        text = CONFIG + "".join(CRM % (line, port) for line, port in enumerate(crms.ports, 1))
        text += "routes:\n" + ROUTE % (OF_THE_FILE.hotline, "customers")
        text += "".join(ROUTE % (hotline_of(line), f"crm{line}") for line in range(1, len(KINDS) + 1))
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        for index, kind in enumerate(KINDS):
            crms.show(index, kind)
        with RunningService(folder / "config.yaml", environment=environment()) as service:
            yield service


@pytest.mark.parametrize(("line", "kind"), list(enumerate(KINDS, 1)), ids=KINDS)
def test_another_hotline_is_answered_in_time_beside(line, kind, service, record_figures):
    strangers = (Caller(f"09{serial:08}", hotline_of(line)) for serial in count(10_000_000))
    with Load(service, strangers.__next__, HOSTILE_RATE), Load(service, lambda: OF_THE_FILE, RATE) as load:
        threading.Event().wait(SECONDS)
    times = sorted(seen.seconds for seen in load.seen)
    lost = [seen for seen in load.seen if seen.late or not seen.right]
    median, slowest = times[len(times) // 2] * 1000, times[-1] * 1000
    record_figures(f"{kind}: {len(lost)} of {len(times)} lost, {median:.0f} ms at the median, {slowest:.0f} ms at most")
    assert lost == []
