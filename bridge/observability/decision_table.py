"""The table of decisions in SQLite: a row a call, the oldest make room."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bridge.config.sections import DECIDED
from bridge.storage.sqlite_file import number, transaction

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

    def write(self, decisions: Iterable[KeptDecision], keep: int, oldest: float) -> None:
        """Add decisions, and delete what is older than `oldest` or more than the newest `keep`."""
        columns = ", ".join(KeptDecision._fields)
        places = ", ".join("?" * len(KeptDecision._fields))
        rows = [(*one[:-1], json.dumps(one.because, ensure_ascii=False)) for one in decisions]
        with transaction(self._db):
            self._db.executemany(f"INSERT INTO decisions ({columns}) VALUES ({places})", rows)  # noqa: S608 - our names
            self._db.execute("DELETE FROM decisions WHERE at < ?", [oldest])
            self._db.execute("DELETE FROM decisions WHERE id <= (SELECT max(id) FROM decisions) - ?", [keep])


class Sought(NamedTuple):
    """A caller who is looked for, as he may be written: with a hash, or without one, masked or whole."""

    digest: str
    texts: tuple[str, str]


def decisions(db: sqlite3.Connection, sought: Sought | None, since: float, limit: int) -> Iterator[KeptDecision]:
    """Yield the newest decisions, the newest first; raises sqlite3.Error."""
    chosen = "AND (caller_hash = ? OR caller_hash = '' AND caller IN (?, ?))" if sought else ""
    columns = ", ".join(KeptDecision._fields)
    question = f"SELECT {columns} FROM decisions WHERE at >= ? {chosen} ORDER BY id DESC LIMIT ?"  # noqa: S608 - our names
    for row in db.execute(question, [since, *((sought.digest, *sought.texts) if sought else ()), limit]):
        yield KeptDecision(*row[:-1], json.loads(row[-1]))  # type: ignore[call-arg]  # mypy cannot count the columns
