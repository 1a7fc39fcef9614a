"""How many calls may wait for sources at the same time.

Each waiting call holds a thread of the server. If all threads waited, calls that need no source would queue behind
them: so some threads are kept for those, and a call that finds no place to wait is answered at once with what there is.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class AdmissionLimit:
    """A number of places; safe to use from many threads."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @classmethod
    def of(cls, threads: int) -> "AdmissionLimit":
        """Make the room for a server of so many threads: one in eight, two at least, is never used for waiting."""
        return cls(max(1, threads - max(2, threads // 8)))

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Take a place, if there is one, for as long as the block lasts; gives whether there was."""
        taken = self._places.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._places.release()
