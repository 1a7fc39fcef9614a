"""The table of remembered owners in SQLite: a row a caller, every row sealed.

SQLite does not notice a flipped bit, and a wrong owner is worse than none: so each row carries a checksum. Only owners
are kept. "Nobody" lives for a minute, which a restart outlives, and is not used past its life; all that it does here is
take the caller's row away, so that no former owner comes back with a restart.
"""

import json
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import NamedTuple

from bridge.config.identity import fingerprint
from bridge.config.sections import REMEMBERED
from bridge.sdk.connector import Call, Owner, Owners
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.sqlite_file import WrongRows, delete_for_good, number, transaction

_VERSION = 1
_FIELDS = tuple(field.name for field in fields(Owner))
_NEW = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS about (one INTEGER PRIMARY KEY CHECK (one = 1), salt BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS answers (
        source INTEGER, caller TEXT, hotline TEXT, owners TEXT, stored_at REAL, seal INTEGER,
        PRIMARY KEY (source, caller, hotline)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS answers_by_age ON answers (source, stored_at);
    INSERT OR IGNORE INTO about VALUES (1, randomblob(16));
    PRAGMA application_id = {REMEMBERED};
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""  # noqa: S608 - our own numbers


class Key(NamedTuple):
    """Which question: the source's identity (see `bridge.config.identity`), and the call."""

    identity: str
    call: Call


class Kept(NamedTuple):
    """What the source answered, and when it was asked, in seconds of the wall clock."""

    owners: Owners
    stored_at: float


class Limits(NamedTuple):
    """What may stay of one source: nothing stamped before `oldest`, and so many rows, the newest."""

    oldest: float
    rows: int


def _all() -> Callable[[Key], bool]:
    return lambda _key: True


class AnswerTable:
    """The rows in an open database, for one thread; raises sqlite3.Error and WrongRows."""

    APPLICATION = REMEMBERED
    VERSION = _VERSION

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._fingerprints: dict[str, int] = {}
        db.text_factory = lambda text: text.decode("utf-8", "replace")  # what is not UTF-8 does not fit its seal
        db.create_function("seal", 5, _seal, deterministic=True)
        if number(db, "PRAGMA user_version") == 0:
            db.executescript(_NEW)
        self._salt: bytes = db.execute("SELECT salt FROM about").fetchone()[0]

    def rows(self, identity: str, limits: Limits) -> Iterator[tuple[Call, Kept]]:
        """Yield what is kept of a source, the oldest first; raises WrongRows at the end if there are any."""
        source, wrong = self._source(identity), 0
        for caller, hotline, owners, stored_at, seal in self._db.execute(
            "SELECT caller, hotline, owners, stored_at, seal FROM answers"
            " WHERE source = ? AND stored_at >= ? ORDER BY stored_at",
            [source, self._oldest(source, limits)],
        ):
            if seal == _seal(source, caller, hotline, owners, stored_at):
                call = Call(PhoneNumber(caller), PhoneNumber(hotline) if hotline else None)
                yield call, Kept(_owners(owners), stored_at)
            else:
                wrong += 1
        if wrong:
            raise WrongRows(f"{wrong} rows are not what was written")

    def write(self, changes: Mapping[Key, Kept], judge: Callable[[], Callable[[Key], bool]] = _all) -> None:
        """Put answers in the place of those before, all or none.

        `judge` is called once nobody else can write any more, and gives what tells whose may still be written.
        """
        numbers = {key: (self._source(key.identity), *_numbers(key.call)) for key in changes}
        with transaction(self._db):
            may_stay = judge()
            keys = {key: found for key, found in numbers.items() if may_stay(key)}
            kept = ((keys[key], changes[key]) for key in keys)
            rows = [(*call, _text(one.owners), one.stored_at) for call, one in kept if one.owners]
            self._db.executemany("DELETE FROM answers WHERE source = ? AND caller = ? AND hotline = ?", keys.values())
            self._db.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", [(*row, _seal(*row)) for row in rows])

    def forget(self, caller: PhoneNumber) -> int:
        """Delete all rows of a caller, so that the number is gone from the file; return how many there were."""
        return delete_for_good(self._db, "DELETE FROM answers WHERE caller = ?", [caller.e164])

    def prune(self, identities: Collection[str], limits: Limits, now: float, stamp: float) -> None:
        """Delete the rows of all other sources, and of these what is beyond the limits.

        A row from after `now` was written before the clock was set back: its age is unknown. It is stamped `stamp`,
        once, so that it ends like every other.
        """
        sources = [self._source(identity) for identity in identities]
        with transaction(self._db):
            named = ", ".join(map(str, sources))
            self._db.execute(f"DELETE FROM answers WHERE source NOT IN ({named})")  # noqa: S608 - our own numbers
            self._db.execute(
                "UPDATE answers SET stored_at = :stamp, seal = seal(source, caller, hotline, owners, :stamp)"
                " WHERE stored_at > :now AND seal = seal(source, caller, hotline, owners, stored_at)",
                {"now": now, "stamp": stamp},
            )
            for source in sources:
                oldest = self._oldest(source, limits)
                self._db.execute("DELETE FROM answers WHERE source = ? AND stored_at < ?", [source, oldest])

    def _source(self, identity: str) -> int:
        if identity not in self._fingerprints:
            self._fingerprints[identity] = fingerprint(identity, self._salt)
        return self._fingerprints[identity]

    def _oldest(self, source: int, limits: Limits) -> float:
        """Return the stamp from which on rows are within the limits."""
        newest_first = "SELECT stored_at FROM answers WHERE source = ? ORDER BY stored_at DESC LIMIT 1 OFFSET ?"
        last = self._db.execute(newest_first, [source, limits.rows - 1]).fetchone()
        return max(limits.oldest, float(last[0])) if last else limits.oldest


def _numbers(call: Call) -> tuple[str, str]:
    return call.caller.e164, call.hotline.e164 if call.hotline else ""


def _text(owners: Owners) -> str:
    return json.dumps([written_owner(owner) for owner in owners])


def written_owner(owner: Owner) -> dict[str, str]:
    """Return what is kept of an owner; where equal owners are to stay so, the record has to be taken off before."""
    return {name: text for name in _FIELDS if (text := getattr(owner, name)) is not None}


@lru_cache(maxsize=10_000)  # a sales team looks after all customers: few texts, many rows
def _owners(text: str) -> Owners:
    return tuple(Owner(**fields) for fields in json.loads(text))


def _seal(*row: object) -> int:
    return zlib.crc32(repr(row).encode("utf-8", "surrogatepass"))
