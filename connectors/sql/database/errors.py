"""The one border at which the errors of SQLAlchemy and the drivers become ours.

What decides is the database's own code of the error, not its words, wherever there is one. The words go into the
message, for they name the column that is missing; but never what a query was asked with: long numbers are masked.
"""

import re
import socket
import sqlite3
from collections.abc import Callable, Mapping

from bridge.sdk import SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer

_LONGEST_MESSAGE = 240
_NUMBER = re.compile(r"[0-9](?:[)]?[\s./%-]?[0-9]){5,}")
_HOST = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:[.](?!$)|$)){4}")

_POSTGRESQL_LATER = ("08", "40", "53", "55", "57", "58")
_POSTGRESQL_LATER_WORDS = ("starting up", "shutting down", "recovery", "too many", "connection slots", "not accept")
_POSTGRESQL_NO_SUCH = "42883"
_TEXTS = "parameters are texts: compare CAST(column AS text)"
_MYSQL_LATER = frozenset((1040, 1053, 1203, 1205, 1213, 1226, 1290, 1317, 1836, 1927, 1969, 3024, 4031))
_MYSQL_CLIENT = range(2000, 3000)
_MSSQL_LATER = frozenset((1204, 1205, 1222, 8645, 10928, 10929, 40197, 40501, 40613, 49918, 49919, 49920))
_MSSQL_LIBRARY = range(20000, 20100)
_SQLITE_LATER = frozenset(
    (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CANTOPEN)
)
_SQLITE_WAL = frozenset(
    (sqlite3.SQLITE_READONLY_DIRECTORY, sqlite3.SQLITE_READONLY_CANTINIT, sqlite3.SQLITE_READONLY_RECOVERY)
)
_WAL = (
    ": the file is in WAL mode, where reading writes files beside it: let the service write its folder, or ask a copy"
)

Judgement = tuple[bool, str]
"""Whether asking again later may work, and the database's words."""


class Lost(SourceUnavailable):
    """A connection that had been made was lost; another one may work at once."""


class Unreachable(SourceUnavailable):
    """No connection could be made."""


def judged(error: BaseException, place: str) -> SourceError:
    """Return what an error of a library means; `place` names the database for people."""
    cause = getattr(error, "orig", None) or error
    judge = _JUDGES.get(type(cause).__module__.partition(".")[0])
    if judge is not None:
        later, words = judge(cause)
        return (SourceUnavailable if later else SourceRejected)(f"{place}: {readable(words)}")
    if isinstance(cause, TimeoutError):
        return SourceUnavailable(f"{place}: did not answer in time")
    if isinstance(cause, socket.gaierror):
        return SourceUnavailable(f"{place}: the name of the host cannot be resolved")
    if isinstance(cause, OSError):
        return SourceUnavailable(f"{place}: cannot be reached: {cause.strerror or type(cause).__name__}")
    if isinstance(cause, RuntimeError) and "cryptography" in str(cause):
        return SourceRejected(f"{place}: signing in needs pip install 'pymysql[rsa]', or TLS (?ssl_ca=…)")
    return UnexpectedAnswer(f"{place}: what came cannot be read: {type(cause).__name__}")


def readable(words: str) -> str:
    """Return a database's words on one line, not too long, long numbers masked but for their last three digits.

    A number may be written in groups; a host's address is none.
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    masked = _NUMBER.sub(_masked, line)
    return masked if len(masked) <= _LONGEST_MESSAGE else f"{masked[:_LONGEST_MESSAGE]}…"


def _masked(found: re.Match[str]) -> str:
    return found[0] if _HOST.fullmatch(found[0]) else f"…{''.join(filter(str.isdigit, found[0]))[-3:]}"


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection is gone, beyond what SQLAlchemy knows: the server has just said good-bye."""
    cause = getattr(error, "orig", None) or error
    return bool(getattr(error, "connection_invalidated", False)) or getattr(cause, "sqlstate", None) in {
        *("57P01", "57P02", "57P03", "57P05"),  # shut down by the administrator, after a crash, or when idle
    }


def _postgresql(error: BaseException) -> Judgement:
    """https://www.postgresql.org/docs/current/errcodes-appendix.html; while connecting, libpq tells words alone."""
    state = getattr(error, "sqlstate", None)
    words = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    if state:
        hint = f"; {_TEXTS}" if state == _POSTGRESQL_NO_SUCH and words.startswith("operator") else ""
        return state[:2] in _POSTGRESQL_LATER, f"{words} ({state}){hint}"
    _, fatal, said = words.rpartition("FATAL:")
    if fatal:
        return any(word in said for word in _POSTGRESQL_LATER_WORDS), said
    if "password" in words and "supplied" in words:
        return False, words
    return True, words.rpartition("failed:")[2]


def _mysql(error: BaseException) -> Judgement:
    """https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html and MariaDB's own list."""
    code, words = (*error.args, "", "")[:2]
    later = not isinstance(code, int) or code in _MYSQL_LATER or code in _MYSQL_CLIENT or code == 0
    return later, f"{words or code} ({code})" if words else str(code or "the connection was lost")


def _mssql(error: BaseException) -> Judgement:
    """https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors."""
    told: object = error.args
    while isinstance(told, tuple) and len(told) == 1:
        told = told[0]
    code, words = (*told, b"", b"")[:2] if isinstance(told, tuple) else (0, told)
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    text = text.partition("DB-Lib error message")[0] or "cannot be reached, or did not answer in time"
    later = not isinstance(code, int) or code in _MSSQL_LATER or code in _MSSQL_LIBRARY or code == 0
    return later, f"{text} ({code})"


def _sqlite(error: BaseException) -> Judgement:
    """https://sqlite.org/rescode.html, the primary codes."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    whole = getattr(error, "sqlite_errorcode", 0)
    return code in _SQLITE_LATER, f"{error}{_WAL if whole in _SQLITE_WAL else ''}"


_JUDGES: Mapping[str, Callable[[BaseException], Judgement]] = {
    "psycopg": _postgresql,
    "pymysql": _mysql,
    "pymssql": _mssql,
    "sqlite3": _sqlite,
}
"""By the package that the error comes from."""
