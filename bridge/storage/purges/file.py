"""What was purged, for the next start: entries in a file, one behind the other, in times of the wall clock."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.config.sections import PURGED_BEGINS
from bridge.sdk.disk.own_file import Beginning, judged
from bridge.sdk.disk.replaced_file import replace_file
from bridge.storage.purges.marks import ENTRY_SIZE, MOST, Entry, packed, unpacked

_HEAD = len(PURGED_BEGINS)
_LARGEST = 2 * MOST * ENTRY_SIZE
"""Bytes beyond which the file is written anew."""


class PurgeFile:
    """The file at `path`. Whoever writes it keeps others from it meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Sequence[Entry]:
        """Return what stands there. Raises OSError."""
        try:
            return unpacked(self.path.read_bytes()[_HEAD : 2 * _LARGEST])
        except FileNotFoundError:
            return ()

    def add(self, entries: Sequence[Entry], everything: Callable[[], Sequence[Entry]]) -> None:
        """Write entries behind the others; a file that is new, or long, anew with all. Raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        options = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self.path, options, 0o600)
        try:
            size = judged(descriptor, Beginning(PURGED_BEGINS)).st_size
            if size <= _LARGEST and os.pread(descriptor, _HEAD, 0) == PURGED_BEGINS:
                os.ftruncate(descriptor, size - (size - _HEAD) % ENTRY_SIZE)  # what a full disk has cut off
                os.write(descriptor, packed(entries))
                return
        finally:
            os.close(descriptor)
        replace_file(self.path, PURGED_BEGINS + packed(everything()), begins=PURGED_BEGINS)
