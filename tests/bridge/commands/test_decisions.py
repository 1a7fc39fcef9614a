"""The last decisions are kept, whatever the disk does, and tell afterwards why a call rang where it rang."""

import json
import os
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from bridge.config.sections import Decisions
from bridge.extensions.directory import Reach
from bridge.lookup.answer import Answer, Freshness
from bridge.lookup.decision import Attempt, Decision, Outcome
from bridge.observability.decision_log import DecisionLog
from bridge.sdk.connector import Call, Owner
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.secrets import Redaction
from bridge.storage.forgotten import Forgotten
from bridge.storage.sqlite_file import why_without_table
from tests.support.fakes import FakeClock
from tests.support.kept import until
from tests.support.service import RunningService

SECRET = "planted-secret-4711"
LAN = Owner(email="lan@congty.example")
CONFIG = """
api_keys: [change-me]
{more}
connectors:
  customers: {{type: csv, path: customers.csv}}
extensions:
  inline: {{lan@congty.example: 101}}
"""


def decision(phone="0901234567", hotline="842499950291"):
    call = Call(PhoneNumber.parse(phone), PhoneNumber.parse(hotline))
    attempts = (
        Attempt("crm", SourceUnavailable(f"crm.example answered 503 to {SECRET}"), 0.25),
        Attempt("file", Answer((LAN,), Freshness.LIVE), 0.251),
    )
    return Decision(Outcome.FOUND, ("101",), Freshness.LIVE, "file", "", call, attempts, ((LAN, Reach(("101",))),))


class Kept:
    """A decision log on a disk, and what the command tells of it."""

    def __init__(self, folder: Path, more="", clock=None):
        self.config = folder / "config.yaml"
        self.config.write_text(CONFIG.format(more=more))
        self.file = folder / "decisions.sqlite"
        self.clock = clock

    def keep(self, *decisions, **settings):
        extra = {"wall_clock": self.clock} if self.clock else {}
        log = DecisionLog(Decisions(**settings), self.file, Forgotten(key=b"change-me"), Redaction([SECRET]), **extra)
        log.start()
        for one in decisions:
            log.hear(one, 0.2525)
        log.close()
        return log

    def told(self, *arguments):
        return CliRunner().invoke(main, ["decisions", "-c", str(self.config), *arguments], catch_exceptions=False)

    def callers(self, *arguments):
        return [json.loads(line)["caller"] for line in self.told("--json", *arguments).stdout.splitlines()]


def test_a_decision_says_what_was_asked_what_was_answered_and_why(tmp_path):
    kept = Kept(tmp_path)
    kept.keep(decision())
    told = kept.told().stdout
    assert re.search(r"…567 called \+842499950291: found 101 \(live, file, 252.5 ms\)", told)
    assert "crm: unavailable: crm.example answered 503 to ••• after 250 ms" in told
    assert "file: 1 owner(s), live after 251 ms" in told
    assert "owner email lan@congty.example: extension 101" in told
    assert "901234567" not in told
    found = json.loads(kept.told("--json").stdout)
    assert (found["outcome"], found["body"], found["hotline"]) == ("found", "101", "+842499950291")
    assert b"901234567" not in kept.file.read_bytes()
    assert SECRET.encode() not in kept.file.read_bytes()
    assert oct(kept.file.stat().st_mode)[-3:] == "600"


def test_the_newest_are_kept_and_the_newest_come_first(tmp_path):
    kept = Kept(tmp_path)
    kept.keep(*(decision(f"09012345{n:02}") for n in range(30)), keep=10)
    assert kept.callers() == [f"…5{n:02}" for n in range(29, 19, -1)]
    assert kept.callers("--limit", "2") == ["…529", "…528"]


def test_calls_of_several_processes_are_told_by_when_they_came_and_not_by_when_they_were_written(tmp_path):
    clock = FakeClock()
    one, other = Kept(tmp_path, clock=clock), Kept(tmp_path, clock=clock)
    clock.advance(2)
    one.keep(decision("0901234502"))
    clock.advance(-1)
    other.keep(decision("0901234501"))
    assert one.callers("--limit", "1") == ["…502"]
    assert one.callers() == ["…502", "…501"]


def test_wrong_keys_do_not_push_the_calls_out(tmp_path):
    kept = Kept(tmp_path)
    kept.keep(decision(), *[Decision(Outcome.UNAUTHORIZED)] * 30, keep=10)
    assert kept.callers() == ["…567"]


def test_what_is_older_than_max_age_goes(tmp_path):
    clock = FakeClock()
    kept = Kept(tmp_path, clock=clock)
    kept.keep(decision("0901234501"))
    clock.advance(86401)
    kept.keep(decision("0901234502"), max_age="1d")
    assert kept.callers() == ["…502"]


def test_only_the_last_so_and_so_long_is_told(tmp_path):
    clock = FakeClock()
    kept = Kept(tmp_path, clock=clock)
    kept.keep(decision("0901234501"))
    kept.clock = None
    kept.keep(decision("0901234502"), max_age="366d")
    with closing(sqlite3.connect(kept.file)) as db, db:
        db.execute("UPDATE sqlite_sequence SET seq = seq")
    assert kept.callers("--since", "1h") == ["…502"]


def test_calls_are_asked_for_by_days_and_moments(tmp_path):
    clock = FakeClock()
    kept = Kept(tmp_path, clock=clock)
    clock.advance(datetime(2026, 11, 24, 8).timestamp() - clock())  # noqa: DTZ001 - local time, as it is asked for
    for number in range(4):  # 8 o'clock on four days
        kept.keep(decision(f"090123450{number}"), max_age="366d")
        clock.advance(86400)
    assert kept.callers("--since", "25/11/2026") == ["…503", "…502", "…501"]
    assert kept.callers("--until", "2026-11-25") == ["…501", "…500"]
    assert kept.callers("--since", "2026-11-24T08:30", "--until", "2026-11-26T07:59") == ["…501"]
    assert "--until lies before --since" in kept.told("--since", "today", "--until", "2026-11-24").stderr


@pytest.mark.parametrize(
    ("callers", "found", "note"),
    [("masked", ["…567", "…567"], "all that end in …567"), ("hashed", ["…567"], ""), ("full", ["+84901234567"], "")],
)
def test_a_caller_is_found_as_well_as_he_is_kept(tmp_path, callers, found, note):
    kept = Kept(tmp_path, f"server: {{decisions: {{callers: {callers}}}}}")
    kept.keep(decision("0901234567"), decision("0911111567"), decision("0911111568"), callers=callers)
    assert kept.callers("--caller", "+84 90 123 45 67") == found
    assert note in kept.told("--caller", "0901234567").stderr
    assert (b"901234567" in kept.file.read_bytes()) == (callers == "full")


def test_a_file_that_cannot_be_written_is_told_once_and_costs_nothing_else(tmp_path, caplog):
    kept = Kept(tmp_path)
    kept.file = tmp_path / "no such folder" / "decisions.sqlite"
    log = kept.keep(decision())
    assert "No such file" in log.trouble
    assert caplog.text.count("decisions are not kept") == 1


def test_a_disk_that_takes_decisions_again_is_told(tmp_path, caplog):
    folder = tmp_path / "not mounted yet"
    log = DecisionLog(Decisions(), folder / "decisions.sqlite", Forgotten(key=b"change-me"), Redaction(), pause=0.01)
    with caplog.at_level("INFO"):
        log.start()
        log.hear(decision(), 0.2525)
        until(lambda: log.trouble)
        folder.mkdir()
        until(lambda: not log.trouble)
        log.close()
    assert caplog.text.count("is in use again; 0 entries are missing") == 1


def test_a_file_without_a_table_is_told_with_the_reason(tmp_path):
    kept = Kept(tmp_path)
    kept.file.touch()
    result = kept.told()
    assert (result.exit_code, result.stderr) == (1, f"{kept.file} cannot be read: nothing has been kept in it yet\n")
    full = f"nothing could be kept in it: the disk of {tmp_path} is full"
    assert why_without_table(kept.file, lambda folder: 4096 if folder == tmp_path else 1 << 40) == full


def test_a_file_that_may_not_even_be_looked_for_is_told_without_a_traceback(tmp_path):
    result = Kept(tmp_path, f"server: {{decisions: {{path: {'x' * 300}}}}}").told()
    assert result.exit_code == 1
    assert "cannot be read: File name too long" in result.stderr


def test_a_damaged_file_is_moved_aside(tmp_path, caplog):
    kept = Kept(tmp_path)
    kept.keep(decision())
    kept.file.write_bytes(kept.file.read_bytes()[:100] + b"rubbish" * 1000)
    kept.keep(decision("0901234599"))
    assert "is damaged" in caplog.text
    assert kept.callers() == ["…599"]


def test_another_programs_database_is_left_alone(tmp_path):
    kept = Kept(tmp_path)
    with closing(sqlite3.connect(kept.file)) as db, db:
        db.execute("CREATE TABLE theirs (one)")
    before = kept.file.read_bytes()
    assert "another program's" in kept.keep(decision()).trouble
    assert kept.file.read_bytes() == before


def test_no_decision_yet_is_said(tmp_path):
    result = Kept(tmp_path).told()
    assert result.exit_code == 1
    assert "no call has been answered yet" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["--caller", "lan"], ["--since", "soon"], ["--since", "1h", "--until", "2h"], ["-c", "nowhere.yaml"]]
)
def test_wrong_usage_ends_with_2(tmp_path, arguments):
    assert Kept(tmp_path).told(*arguments).exit_code == 2


def test_the_running_service_keeps_its_decisions_also_when_it_is_killed(tmp_path):
    kept = Kept(tmp_path)
    (tmp_path / "customers.csv").write_text("phone,owner email\n0901234567,lan@congty.example\n")
    with RunningService(kept.config) as service:
        service.ask("0901234567", headers={"X-Request-ID": "call-1"})
        until(lambda: kept.file.exists() and "call-1" in kept.told().stdout)
        os.kill(service.process.pid, 9)
        service.process.wait()
        told = kept.told("--caller", "0901234567").stdout
    assert "…567: found 101 (live, customers," in told
    line = "owner email lan@congty.example in customers.csv:2: extension 101 (extensions.inline lan@congty.example)"
    assert line in told


def test_a_state_directory_is_where_decisions_are_kept_if_systemd_gives_one(tmp_path):
    kept = Kept(tmp_path)
    (tmp_path / "state").mkdir()
    result = CliRunner().invoke(
        main, ["decisions", "-c", str(kept.config)], env={"STATE_DIRECTORY": str(tmp_path / "state")}
    )
    assert "state/decisions.sqlite cannot be read" in result.stderr
