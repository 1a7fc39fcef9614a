"""What a new connection says to the database first: that it only reads, and for how long one query may run.

Our own deadline ends the waiting; these end the work as well, so that a query that nobody waits for any more does not
go on burdening the database. Where such a setting comes from stands beside it.
"""

import math
from collections.abc import Iterator

MOST_ROWS = 100_000
"""Rows that a connection may return at all, where the database can be told: a forgotten WHERE must not fill memory."""


def session_statements(kind: str, timeout: float, server: str = "") -> Iterator[str]:
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
            yield f"SET SESSION sql_select_limit = {MOST_ROWS + 1}, lock_wait_timeout = {math.ceil(timeout)}"
            yield "SET SESSION TRANSACTION READ ONLY"
            yield _mysql_limit(timeout, server)
        case "mssql":  # https://learn.microsoft.com/sql/t-sql/statements/set-lock-timeout-transact-sql
            yield f"SET LOCK_TIMEOUT {milliseconds}"
            yield f"SET ROWCOUNT {MOST_ROWS + 1}"


def _mysql_limit(timeout: float, server: str) -> str:
    """Return how the one and the other are told.

    https://mariadb.com/kb/en/server-system-variables/#max_statement_time
    https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_execution_time
    """
    if "mariadb" in server.lower():
        return f"SET SESSION max_statement_time = {timeout:g}"
    return f"SET SESSION max_execution_time = {math.ceil(timeout * 1000)}"
