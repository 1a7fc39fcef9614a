"""Whose a file is: nothing is overwritten, emptied, deleted or moved that omi-bridge did not make.

A path in a configuration may name anything by a slip: the list of customers, the configuration itself, a link to
either. So each kind of file that is written begins with what nobody else's does, and whoever writes looks for that
first, each time, for files are moved while the service runs. An empty file is ours to use: it may have been made
beforehand, for its rights.
"""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bridge.sdk.disk import in_use

_HEAD = 100  # bytes: SQLite's header (https://sqlite.org/fileformat.html#the_database_header)
_SQLITE = b"SQLite format 3\0"
_COOKIE, _APPLICATION = slice(40, 44), slice(68, 72)

_NOT_OURS = "there is a file that omi-bridge did not make, and it is left alone: choose another path, or move it away"


class ForeignFileError(OSError):
    """What stands at a path is not ours to write; `strerror` says so in words."""

    def __init__(self, told: str) -> None:
        super().__init__(errno.EEXIST, told)


class Mark(Protocol):
    """What tells one kind of our files from anybody else's."""

    def foreign(self, head: bytes) -> str:
        """Say what a file is that begins so and is not ours, nothing if it is; never asked of an empty one."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Our file begins with this text, which its content has to begin with."""

    text: bytes

    def foreign(self, head: bytes) -> str:
        """Tell by the text, also by a part of it alone; zeros are what a power failure leaves of a file."""
        ours = head.startswith(self.text) or self.text.startswith(head) or not any(head)
        return "" if ours else _NOT_OURS


@dataclass(frozen=True, slots=True)
class DatabaseOf:
    """Our file is a database of SQLite with this number (https://sqlite.org/pragma.html#pragma_application_id).

    One without any tables is nobody's yet.
    """

    application: int

    def head(self) -> bytes:
        """Return how such a file begins, as far as it is looked at."""
        head = bytearray(_HEAD)
        head[: len(_SQLITE)] = _SQLITE
        head[_APPLICATION] = self.application.to_bytes(4)
        return bytes(head)

    def foreign(self, head: bytes) -> str:
        """Tell by the header; zeros alone are what a power failure leaves of a file, and nobody's."""
        if head[_APPLICATION] == self.application.to_bytes(4) or not any(head):
            return ""
        if not head.startswith(_SQLITE):
            return _NOT_OURS
        if len(head) == _HEAD and not any(head[_COOKIE] + head[_APPLICATION]):
            return ""
        return "it is another program's database, and left alone: choose another path"


@dataclass(frozen=True, slots=True)
class WithFacts:
    """A copy begins as the file of an admin does: it is ours if what it is a copy of is `known`."""

    known: bool

    def foreign(self, _head: bytes) -> str:
        """Tell by that alone."""
        return "" if self.known else "there is a file that omi-bridge did not make"


def refuse_foreign(path: Path, mark: Mark, *, flags: int = os.O_RDONLY) -> os.stat_result | None:
    """Return what the file at `path` looks like, None if there is none; raises ForeignFileError if it is not ours.

    Links are followed. Raises OSError if it cannot be opened with these `flags`, and never waits, for a pipe neither.
    A database that this process has open is judged by what is known of it.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ForeignFileError("it is no file")
        with in_use.kept_closed(in_use.place_of(status)) as known:
            if known is None:
                return _judged(path, mark, flags)
    except FileNotFoundError:
        return None
    if told := mark.foreign(known):
        raise ForeignFileError(told)
    return status


def _judged(path: Path, mark: Mark, flags: int) -> os.stat_result:
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    try:
        return judged(descriptor, mark)
    finally:
        os.close(descriptor)


def judged(descriptor: int, mark: Mark) -> os.stat_result:
    """Do the same for a file that is open for reading."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise ForeignFileError("it is no file")
    head = os.pread(descriptor, _HEAD, 0)
    if head and (told := mark.foreign(head)):
        raise ForeignFileError(told)
    return status


def reserve_beside(path: Path, ending: str) -> Path:
    """Make an empty file beside `path`, with a name that nothing had before, and return it. Raises OSError."""
    for number in range(1, 1000):
        free = path.with_name(f"{path.name}{ending}" + (f"-{number}" if number > 1 else ""))
        try:
            os.close(os.open(free, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        return free
    raise FileExistsError(errno.EEXIST, f"no name is free beside {path.name}: delete old copies")
