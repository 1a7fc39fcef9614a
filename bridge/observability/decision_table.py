"""The table of decisions in SQLite: a row a call, the oldest make room."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from bridge.config.sections import DECIDED
from bridge.storage.sqlite_file import delete_for_good, number, transaction

_VERSION = 1
_NEW = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS decisions (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, request_id TEXT, caller TEXT, caller_hash TEXT,
        hotline TEXT, outcome TEXT, body TEXT, answer TEXT, connector TEXT, milliseconds REAL, because TEXT
    );
    CREATE INDEX IF NOT EXISTS decisions_by_age ON decisions (at);
    PRAGMA application_id = {DECIDED};
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""


class KeptDecision(NamedTuple):
    """A decision as it is kept. `at` is in seconds of the wall clock; what is empty was not known."""

    at: float
    request_id: str
    caller: str
    caller_hash: str
    hotline: str
    outcome: str
    body: str
    answer: str
    connector: str
    milliseconds: float
    because: list[str]


class DecisionTable:
    """The rows in an open database, for one thread; raises sqlite3.Error."""

    APPLICATION = DECIDED
    VERSION = _VERSION

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        if number(db, "PRAGMA user_version") == 0:
            db.executescript(_NEW)

    def write(self, decisions: Callable[[], Iterable[KeptDecision]], keep: int, oldest: float) -> None:
        """Add decisions, and delete what is older than `oldest` or more than the newest `keep`.

        `decisions` is called once nobody else can write any more.
        """
        columns = ", ".join(KeptDecision._fields)
        places = ", ".join("?" * len(KeptDecision._fields))
        with transaction(self._db):
            rows = [(*one[:-1], json.dumps(one.because, ensure_ascii=False)) for one in decisions()]
            self._db.executemany(f"INSERT INTO decisions ({columns}) VALUES ({places})", rows)  # noqa: S608 - our names
            self._db.execute("DELETE FROM decisions WHERE at < ?", [oldest])
            self._db.execute("DELETE FROM decisions WHERE id <= (SELECT max(id) FROM decisions) - ?", [keep])

    def hotlines(self) -> list[str]:
        """Return the hotlines of all calls, in E.164."""
        return [one for (one,) in self._db.execute("SELECT DISTINCT hotline FROM decisions WHERE hotline != ''")]

    def forget(self, sought: "Sought") -> int:
        """Delete all rows that are a caller's or may be, so that nothing is left; return how many there were."""
        condition, values = sought.condition()
        return delete_for_good(self._db, f"DELETE FROM decisions WHERE {condition}", values)  # noqa: S608 - our own text


class Sought(NamedTuple):
    """A caller who is looked for, as he may be written: with a hash, or without one, masked or whole."""

    digests: tuple[str, ...]
    texts: tuple[str, str]

    def condition(self) -> tuple[str, list[str]]:
        """Return what is asked of a row, and the values in it."""
        places = ", ".join("?" * len(self.digests))
        return f"(caller_hash IN ({places}) OR caller_hash = '' AND caller IN (?, ?))", [*self.digests, *self.texts]


class Narrowed(NamedTuple):
    """What else a decision has to be; what is empty may be anything. `owner` is a part of what is said of the owner."""

    outcome: str = ""
    hotline: str = ""
    extension: str = ""
    owner: str = ""

    def condition(self) -> tuple[str, list[str]]:
        """Return what is asked of a row, and the values in it."""
        asked = (
            ("outcome = ?", self.outcome),
            ("hotline = ?", self.hotline),
            ("instr(':' || body || ':', ':' || ? || ':')", self.extension),
            ("instr(lower(because), lower(?))", self.owner),
        )
        chosen = [(part, value) for part, value in asked if value]
        return " AND ".join(part for part, _ in chosen) or "TRUE", [value for _, value in chosen]


ANY = Narrowed()
"""Whatever a decision is."""


def decisions(
    db: sqlite3.Connection,
    sought: Sought | None,
    since: float,
    until: float,
    limit: int,
    narrowed: Narrowed = ANY,
) -> Iterator[KeptDecision]:
    """Yield the newest decisions from `since` on and before `until`, the newest first; raises sqlite3.Error."""
    parts = [one.condition() for one in (sought, narrowed) if one]
    condition = " AND ".join(part for part, _ in parts)
    values = [value for _, found in parts for value in found]
    columns = ", ".join(KeptDecision._fields)
    asked = f"SELECT {columns} FROM decisions WHERE at >= ? AND at < ? AND {condition}"  # noqa: S608 - our names
    # Each process writes its own calls some at a time: rows do not stand in the order of the calls.
    for row in db.execute(f"{asked} ORDER BY at DESC, id DESC LIMIT ?", [since, until, *values, limit]):
        yield KeptDecision(*row[:-1], json.loads(row[-1]))  # type: ignore[call-arg]  # mypy cannot count the columns
