"""Tables to start from, for customers and for extensions, with headers that are understood and notes in Vietnamese.

They are files that come along, made by `tests/support/templates.py`: so a workbook needs no library to write it where
it is asked for, and what is given away is what was tried.
"""

from importlib.resources import files
from pathlib import PurePath

KINDS, ENDINGS = ("customers", "extensions"), (".xlsx", ".csv")

NAMES = tuple(f"{kind}{ending}" for kind in KINDS for ending in ENDINGS)
"""What the files are called."""


_LINES = {
    "customers": "connectors:\n  customers: {{type: {type}, path: {path}}}",
    "extensions": "extensions:\n  {type}: {{path: {path}}}",
}


def lines_for(kind: str, path: str) -> str:
    """Return how the configuration names a table of this kind, one of `KINDS`, that lies at `path`."""
    return _LINES[kind].format(type=PurePath(path).suffix[1:].lower(), path=path)


def starter(name: str) -> bytes:
    """Return the file of this name, one of `NAMES`."""
    return (files(__package__) / name).read_bytes()
