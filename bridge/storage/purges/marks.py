"""Until when what was learnt of somebody may not be used any more: a time for each subject of a purge, as hashes alone.

A subject is a caller, an owner, a record of the source, or the fact that nobody was found. Only so many are kept: the
older half is folded into one time before which everything counts as purged. That costs questions to the source, and
never lets anything old answer.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from bridge.sdk.connector import Owners
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.records import records_of

MOST = 20_000
Entry = tuple[bytes, float]
"""The digest of a subject, and when it was purged."""

EVERYTHING = bytes(16)
"""The digest that stands for every subject there is."""

_ENTRY = struct.Struct("=16sd")
ENTRY_SIZE = _ENTRY.size
_KEY_ID = 2  # bytes
_CALLER, _OWNER, _RECORD, _NOBODY = b"c", b"o", b"r", b"n"


@dataclass(frozen=True, slots=True)
class Purge:
    """What is to be forgotten: callers' numbers, owners by id, e-mail or login, and ids of records."""

    callers: frozenset[PhoneNumber] = frozenset()
    owners: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.callers) + len(self.owners) + len(self.records)

    def digests(self, key: bytes) -> Iterator[bytes]:
        """Give what stands for each subject.

        A record may have got a number since that nobody had, so whoever was nobody's is asked for again.
        """
        yield from (caller_digest(caller, key) for caller in self.callers)
        yield from (_digest(_OWNER, owner.casefold(), key) for owner in self.owners)
        yield from (_digest(_RECORD, record, key) for record in self.records)
        if self.records:
            yield nobody_digest(key)


def caller_digest(caller: PhoneNumber, key: bytes) -> bytes:
    """Return what stands for a caller."""
    return _digest(_CALLER, caller.e164, key)


def digests_of(caller: PhoneNumber, owners: Owners, key: bytes) -> Iterator[bytes]:
    """Give what an answer depends on: its caller, its owners, their records."""
    yield caller_digest(caller, key)
    for owner in owners:
        yield from (_digest(_OWNER, text.casefold(), key) for text in (owner.id, owner.email, owner.login) if text)
        yield from (_digest(_RECORD, record, key) for record in records_of(owner))


def nobody_digest(key: bytes) -> bytes:
    """Return what an answer depends on by which nobody owns the caller: that no record gets his number."""
    return _digest(_NOBODY, "", key)


def told_by(entry: Entry, key: bytes) -> Entry:
    """Return an entry as it counts with this key: made with another one, it may be of anybody."""
    digest, moment = entry
    return (digest if digest[1 : 1 + _KEY_ID] == key[:_KEY_ID] else EVERYTHING), moment


def packed(entries: Iterable[Entry]) -> bytes:
    """Return digests and times as they are kept."""
    return b"".join(_ENTRY.pack(digest, moment) for digest, moment in entries)


def unpacked(content: bytes) -> list[Entry]:
    """Return them again; an entry that is cut off at the end is left out."""
    whole = len(content) - len(content) % _ENTRY.size
    return [(digest, moment) for digest, moment in _ENTRY.iter_unpack(content[:whole])]


class Marks:
    """The times of what was purged; for one thread at a time."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._times: dict[bytes, float] = {}
        self._everything = -inf
        self._of_others = -inf
        self.latest = -inf
        """When something was purged last: what was learnt later may be used in any case."""

    def learn(self, digest: bytes, moment: float) -> None:
        """Take note that something was purged at a moment."""
        self.latest = max(self.latest, moment)
        if digest[:1] != _CALLER:  # whose callers cannot be told from it
            self._of_others = max(self._of_others, moment)
        if digest == EVERYTHING:
            self._everything = max(self._everything, moment)
            return
        self._times[digest] = max(moment, self._times.pop(digest, -inf))  # what is purged again is kept for longest
        if len(self._times) > self._most:
            self._fold()

    def at(self, digest: bytes) -> float:
        """Return when a subject was purged last, minus infinity if it never was."""
        return max(self._everything, self._times.get(digest, -inf))

    def of_caller(self, digest: bytes) -> float:
        """Return when something was purged last that may concern a caller."""
        return max(self._of_others, self.at(digest))

    def entries(self) -> Mapping[bytes, float]:
        """Return all that is known."""
        return self._times if self._everything == -inf else {EVERYTHING: self._everything, **self._times}

    def _fold(self) -> None:
        older = list(self._times)[: self._most // 2]
        self._everything = max(self._everything, *(self._times.pop(digest) for digest in older))


def _digest(kind: bytes, text: str, key: bytes) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return kind + key[:_KEY_ID] + hashlib.blake2b(content, digest_size=15 - _KEY_ID, key=key, person=kind).digest()
