"""Why a file cannot be read, in words from which somebody can mend it: what lies beside it, who may not read what."""

import grp
import os
import pwd
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from bridge.sdk.suggestion import nearest
from bridge.sdk.words import visible

_MOST_BESIDE = 1000
_HOMES = (Path("/root"), Path("/home"))


def why_unreadable(path: Path, error: OSError) -> str:
    """Say why `path` could not be opened or looked at."""
    reason = error.strerror or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return f"there is no such file: {path.absolute()}{what_is_there(path)}"
    if isinstance(error, PermissionError):
        return f"{reason}{who_may_not(path)}"
    return reason


def what_is_there(path: Path) -> str:
    """Return what a missing file may be called instead, or which folder is missing as well, or nothing."""
    path = path.absolute()
    with suppress(OSError):
        if path.is_symlink():
            return f", which is a link to {path.readlink()}"
        if missing := next((folder for folder in reversed(path.parents) if not folder.exists()), None):
            return f"; there is no folder {missing}"
        names = {Path(name).stem: name for name in sorted(_names_beside(path))}
        if any(visible(name) == visible(path.name) and not name.isascii() for name in names.values()):
            told = "a file is there whose name looks the same, with accents or blanks that are stored otherwise"
            return f"; {told}: rename it by typing its name anew"
        same = next((name for stem, name in names.items() if stem.casefold() == path.stem.strip().casefold()), None)
        if found := same or names.get(nearest(path.stem, names) or ""):
            return f", did you mean '{found}'?"
    return ""


def who_may_not(path: Path) -> str:
    """Return which user may not read what, and the command that mends it; nothing if that cannot be told."""
    path = path.absolute()
    closed = next((place for place in _way_to(path) if not _may_pass(place)), None)
    if closed is None:
        return ""
    user, group = _name_of(pwd.getpwuid, os.geteuid()), _name_of(grp.getgrgid, os.getegid())
    told = f": the user {user} may not read {closed}"
    if closed in _HOMES or (closed.is_dir() and closed.parent in _HOMES):
        return f"{told}: move the file out of there, for example to /etc/omi-bridge"
    places = shlex.join(str(place) for place in _way_to(path) if place == closed or closed in place.parents)
    return f"{told}: as root: chgrp {group} {places} && chmod g+rX {places}"


def _way_to(path: Path) -> Iterator[Path]:
    yield from reversed(path.parents)
    yield path


def _may_pass(place: Path) -> bool:
    """Tell whether this user may go through a folder, or read a file."""
    return os.access(place, os.X_OK if place.is_dir() else os.R_OK, effective_ids=True)


def _names_beside(path: Path) -> Iterator[str]:
    with os.scandir(path.parent) as entries:
        yield from (entry.name for entry in islice(entries, _MOST_BESIDE))


def _name_of(entry: Callable[[int], Sequence[object]], number: int) -> object:
    try:
        return entry(number)[0]
    except KeyError:  # in a container a user may have no name
        return number
