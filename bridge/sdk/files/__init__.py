"""Files that are read again when they change, and the tables in them. Import from here."""

from bridge.sdk.files.watched_file import WatchedFile
from bridge.sdk.tables.table import Ending, Problems, Table, read_table

__all__ = [
    "Ending",
    "Problems",
    "Table",
    "WatchedFile",
    "read_table",
]
