"""Files that are read again when they change or replaced as a whole, and the tables in them. Import from here."""

from bridge.sdk.disk.own_file import ForeignFileError
from bridge.sdk.disk.replaced_file import obstacle, replace_file
from bridge.sdk.files.downloaded_file import place_of
from bridge.sdk.files.settings import FileAddress, FileSettings
from bridge.sdk.files.share_links import Format, is_google_sheet
from bridge.sdk.files.shrinking import Shrinking
from bridge.sdk.files.watched_file import WatchedFile
from bridge.sdk.tables.table import Ending, Problems, Table, read_table

__all__ = [
    "Ending",
    "FileAddress",
    "FileSettings",
    "ForeignFileError",
    "Format",
    "Problems",
    "Shrinking",
    "Table",
    "WatchedFile",
    "is_google_sheet",
    "obstacle",
    "place_of",
    "read_table",
    "replace_file",
]
