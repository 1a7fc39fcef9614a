"""The process that looks at a file: one at a time, so often, for so long; and gone with whatever it has started."""

import json
import os
import sys
import threading
from pathlib import Path

import pytest

from bridge.console.looking import PER_MINUTE, FileLooker
from bridge.insight.client import AnswerRefused
from bridge.sdk.shared import Turns
from bridge.testing.fakes import FakeClock
from tests.support.documents import ROOT
from tests.support.kept import until

WANTED = {"name": "a.csv", "region": "VN", "sheet": "", "phone": "", "owner": ""}


@pytest.fixture
def file():
    with os.fdopen(os.memfd_create("test"), "w+b") as opened:
        opened.write(b"phone,owner\n0901234567,lan\n")
        yield opened


def looker(code="", clock=None, **options):
    """Return what looks by a program of Python instead of our own, if one is given."""
    own = {"command": (sys.executable, "-c", code)} if code else {}
    return FileLooker(Turns(PER_MINUTE, 60.0, clock or FakeClock()), **own, **options)


def refusal(one, file):
    with pytest.raises(AnswerRefused) as raised:
        one.look(file, WANTED)
    return str(raised.value)


def test_a_file_is_looked_at_by_the_real_one(file):
    found = looker().look(file, WANTED)
    assert (found["problem"], found["numbers"], found["owners"]) == ("", 1, 1)


def test_a_cell_far_away_ends_the_process_and_not_this_one():
    with (ROOT / "tests/workbooks/far-cell.xlsx").open("rb") as opened:
        found = looker().look(opened, WANTED | {"name": "a.xlsx"})
    assert found["problem"].startswith("a.xlsx: takes more than 2 GB of memory")


def test_so_many_a_minute_and_no_more(file):
    clock = FakeClock()
    one = looker("print('{}')", clock)
    for _ in range(PER_MINUTE):
        assert one.look(file, WANTED) == {}
    assert refusal(one, file) == "look-often"
    clock.advance(61)
    assert one.look(file, WANTED) == {}


def test_one_at_a_time(file, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    one = looker(f"open({str(tmp_path / 'fifo')!r}).read(); print('{{}}')")
    found = []
    first = threading.Thread(target=lambda: found.append(one.look(file, WANTED)))
    first.start()
    with (tmp_path / "fifo").open("w"):  # opens once the other end is open, too
        assert refusal(one, file) == "look-busy"
    first.join(20)
    assert found == [{}]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os; os.kill(os.getpid(), 9)", "look-memory"),
        ("import os; os.abort()", "look-memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGALRM)", "look-time"),
        ('print(\'{"failed": "look-memory"}\')', "look-memory"),
        ('print(\'{"failed": "bug", "bug": "KeyError in x.py:1"}\')', "bug"),
        ("raise SystemExit(3)", "bug"),
    ],
)
def test_whatever_ends_it_is_told_and_the_next_one_is_looked_at(code, why, file, caplog):
    one = looker(code)
    assert refusal(one, file) == why
    assert refusal(one, file) == why
    assert ("KeyError in x.py:1" in caplog.text) == ("KeyError" in code)


@pytest.mark.system
def test_what_hangs_is_ended_with_what_it_has_started(file, tmp_path):
    start = f"""
import subprocess, sys
wait = "import time; open({str(tmp_path / "begun")!r}, 'w').close(); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", wait])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
child.wait()
"""
    one, refused = looker(start, patience=5.0), []
    thread = threading.Thread(target=lambda: refused.append(refusal(one, file)))
    thread.start()
    until((tmp_path / "begun").exists)
    thread.join(20)
    assert refused == ["look-time"]
    pid = (tmp_path / "pid").read_text(encoding="ascii")
    until(lambda: not Path(f"/proc/{pid}/stat").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text())


def test_what_is_wanted_stands_on_no_command_line(file):
    code = "import sys, json; said = sys.stdin.read(); print(json.dumps({'argv': sys.argv, 'said': said}))"
    found = looker(code).look(file, WANTED | {"name": "planted"})
    assert "planted" not in str(found["argv"])
    assert json.loads(found["said"])["name"] == "planted"
