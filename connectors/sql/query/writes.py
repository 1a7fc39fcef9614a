"""What in a query would change something: refused by its text, before the database's own read-only mode sees it.

The text cannot tell everything, and need not: the database's mode and the rights of its user stand behind it. Here
stands what gets past a read-only mode, and what looks like a mistake.
"""

import re
from collections.abc import Sequence

from connectors.sql.query.reading import Piece

_WRITES = frozenset(
    (
        *("INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "CALL", "EXEC", "EXECUTE", "TRUNCATE"),
        *("DROP", "ALTER", "CREATE", "GRANT", "REVOKE", "WAITFOR", "SHUTDOWN"),
    )
)
_BEGINS_A_STATEMENT = frozenset(
    (
        *("BACKUP", "BEGIN", "BULK", "CHECKPOINT", "CLOSE", "COMMIT", "DBCC", "DEALLOCATE", "DECLARE", "DENY"),
        *("DISABLE", "ENABLE", "GOTO", "IF", "KILL", "LOAD", "OPEN", "OPENDATASOURCE", "OPENQUERY", "OPENROWSET"),
        *("PRINT", "RAISERROR", "READTEXT", "RECEIVE", "RECONFIGURE", "RESTORE", "RETURN", "REVERT", "ROLLBACK"),
        *("SAVE", "SEND", "SET", "SETUSER", "THROW", "UPDATETEXT", "USE", "WHILE", "WRITETEXT"),
    )
)
"""For SQL Server alone, where no semicolon has to stand before a second statement; OPENQUERY runs one elsewhere.

https://learn.microsoft.com/sql/t-sql/language-elements/reserved-keywords-transact-sql
"""
_FUNCTIONS = re.compile(
    r"set_config|lo_\w+|lowrite|dblink\w*|pg_(?:terminate|cancel)_backend|pg_(?:reload|rotate|file)_\w+|.*\\.*"
)
"""PostgreSQL's functions that end the read-only mode, or that it does not hold back; U&"set\\005fconfig" hides one.

https://www.postgresql.org/docs/current/functions-admin.html
"""


def check_only_reads(bare: Sequence[Piece], kind: str) -> None:
    """Raise ValueError for what changes something; `bare` are the pieces without blanks, `kind` is the database's."""
    refused = _WRITES | _BEGINS_A_STATEMENT if kind == "mssql" else _WRITES
    before = ""
    for piece, following in zip(bare, [*bare[1:], bare[-1]], strict=True):
        if before != "." and not refused.isdisjoint(piece.words):
            raise ValueError(
                f"{piece.text} belongs to statements that change something, and omi-bridge only reads; "
                "a column or table of that name has to stand in quotes"
            )
        if kind == "postgresql" and following.text == "(" and _FUNCTIONS.fullmatch(piece.named.lower()):
            raise ValueError(
                f"{piece.named} changes something, or lets others do so, and omi-bridge only reads; "
                "what a connection has to be told stands under 'on_connect'"
            )
        before = piece.text
