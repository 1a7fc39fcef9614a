"""Standard error, which nobody may read: writing to it makes no process wait, neither the master nor one that answers.

Whoever should read it may stop reading, and a write then waits for ever; the disk of the file that it goes to may be
full or hang. So from `write_behind` on each process has a thread that alone may have to wait. What cannot be written is
lost, counted, and told as soon as lines flow again. A process that was forked begins anew: neither threads nor the
lines of its parent come along.
"""

import io
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

_MOST_WAITING = 10_000  # lines
_MANY_WAITING = 1_000
_PATIENCE_AT_END = 1.0
_REST = 0.05
"""Seconds in which more may come before what has come is written: nobody's answer waits for the thread meanwhile."""
_CHUNK = select.PIPE_BUF
"""Bytes that a pipe which is ready takes without making anybody wait (pipe(7))."""


class StandardError:
    """Writes each line at once or, from `write_behind` on, in a thread of its own.

    `missing` makes the line that tells how many were lost.
    """

    def __init__(self, descriptor: int = 2) -> None:
        self.descriptor = descriptor  # and not `sys.stderr`, which may be another's, or closed
        self.missing: Callable[[int], str] = "{} lines are missing here\n".format
        self._behind = False
        self._begin_anew()

    def write_behind(self) -> None:
        """From now on make nobody wait, also in processes that are forked from this one."""
        if not self._behind:
            self._behind = True
            os.register_at_fork(after_in_child=self._begin_anew)

    def put(self, line: str) -> None:
        """Write one line, or more than one."""
        if not self._behind:
            self._write(line)
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting.append(line)
            if self._thread or self._started():
                if not self._work.is_set():  # setting it costs more than looking
                    self._work.set()
                if len(self._waiting) > _MANY_WAITING and not self._hurry.is_set():
                    self._hurry.set()
            else:
                self._write_what_waits(self._write_what_fits)
        else:
            self._lost += 1

    def flush(self) -> None:
        """Wait until everything is written, for a second at most."""
        if self._thread is not None and self._thread.is_alive():
            self._done.clear()
            self._hurry.set()
            self._work.set()
            self._done.wait(_PATIENCE_AT_END)

    def _begin_anew(self) -> None:
        self._waiting: deque[str] = deque()
        self._lost = 0
        self._work, self._done, self._hurry = threading.Event(), threading.Event(), threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def _started(self) -> bool:
        """Start the thread, if there is one to be had: else the next line tries again."""
        with self._starting, suppress(RuntimeError, MemoryError):
            if self._thread is None:
                thread = threading.Thread(target=self._go_on, name="log", daemon=True)
                thread.start()
                self._thread = thread
        return self._thread is not None

    def _go_on(self) -> None:
        while True:
            self._work.wait()
            self._hurry.wait(_REST)
            self._hurry.clear()
            self._work.clear()
            self._write_what_waits(self._write)
            if not self._waiting:
                self._done.set()

    def _write_what_waits(self, write: Callable[[str], int]) -> None:
        lines = []
        with suppress(IndexError):
            while True:
                lines.append(self._waiting.popleft())
        lost = self._lost  # after those lines, for which there was still room
        if failed := write("".join(lines)):
            self._lost += failed
        elif lost and not write(self.missing(lost)):
            self._lost -= lost

    def _write(self, text: str) -> int:
        """Write the text, waiting as long as it takes; return how many lines of it are lost."""
        data = text.encode("utf-8", "backslashreplace")
        while data:
            try:
                data = data[os.write(self.descriptor, data) :]
            except BlockingIOError:  # somebody else has made it so
                select.select((), (self.descriptor,), ())
            except OSError:  # closed, or the disk is full
                break
        return data.count(b"\n")

    def _write_what_fits(self, text: str) -> int:
        """Write as much of the text as makes nobody wait; return how many lines of it are lost."""
        data = text.encode("utf-8", "backslashreplace")
        with suppress(OSError, ValueError):
            while data and select.select((), (self.descriptor,), (), 0)[1]:
                data = data[os.write(self.descriptor, data[:_CHUNK]) :]
        return data.count(b"\n")


class Printed(io.TextIOBase):
    """What is printed in the service, by a stranger's code or Python itself: it goes where the log goes, `masked`."""

    def __init__(self, standard_error: StandardError, masked: Callable[[str], str]) -> None:
        self._standard_error = standard_error
        self._masked = masked
        self._begun = ""

    def writable(self) -> bool:
        """Tell that it takes text."""
        return True

    def write(self, text: str) -> int:
        """Take a text, and write the lines of it that are whole."""
        lines, end, self._begun = (self._begun + text).rpartition("\n")
        if end:
            self._standard_error.put(self._masked(lines) + end)
        return len(text)


STANDARD_ERROR = StandardError()
"""That of this process."""


def catch_what_is_printed(masked: Callable[[str], str]) -> None:
    """Let what this process prints make nobody wait either."""
    sys.stdout = sys.stderr = Printed(STANDARD_ERROR, masked)
