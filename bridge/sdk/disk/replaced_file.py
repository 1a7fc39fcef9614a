"""A file replaced as a whole: whoever reads it, even after the power failed, finds the old content or the new."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bridge.sdk.disk.own_file import Beginning, Mark, refuse_foreign


def replace_file(path: Path, content: bytes, *, begins: bytes) -> None:
    """Put a file with this content, readable by its owner only, in the place of another.

    Every content that is written there has to begin with `begins`, a few bytes that nobody else's file begins with:
    anything else that stands there is somebody's, and raises OSError, as whatever the disk does.
    """
    if not content.startswith(begins) or not begins:
        raise ValueError("a file has to begin as `begins` says, so that it is known again")
    with replacing(path, Beginning(begins)) as new:
        new.write(content)


@contextlib.contextmanager
def replacing(path: Path, mark: Mark) -> Iterator[BinaryIO]:
    """Give a file to write, readable by its owner only, which then takes the place of one with the same mark.

    Raises OSError; ForeignFileError if what stands there is not ours.
    """
    refuse_foreign(path, mark)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as new:
            yield new
            new.flush()
            os.fsync(new.fileno())
        refuse_foreign(path, mark)  # it may have come meanwhile
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    with contextlib.suppress(OSError):  # the new content is in force, also on a disk that cannot sync a folder
        _sync_folder(path.parent)


def obstacle(path: Path) -> str:
    """Return why this user cannot put a file there, as far as can be told without writing, or nothing."""
    try:
        if not path.parent.is_dir():
            return "its folder is missing"
        if path.exists() and not path.is_file():
            return "it is no file"
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(path.parent, os.W_OK | os.X_OK) else "this user may not write into its folder"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
