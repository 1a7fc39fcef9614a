"""One generation of a connector's customers as a file: filled page by page, then put in force whole, then only read.

It is SQLite's, so that a lookup needs neither memory nor a start: a million customers are answered at once after a
restart, in ten microseconds, by every process of the machine out of the same pages of the system's cache. What is in
force is never written again: who has it open keeps reading it while another one takes its place. A reading that was
ended finds in its file where to go on. Each row is sealed, for SQLite notices no flipped bit.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from bridge.config.identity import fingerprint
from bridge.config.sections import READ_AHEAD
from bridge.sdk.connector import Customer, CustomerPage, Owner, Owners
from bridge.sdk.disk import in_use
from bridge.sdk.disk.own_file import DatabaseOf, refuse_foreign
from bridge.sdk.disk.replaced_file import replace_file
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.answer_table import written_owner
from bridge.storage.sqlite_file import Damaged, make_empty, reading, transaction

MARK = DatabaseOf(READ_AHEAD)
STAMP_BEGINS = b'{"generation": '
"""How the file begins that says that nothing has changed in a generation since it was read."""

_VERSION = 1
_PATIENCE = 5.0
_UNKNOWN = -1
_MOST_LISTS = 20
_NEW = f"""
    PRAGMA application_id = {READ_AHEAD};
    PRAGMA user_version = {_VERSION};
    CREATE TABLE about (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE owners (id INTEGER PRIMARY KEY, content TEXT UNIQUE, counting TEXT);
    CREATE TABLE numbers (
        number INTEGER, position INTEGER, rank INTEGER, owners INTEGER, seal INTEGER, PRIMARY KEY (number, position)
    ) WITHOUT ROWID;
    CREATE TABLE records (record TEXT PRIMARY KEY, position INTEGER, numbers TEXT) WITHOUT ROWID;
"""
_fingerprint = lru_cache(maxsize=64)(fingerprint)
_FIND = (
    "SELECT rank, numbers.owners, content, seal, counting FROM numbers LEFT JOIN owners ON owners.id = numbers.owners"
    " WHERE number = ? ORDER BY rank, position"
)


_HELD = (
    "SELECT rank, content FROM numbers LEFT JOIN owners ON owners.id = numbers.owners WHERE number = ? AND position = ?"
)


class OwnersOfRank(NamedTuple):
    """What records of one rank say of a number: their owners, and whether that is all of them."""

    owners: Owners
    is_known: bool
    counted: Owners | None
    """Who of them counted when they were read, for when that cannot be told now."""


class Generation:
    """A file that is being filled, for one thread; raises sqlite3.Error and OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        refuse_foreign(path, MARK)
        make_empty(path)
        path.chmod(0o600)
        self._held = in_use.place_of(path.stat())
        in_use.begin(self._held, MARK.head())
        try:
            self._db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        except BaseException:
            in_use.end(self._held)
            raise
        try:
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA secure_delete = ON")
            if self._db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                self._db.executescript(_NEW)
        except BaseException:
            self.close()
            raise
        self._lists: dict[str, int] = {}

    def about(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - a number or a text
        """Return what stands there of the whole."""
        return about(self._db, key, default)

    def tell(self, **values: object) -> None:
        """Write what is known of the whole."""
        self._db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())

    def belongs_to(self, identity: str) -> bool:
        """Tell whether the customers are those of this source."""
        return belongs_to(self._db, identity)

    def begin(self, identity: str, salt: bytes | None, **values: object) -> None:
        """Take note of whose customers they are, and of what else is known of the reading.

        `salt` is that of the generation before: to make another one costs much.
        """
        salt = salt or os.urandom(16)
        self.tell(generation=os.urandom(8).hex(), salt=salt, source=_fingerprint(identity, salt), **values)

    def add(self, page: CustomerPage, **values: object) -> int:
        """Write a page, all of it or nothing, with what is known behind it; return how many records were changed."""
        with transaction(self._db):
            first = self.about("position", 0) + 1
            changed = sum(self._put(customer, first + number) for number, customer in enumerate(page.customers))
            self.tell(position=first + len(page.customers), after=page.after, **values)
        return changed

    def judge(self, counting: Callable[[Owners], Owners]) -> None:
        """Write down who of all owners counts just now."""
        lists = self._db.execute("SELECT id, content FROM owners").fetchall()
        judged = [(text_of(counting(_owners(content))), number) for number, content in lists]
        with transaction(self._db):
            self._db.executemany("UPDATE owners SET counting = ? WHERE id = ?", judged)

    def forget(self, number: int) -> int:
        """Delete a number so that nothing of it is left in the file; return in how many records it was."""
        with transaction(self._db):
            count = self._db.execute("DELETE FROM numbers WHERE number = ?", [number]).rowcount
            held = self._db.execute(
                "SELECT record, numbers FROM records WHERE numbers LIKE ?", [f"%{number}%"]
            ).fetchall()
            for record, numbers in held:
                left = [one for one in json.loads(numbers) if one != number]
                self._db.execute("UPDATE records SET numbers = ? WHERE record = ?", [json.dumps(left), record])
        if count:
            self._db.execute("VACUUM")
        return int(count)

    def size(self) -> int:
        """Return how many numbers there are."""
        return int(self._db.execute("SELECT count(DISTINCT number) FROM numbers").fetchone()[0])

    def digest(self) -> str:
        """Return what tells the numbers from any others."""
        found = sha256()
        for (number,) in self._db.execute("SELECT DISTINCT number FROM numbers ORDER BY number"):
            found.update(b"%d " % number)
        return found.hexdigest()

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        in_use.end(self._held)

    def _put(self, customer: Customer, position: int) -> bool:
        """Put a record in the place of what it was; tell whether it is another one now."""
        find = "SELECT position, numbers FROM records WHERE record = ?"
        before = self._db.execute(find, [customer.record]).fetchone() if customer.record else None
        owners = self._place(customer.owners)
        numbers = [int(number.e164[1:]) for number in customer.numbers]
        if before:
            position = before[0]  # what changed keeps its place in the order
            rows = [(one, position) for one in json.loads(before[1])]
            self._db.executemany("DELETE FROM numbers WHERE number = ? AND position = ?", rows)
        if customer.gone:
            self._db.execute("DELETE FROM records WHERE record = ?", [customer.record])
            return before is not None
        if customer.record:
            row = [customer.record, position, json.dumps(numbers)]
            self._db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", row)
        content = text_of(customer.owners)
        rows_of = [(one, position, customer.rank, owners, _seal(one, customer.rank, content)) for one in numbers]
        self._db.executemany("INSERT OR REPLACE INTO numbers VALUES (?, ?, ?, ?, ?)", rows_of)
        return True

    def _place(self, owners: Owners | None) -> int:
        if owners is None:
            return _UNKNOWN
        content = text_of(owners)
        if content not in self._lists:
            self._db.execute("INSERT OR IGNORE INTO owners (content) VALUES (?)", [content])
            found = self._db.execute("SELECT id FROM owners WHERE content = ?", [content]).fetchone()
            self._lists[content] = int(found[0])
            if len(self._lists) > 100_000:  # noqa: PLR2004 - few people own many customers; some sources differ
                self._lists.clear()
                return int(found[0])
        return self._lists[content]


class InForce:
    """The generation in force at `path`, for many threads: opened again when another one takes its place."""

    def __init__(self, db: sqlite3.Connection, place: tuple[int, int, int]) -> None:
        self._db = db
        self._lock = threading.Lock()
        self.place = place
        self.facts: Mapping[str, Any] = dict(db.execute("SELECT key, value FROM about"))
        self.read_at = float(self.facts.get("read_at", 0.0))
        """Up to when its customers are known, in seconds since 1970: when the last reading of them began."""
        self.done_at = float(self.facts.get("done_at", self.read_at))
        """When the last reading of them, or of what has changed, was complete."""

    @classmethod
    def open(cls, path: Path, identity: str) -> "InForce | None":
        """Return what is in force, None if there is nothing, or another source's. Raises sqlite3.Error and OSError."""
        place = place_of(path)
        if place is None:
            return None
        refuse_foreign(path, MARK)
        # Nobody writes it any more: so no lock is needed, and nothing is looked at but the pages themselves.
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] == _VERSION and belongs_to(db, identity):
                return cls(db, place)
        except BaseException:
            db.close()
            raise
        db.close()
        return None

    def find(self, number: int) -> Sequence[OwnersOfRank]:
        """Return what is said of a number by rank, nothing if it is not there. Raises Damaged and sqlite3.Error."""
        with self._lock:
            rows = self._db.execute(_FIND, [number]).fetchall()
        groups: dict[int, list[tuple[str | None, str | None]]] = {}
        for rank, owners, content, seal, counting in rows:
            if seal != _seal(number, rank, "" if owners == _UNKNOWN else content):
                raise Damaged("a row is not what was written")
            groups.setdefault(rank, []).append((None, None) if owners == _UNKNOWN else (content, counting))
        return [_found(contents) for contents in groups.values()]

    def holds(self, customer: Customer) -> bool:
        """Tell whether a record stands here as it is told."""
        with self._lock:
            found = self._db.execute(
                "SELECT position, numbers FROM records WHERE record = ?", [customer.record]
            ).fetchone()
            if customer.gone or not found:
                return bool(customer.gone and not found)
            position, numbers = found[0], [int(number.e164[1:]) for number in customer.numbers]
            rows = [self._db.execute(_HELD, [number, position]).fetchone() for number in numbers]
        content = None if customer.owners is None else text_of(customer.owners)
        return json.loads(found[1]) == numbers and all(row == (customer.rank, content) for row in rows)

    def numbers(self) -> int:
        """Return how many numbers there are."""
        return int(self.facts.get("numbers", 0))

    def numbers_of(self, record: str) -> Sequence[int]:
        """Return the numbers of a record, in whichever list of the source it stands. Raises sqlite3.Error."""
        named = [record, *(f"{number}:{record}" for number in range(1, _MOST_LISTS + 1))]
        find = f"SELECT numbers FROM records WHERE record IN ({', '.join('?' * len(named))})"  # noqa: S608 - placeholders
        with self._lock:
            found = self._db.execute(find, named).fetchall()
        return [number for (numbers,) in found for number in json.loads(numbers)]

    def look(self, stamp: Path) -> None:
        """Learn up to when nothing has changed."""
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            told = json.loads(stamp.read_bytes()[:1000])
            if told["generation"] == self.facts.get("generation"):
                self.read_at = max(self.read_at, float(told["read_at"]))
                self.done_at = max(self.done_at, self.read_at)

    def stamp(self, stamp: Path, read_at: float) -> None:
        """Tell every process that nothing has changed up to a time. Raises OSError."""
        told = json.dumps({"generation": self.facts.get("generation"), "read_at": read_at})
        replace_file(stamp, told.encode(), begins=STAMP_BEGINS)
        self.read_at = self.done_at = read_at

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._db.close()


def _found(rows: Sequence[tuple[str | None, str | None]]) -> OwnersOfRank:
    owners = dict.fromkeys(owner for content, _ in rows if content is not None for owner in _owners(content))
    counted = None
    if all(counting is not None for _, counting in rows):
        counted = tuple(dict.fromkeys(owner for _, counting in rows for owner in _owners(counting or "[]")))
    return OwnersOfRank(tuple(owners), all(content is not None for content, _ in rows), counted)


def about(db: sqlite3.Connection, key: str, default: Any = None) -> Any:  # noqa: ANN401 - a number or a text
    """Return what stands in a file of the whole."""
    found = db.execute("SELECT value FROM about WHERE key = ?", [key]).fetchone()
    return default if found is None else found[0]


def belongs_to(db: sqlite3.Connection, identity: str) -> bool:
    """Tell whether a file holds the customers of this source (see `bridge.config.identity`)."""
    salt = about(db, "salt")
    return isinstance(salt, bytes) and about(db, "source") == _fingerprint(identity, salt)


def facts_of(path: Path) -> Mapping[str, Any]:
    """Return what stands in a file of the whole, nothing if it cannot be read just now."""
    try:
        with reading(path, READ_AHEAD, patience=0.1) as db:
            return dict(db.execute("SELECT key, value FROM about"))
    except (sqlite3.Error, OSError):
        return {}


def place_of(path: Path) -> tuple[int, int, int] | None:
    """Tell which file the path means at this moment, None if there is none."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_mtime_ns


def replace_changed(path: Path, change: Callable[[Generation], bool]) -> bool:
    """Put a changed copy in the place of the file in force, if `change` says that it is another one; tell whether.

    Raises OSError and sqlite3.Error.
    """
    copy = path.with_name(f"{path.name}.new")
    copy.unlink(missing_ok=True)
    try:
        copy.touch(mode=0o600)
        shutil.copyfile(path, copy)
        generation = Generation(copy)
        try:
            is_changed = change(generation)
        finally:
            generation.close()
        if is_changed:
            put_in_force(copy, path)
    finally:
        copy.unlink(missing_ok=True)
    return is_changed


def put_in_force(new: Path, path: Path) -> None:
    """Put a whole generation in the place of the one in force. Raises OSError."""
    refuse_foreign(path, MARK)
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.replace(path)


def text_of(owners: Owners | None) -> str:
    """Return owners as they are kept: without the customer's record, which makes equal owners differ."""
    if owners is None:
        return ""
    return json.dumps([written_owner(replace(owner, record=None)) for owner in owners], ensure_ascii=False)


@lru_cache(maxsize=10_000)
def _owners(text: str) -> Owners:
    return tuple(Owner(**fields) for fields in json.loads(text))


def _seal(number: int, rank: int, content: str) -> int:
    return zlib.crc32(f"{number} {rank} {content}".encode("utf-8", "surrogatepass"))


def key_of(caller: PhoneNumber) -> int:
    """Return what a number stands under."""
    return int(caller.e164[1:])
