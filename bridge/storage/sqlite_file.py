"""A file in which something survives a restart: found, made, judged, and moved aside when it is damaged.

It is SQLite's, in WAL mode: a crash in the middle of writing loses the last moment and never the file, and several
processes may share it. Somebody else's database is left alone, and so is one of a newer omi-bridge.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from shutil import disk_usage
from typing import Generic, Protocol, TypeVar

from bridge.sdk.disk import in_use
from bridge.sdk.disk.in_use import Place, place_of
from bridge.sdk.disk.own_file import DatabaseOf, Mark, refuse_foreign, reserve_beside
from bridge.sdk.disk.replaced_file import obstacle as obstacle_to_a_file
from bridge.sdk.errors import BridgeError

_log = logging.getLogger(__name__)

_PATIENCE_WITH_LOCKS = 5.0  # seconds
_SMALLEST_DATABASE = 512  # bytes: one page
_NEXT_TO_NOTHING = 1024 * 1024  # bytes
SIDE_FILES = ("-wal", "-shm")
"""The endings of what SQLite keeps beside a file in WAL mode."""

_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    # Our own few statements fail like this only if the tables are not ours any more.
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}
_PLAINLY = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk fails, or is full",
    sqlite3.SQLITE_READONLY: "it may not be written",
    sqlite3.SQLITE_BUSY: "another program has locked it",
    sqlite3.SQLITE_LOCKED: "another program has locked it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
}


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


def delete_for_good(db: sqlite3.Connection, statement: str, values: Sequence[object]) -> int:
    """Delete rows so that nothing of them is left in the file, nor in what lies beside it; return how many there were.

    What was deleted earlier goes with them. Raises sqlite3.Error: if another program reads meanwhile, it has to be
    done again.
    """
    with transaction(db):
        count = db.execute(statement, values).rowcount
    db.execute("VACUUM")
    busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("deleted, but another program still reads what was there: do it again")
    return count


class Unusable(BridgeError):
    """The file cannot be used now; the message says why, for the log."""


class Damaged(Unusable):
    """What stands in the file is not what was written: another one has to be begun."""


T = TypeVar("T", bound=DatabaseTable)


class SqliteFile(Generic[T]):
    """The file at `path` with one kind of table, for one thread.

    Whatever the disk does raises Unusable or Damaged, and nothing else.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._kind = kind
        self._place: Place | None = None
        self._open: Place | None = None
        self._db: sqlite3.Connection | None = None
        self._table: T | None = None

    @contextmanager
    def table(self) -> Iterator[T]:
        """Give the table, opening or making the file if need be; also if it was deleted or replaced meanwhile."""
        with _plainly():
            if self._db and self._place != self._look():
                _log.warning("%s was deleted or replaced: what comes from now on goes to a new one", self._path)
                self.close()
            if self._table is None:
                self.close()
                self._open = self._place = _make(self._path, mark := DatabaseOf(self._kind.APPLICATION))
                in_use.begin(self._open, mark.head())
                self._db = sqlite3.connect(self._path, timeout=_PATIENCE_WITH_LOCKS, isolation_level=None)
                self._table = self._judge(self._db)
            yield self._table

    def set_aside(self) -> str:
        """Move the file away, under a name that nothing had before, and return that."""
        self.close()
        with _plainly():
            if self._place != self._look():
                return "another name by another process"
            refuse_foreign(self._path, DatabaseOf(self._kind.APPLICATION))
            aside = reserve_beside(self._path, f".damaged-{time.strftime('%Y%m%d-%H%M%S')}")
            for suffix in (*SIDE_FILES, ""):  # the file last: a new one must never meet the old one's side files
                with suppress(FileNotFoundError):
                    Path(f"{self._path}{suffix}").rename(f"{aside}{suffix}")
        return aside.name

    def close(self) -> None:
        """Let go of the file."""
        self._table = None
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None
        if self._open is not None:
            in_use.end(self._open)
        self._open = None

    def _judge(self, db: sqlite3.Connection) -> T:
        """Return the table if the file is new or ours."""
        if 0 < self._path.stat().st_size < _SMALLEST_DATABASE:
            raise Damaged("it is cut off")
        if number(db, "PRAGMA schema_version") and number(db, "PRAGMA application_id") != self._kind.APPLICATION:
            raise Unusable("it is another program's database, and left alone: choose another path")
        if not number(db, "PRAGMA application_id"):  # at once and in the file itself, so that it is known as ours
            db.execute(f"PRAGMA application_id = {self._kind.APPLICATION}")
        if number(db, "PRAGMA user_version") > self._kind.VERSION:
            raise Unusable("a newer omi-bridge has made it, and it is left alone: choose another path or delete it")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        return self._kind(db)

    def _look(self) -> Place | None:
        """Tell which file the path means at this moment, None if there is none."""
        try:
            return place_of(self._path.stat())
        except FileNotFoundError:
            return None


def obstacle(path: Path) -> str:
    """Return why this user cannot keep such a file at `path`, as far as can be told without writing, or nothing."""
    if why := obstacle_to_a_file(path):  # SQLite makes files beside it
        return why
    return "this user may not write it" if path.exists() and not os.access(path, os.R_OK | os.W_OK) else ""


def why_without_table(path: Path, free_bytes: Callable[[Path], int] = lambda path: disk_usage(path).free) -> str:
    """Say why a file has no table yet: it is made at once, and the table with what is written first."""
    if free_bytes(path.parent) < _NEXT_TO_NOTHING:
        return f"nothing could be kept in it: the disk of {path.parent} is full"
    return "nothing has been kept in it yet"


@contextmanager
def reading(path: Path, application: int, *, patience: float = _PATIENCE_WITH_LOCKS) -> Iterator[sqlite3.Connection]:
    """Open one of our databases to read in it alone, waiting for locks so many seconds. Raises sqlite3.Error."""
    mark = DatabaseOf(application)
    try:
        refuse_foreign(path, mark)
        place = place_of(path.stat())
    except OSError as error:
        raise sqlite3.OperationalError(error.strerror) from error
    in_use.begin(place, mark.head())
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=patience)) as db:
            yield db
    finally:
        in_use.end(place)


@contextmanager
def _plainly() -> Iterator[None]:
    """Say in our own words what the disk, SQLite or the table raised."""
    try:
        yield
    except OSError as error:
        raise Unusable(error.strerror or str(error)) from error
    except WrongRows as error:
        raise Damaged(str(error)) from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of an extended code is detail
        raise (Damaged if code in _DAMAGE else Unusable)(_PLAINLY.get(code, str(error))) from error


def _make(path: Path, mark: Mark) -> Place:
    """Make an empty file if there is none, and tell which one it is; raises OSError for one that is not ours.

    Callers' numbers are in it: nobody else may read it, nor the side files, which get the rights that it has. That
    holds for an empty one as well, which somebody made beforehand.
    """
    make_empty(path)
    status = refuse_foreign(path, mark, flags=os.O_RDWR) or path.stat()
    for suffix in ("", *SIDE_FILES):
        with suppress(FileNotFoundError):
            _keep_to_its_owner(f"{path}{suffix}")
    return place_of(status)


def make_empty(path: Path) -> None:
    """Make an empty file if there is none; one that is there is not opened. Raises OSError."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _keep_to_its_owner(file: str) -> None:
    """Let nobody but its owner read or write a file. Raises Unusable if others still may."""
    with suppress(PermissionError):
        Path(file).chmod(0o600)
    status = Path(file).stat()
    if status.st_mode & 0o077:
        raise Unusable("others may read it, and this user cannot change that: delete it, or choose another path")
