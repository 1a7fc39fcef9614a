"""Databases that this process has open: nobody gives up their locks, whatever else looks at the files meanwhile."""

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bridge.config.sections import DECIDED, READ_AHEAD, REMEMBERED
from bridge.observability.decision_table import DecisionTable, KeptDecision
from bridge.sdk.connector import CustomerPage
from bridge.sdk.disk.own_file import Beginning, DatabaseOf, ForeignFileError, refuse_foreign
from bridge.storage.snapshot.generation import Generation, facts_of
from bridge.storage.sqlite_file import SqliteFile, reading
from tests.support.application import opened, reload
from tests.support.known_customers import expecting

ANOTHER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=0)
print(*db.execute("PRAGMA user_version").fetchone())
if len(sys.argv) > 2:
    db.execute(sys.argv[2])
db.close()
"""
CALL = KeptDecision(1.0, "1", "…567", "", "", "found", "101", "live", "crm", 1.0, [])


def another_process(path: Path, *statement: str) -> subprocess.CompletedProcess[str]:
    """Open the database elsewhere, and close it, as whoever forgets a caller does."""
    command = [sys.executable, "-c", ANOTHER, str(path), *statement]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def is_in_use(path: Path) -> bool:
    """Tell whether another process leaves what is written beside the file in its place."""
    another_process(path)
    return Path(f"{path}-wal").exists()


def written(table: DecisionTable) -> None:
    table.write(lambda: [CALL], 10, 0.0)


def test_whoever_looks_at_the_file_leaves_it_in_use(tmp_path):
    path = tmp_path / "decisions.sqlite"
    with closing(SqliteFile(path, DecisionTable)) as file:
        with file.table() as table:
            written(table)
        assert is_in_use(path)
        assert refuse_foreign(path, DatabaseOf(DECIDED)).st_ino == path.stat().st_ino
        with reading(path, DECIDED) as db:
            assert db.execute("SELECT count(*) FROM decisions").fetchone() == (1,)
        with closing(SqliteFile(path, DecisionTable)) as second, second.table() as table:
            written(table)
        assert is_in_use(path)
    assert not is_in_use(path)


@pytest.mark.parametrize("mark", [DatabaseOf(REMEMBERED), Beginning(b"{")], ids=str)
def test_what_is_in_use_is_still_of_its_own_kind(tmp_path, mark):
    path = tmp_path / "decisions.sqlite"
    with closing(SqliteFile(path, DecisionTable)) as file, file.table() as table:
        written(table)
        with pytest.raises(ForeignFileError):
            refuse_foreign(path, mark)
        refuse_foreign(path, DatabaseOf(DECIDED))
    with pytest.raises(ForeignFileError):
        refuse_foreign(path, mark)


def test_a_file_that_was_put_in_the_place_of_one_in_use_is_judged_anew(tmp_path):
    path = tmp_path / "decisions.sqlite"
    with closing(SqliteFile(path, DecisionTable)) as file:
        with file.table() as table:
            written(table)
        path.unlink()
        path.write_text("phone,owner\n")
        with pytest.raises(ForeignFileError):
            refuse_foreign(path, DatabaseOf(DECIDED))


class Customers(list):
    """None at all, who let somebody look while they are being written."""

    def __init__(self, look):
        super().__init__()
        self.look = look

    def __iter__(self):
        self.look()
        return super().__iter__()


def test_what_is_being_read_ahead_is_told_without_giving_up_its_lock(tmp_path):
    path = tmp_path / "crm.snapshot-reading"
    generation = Generation(path)
    seen = []

    def look():
        seen.append(facts_of(path)["seen"])
        refuse_foreign(path, DatabaseOf(READ_AHEAD))
        seen.append(another_process(path, "INSERT OR REPLACE INTO about VALUES ('seen', 2)").stderr)

    with closing(generation):
        generation.tell(seen=1)
        generation.add(CustomerPage(Customers(look)))
    assert seen[0] == 1
    assert "locked" in seen[1]


def test_decisions_are_kept_whoever_comes_after_a_reload(tmp_path):
    config = expecting(tmp_path)
    with opened(config) as app:
        bridge = app.extensions["omi_bridge"]
        ask = {"query_string": {"phoneNumber": "0901234567"}, "headers": {"X-API-KEY": "change-me"}}
        app.test_client().get("/get_owner_contact_by_phone", **ask)
        until_there(config.decisions_file)
        assert reload(bridge)
        assert is_in_use(config.decisions_file)


def until_there(path):
    pause = threading.Event()
    for _ in range(500):
        if Path(f"{path}-wal").exists():
            return
        pause.wait(0.02)
    raise AssertionError("nothing is written")
