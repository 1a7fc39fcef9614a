"""Tables to start from, for customers and for extensions, with headers that are understood and notes in Vietnamese.

They are files that come along, made by `tests/support/templates.py`: so a workbook needs no library to write it where
it is asked for, and what is given away is what was tried.
"""

from importlib.resources import files

KINDS, ENDINGS = ("customers", "extensions"), (".xlsx", ".csv")

NAMES = tuple(f"{kind}{ending}" for kind in KINDS for ending in ENDINGS)
"""What the files are called."""


def starter(name: str) -> bytes:
    """Return the file of this name, one of `NAMES`."""
    return (files(__package__) / name).read_bytes()
