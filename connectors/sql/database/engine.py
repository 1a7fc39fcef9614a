"""SQLAlchemy's engine for a database: a bounded pool, and connections that say first what they have to.

The pool makes a connection in the thread that needs one, so that making it obeys that call's deadline. A new connection
says that it only reads, and for how long one query may run: our own deadline ends the waiting, these end the work as
well, so that a query that nobody waits for any more does not go on burdening the database. Where such a setting comes
from stands beside it.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, QueuePool, create_engine
from sqlalchemy.engine import Engine, make_url

from bridge.sdk import SourceRejected
from connectors.sql.database.address import missing_file, place_of
from connectors.sql.database.connect import OPENERS
from connectors.sql.database.errors import judged
from connectors.sql.database.settings import DatabaseKeys

_OLDEST_CONNECTION = 1800
_UNKNOWN_VARIABLE = 1193
MOST_ROWS = 100_000
"""Rows that a connection may return at all, where the database can be told: a forgotten WHERE must not fill memory."""


def make_engine(keys: DatabaseKeys, timeout: float, places: int, most: int = MOST_ROWS) -> Engine:
    """Return an engine whose pool holds `places` connections at most; `timeout` is that of one query, in seconds.

    A query may return `most` rows, where the database can be told.

    Nothing is connected yet. Needs a `Watchdog` around whatever may connect.
    """
    url, kind = make_url(keys.url), keys.kind
    url = url.set(drivername=url.drivername.replace("mariadb", "mysql"))

    def connect() -> Any:  # noqa: ANN401 - the drivers' own types
        if kind == "sqlite":
            options: dict[str, Any] = {"path": Path(url.database or "")}
        else:
            if missing := missing_file(url.query):
                raise SourceRejected(f"{place_of(keys.url)}: {missing}")
            secret = keys.password.get_secret_value() if keys.password else None
            options = dict(engine.dialect.create_connect_args(url.set(password=secret))[1])
        opened = OPENERS[kind](options, timeout)
        try:
            _begin(opened, keys, timeout, most)
        except BaseException:
            opened.close()
            raise
        return opened

    engine = create_engine(url, creator=connect, hide_parameters=True, **_manners(kind, timeout, places))
    return engine


def _manners(kind: str, timeout: float, places: int) -> dict[str, Any]:
    manners: dict[str, Any] = {"poolclass": NullPool}
    if kind != "sqlite":  # opening a file costs nothing, and one that was replaced has to be seen
        manners = {"poolclass": QueuePool, "pool_size": places, "max_overflow": 0, "pool_timeout": timeout}
        manners |= {"pool_use_lifo": True, "pool_recycle": _OLDEST_CONNECTION, "pool_reset_on_return": None}
    if kind == "postgresql":
        manners |= {"use_native_hstore": False}  # saves a question to each new connection
    if kind in {"mysql", "sqlite"}:  # the others ask in a transaction that is never committed
        manners |= {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    return manners


def _begin(opened: Any, keys: DatabaseKeys, timeout: float, most: int) -> None:  # noqa: ANN401 - the drivers' own types
    """Run what every connection begins with, and then the admin's own statements."""
    server = opened.get_server_info() if keys.kind == "mysql" else ""
    for statement in session_statements(keys.kind, timeout, server, most):
        try:
            _run(opened, statement)
        except Exception as error:
            if error.args[:1] != (_UNKNOWN_VARIABLE,):  # an old server that has no such limit
                raise
    for number, statement in enumerate(keys.on_connect):
        try:
            _run(opened, statement)
        except Exception as error:  # noqa: BLE001 - the drivers raise anything
            raise judged(error, f"{place_of(keys.url)}: on_connect[{number}]") from None
    if keys.kind == "postgresql":  # each question says BEGIN READ ONLY, whatever the one before it changed
        opened.autocommit = False
        opened.read_only = True


def _run(opened: Any, statement: str) -> None:  # noqa: ANN401 - the drivers' own types
    cursor = opened.cursor()
    try:
        cursor.execute(statement)
        if cursor.description:
            cursor.fetchall()
    finally:
        cursor.close()


def session_statements(kind: str, timeout: float, server: str = "", most: int = MOST_ROWS) -> Iterator[str]:
    """Give the statements for a kind of database, by SQLAlchemy's name; `server` is what it says about its version.

    `timeout` is in seconds. A file needs none: it is opened for reading only.
    """
    milliseconds = math.ceil(timeout * 1000)
    match kind:
        case "postgresql":  # https://www.postgresql.org/docs/current/runtime-config-client.html
            yield (
                "SELECT set_config('default_transaction_read_only', 'on', false), "
                f"set_config('statement_timeout', '{milliseconds}', false)"
            )
        case "mysql":
            yield f"SET SESSION sql_select_limit = {most + 1}, lock_wait_timeout = {math.ceil(timeout)}"
            yield "SET SESSION TRANSACTION READ ONLY"
            yield _mysql_limit(timeout, server)
        case "mssql":  # https://learn.microsoft.com/sql/t-sql/statements/set-lock-timeout-transact-sql
            yield f"SET LOCK_TIMEOUT {milliseconds}"
            yield f"SET ROWCOUNT {most + 1}"


def _mysql_limit(timeout: float, server: str) -> str:
    """Return how the one and the other are told.

    https://mariadb.com/kb/en/server-system-variables/#max_statement_time
    https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_execution_time
    """
    if "mariadb" in server.lower():
        return f"SET SESSION max_statement_time = {timeout:g}"
    return f"SET SESSION max_execution_time = {math.ceil(timeout * 1000)}"
