"""What the console costs the calls: their p99 while it is asked 50 times a second and traces hang, against without.

    python bench/console.py

The load of calls is the same all the while. Rounds with the console and without it alternate.
"""

import http.client
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from multiprocessing import Event, Process
from multiprocessing.synchronize import Event as EventClass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import requests

sys.path.insert(0, str(Path(__file__).parent.parent))

from figures import percentile, table, verdict

from tests.support.consoled import PASSWORD, SECTION, running_console
from tests.support.service import RunningService

ROUNDS, SECONDS, CALLS, PAGES, BROWSERS = 4, 15.0, 50, 50, 8
MOST = 1.5
CONFIG = """
api_keys: [change-me]
connectors:
  customers: {type: csv, path: customers.csv}
  crm: {type: 'hanging:Hanging', timeout: 10s}
routes:
  - {hotlines: ['19001234'], connectors: [crm]}
  - {connectors: [customers]}
"""
HANGING = """
import time
from bridge.sdk import Connector, ConnectorConfig

class Hanging(Connector):
    Config = ConnectorConfig

    def find_owners(self, call, deadline):
        while not deadline.expired():
            time.sleep(0.05)
        return ()
"""


def main() -> None:
    with TemporaryDirectory() as name:
        config = Path(name) / "config.yaml"
        config.write_text(CONFIG + SECTION, encoding="utf-8")
        config.with_name("customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
        config.with_name("hanging.py").write_text(HANGING, encoding="utf-8")
        with RunningService(config) as service, running_console(config) as address:
            calls(service.port, 2.0)
            rounds = [(calls(service.port), calls_beside(service.port, address)) for _ in range(ROUNDS)]
    rows = [
        [name, *(f"{median(percentile(one, share) for one in times):.2f}" for share in (0.5, 0.99, 1.0))]
        for name, times in zip(("alone", "beside the console"), zip(*rounds, strict=True), strict=True)
    ]
    print(f"milliseconds; {CALLS} calls a second, {PAGES} pages a second of the console, and a trace that hangs")
    table(["the service", "p50", "p99", "longest"], rows)
    ratios = [percentile(loud, 0.99) / percentile(quiet, 0.99) for quiet, loud in rounds]
    verdict("the calls' p99, beside the console against alone", median(ratios), most=MOST)


def calls(port: int, seconds: float = SECONDS) -> list[float]:
    """Call at a steady rate; return how many milliseconds each took."""
    start, times = time.monotonic(), []
    for number in range(int(seconds * CALLS)):
        time.sleep(max(0.0, start + number / CALLS - time.monotonic()))
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request(
            "GET", "/get_owner_contact_by_phone?phoneNumber=0901234567", headers={"X-API-KEY": "change-me"}
        )
        assert connection.getresponse().read() == b"101"
        connection.close()
        times.append((time.monotonic() - began) * 1000)
    return times


def calls_beside(port: int, address: str) -> list[float]:
    with asked(address):
        return calls(port)


@contextmanager
def asked(address: str) -> Iterator[None]:
    """Ask the console for pages, and for traces of a source that hangs, from another process until the block ends."""
    ended = Event()
    process = Process(target=ask, args=(address, ended))
    process.start()
    try:
        yield
    finally:
        ended.set()
        process.join()
    assert process.exitcode == 0


def ask(address: str, ended: EventClass) -> None:
    os.nice(10)  # browsers are on other machines
    browser = requests.Session()
    form = {"password": PASSWORD, "csrf_token": token(browser, f"{address}/sign-in")}
    assert browser.post(f"{address}/sign-in", data=form).ok

    def pages() -> None:
        for page in cycle(("sources", "calls")):
            began = time.monotonic()
            assert browser.get(f"{address}/{page}").ok
            if ended.wait(max(0.0, began + BROWSERS / PAGES - time.monotonic())):
                return

    def traces() -> None:
        form = {"number": "0901234567", "hotline": "19001234", "csrf_token": token(browser, f"{address}/")}
        while not ended.wait(0.2):
            assert browser.post(f"{address}/", data=form).ok

    with ThreadPoolExecutor(BROWSERS + 1) as pool:
        done = [pool.submit(pages) for _ in range(BROWSERS)] + [pool.submit(traces)]
    for one in done:
        one.result()


def token(browser: requests.Session, page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(page).text)
    assert found
    return found[1]


if __name__ == "__main__":
    main()
