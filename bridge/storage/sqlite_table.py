"""What our tables in SQLite have in common: they belong to a file of their own kind, and are written all or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol


class WrongRows(Exception):
    """Rows do not hold what was written."""


class DatabaseTable(Protocol):
    """A table in an open database, for one thread; raises sqlite3.Error and WrongRows."""

    APPLICATION: int
    """What tells our file from somebody else's: https://sqlite.org/pragma.html#pragma_application_id."""

    VERSION: int

    def __init__(self, db: sqlite3.Connection) -> None:
        """Make what is missing in the database."""


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do everything in the block, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def number(db: sqlite3.Connection, question: str) -> int:
    """Return the only number that `question` asks for."""
    return int(db.execute(question).fetchone()[0])
