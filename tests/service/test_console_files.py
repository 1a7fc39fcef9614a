"""Files that would be too much, sent to the real console: it answers in words, and calls and pages go on meanwhile."""

import re
import statistics
import threading
import time
import zipfile

import pytest
import requests

from bridge.config.values import OMICALL_WAITS
from tests.support.consoled import PASSWORD, running_console, write_config
from tests.support.documents import ROOT
from tests.support.service import RunningService

WORKBOOKS = ROOT / "tests/workbooks"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("console"), "0912345678,minh@congty.example")


@pytest.fixture(scope="module")
def service(config):
    with RunningService(config) as running:
        yield running


@pytest.fixture(scope="module")
def console(config, service):  # noqa: ARG001 - which it asks
    with running_console(config) as address:
        yield address


def bomb(path):
    """Write a workbook that is a thousand times its size: half a gigabyte of blanks before its first row."""
    with (
        zipfile.ZipFile(WORKBOOKS / "xlsxwriter.xlsx") as whole,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in whole.namelist():
            with made.open(name, "w", force_zip64=True) as part:
                for _ in range(500 if name == "xl/worksheets/sheet1.xml" else 0):
                    part.write(b" " * 1_000_000)
                part.write(whole.read(name))
    return path


def seconds_for(ask):
    begun = time.monotonic()
    ask()
    return time.monotonic() - begun


def signed_in(console):
    """Return a browser without pages, which has come in, and the token for its forms."""
    session = requests.Session()

    def token():
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', session.get(f"{console}/").text)[1]

    session.post(f"{console}/sign-in", {"password": PASSWORD, "csrf_token": token()})
    return session, token()


def test_a_bomb_delays_neither_a_call_nor_a_page(console, service, tmp_path):
    """None waits for as long as OMICall does, and most of them as without it."""
    session, token = signed_in(console)
    found, calls, pages = [], [], []

    def look():
        with bomb(tmp_path / "bomb.xlsx").open("rb") as book:
            found.append(session.post(f"{console}/set-up/file", {"csrf_token": token}, files={"file": book}))

    looking = threading.Thread(target=look)
    looking.start()
    while looking.is_alive():
        calls.append(seconds_for(service.ask))
        pages.append(seconds_for(lambda: requests.get(f"{console}/sign-in", timeout=10)))
    assert (found[0].status_code, 'id="found">bomb.xlsx<' in found[0].text) == (200, True)
    assert len(calls) > 5
    assert max(calls) < OMICALL_WAITS
    assert max(pages) < OMICALL_WAITS
    assert statistics.median(calls) < 0.2


def test_100_mb_are_refused_in_words(console):
    session, token = signed_in(console)
    large = {"file": ("customers.csv", b"x" * 100_000_000)}
    answer = session.post(f"{console}/set-up/file", {"csrf_token": token}, files=large)
    assert answer.status_code == 413
    assert "A file of 20 MB at most is looked at here" in answer.text
