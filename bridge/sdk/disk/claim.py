"""Work that one process of the machine does for all: whoever holds the lock of a file, until it ends or lets go.

The kernel frees the lock of a process that is killed, so that the next one that looks takes its place.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class Claim:
    """The claim on the lock of the file at `path`, which is made with its folder if it is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None
        self._is_given_up = False
        self.is_elsewhere = False
        """Whether another held it when it was last tried."""

    def take(self) -> bool:
        """Take the lock unless another holds it, or it cannot be made; tell whether it is ours."""
        if self._held is None and not self._is_given_up:
            with suppress(OSError):
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(descriptor)
                    self.is_elsewhere = True
                else:
                    self._held, self.is_elsewhere = descriptor, False
        return self._held is not None

    def let_go(self) -> None:
        """Let another take it, for good: whoever is still at work does not take it back."""
        self._is_given_up = True
        if self._held is not None:
            os.close(self._held)
            self._held = None
