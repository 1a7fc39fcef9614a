"""Log lines: one format for people, one for machines, each with the request's id and without secrets.

Where standard error is the journal, each line begins with its priority as sd-daemon(3) says, which the journal takes
off again: so `journalctl -p warning` shows warnings, and nothing else does.
"""

import json
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache
from typing import Literal

from bridge.observability.log_throttle import LogThrottle
from bridge.sdk.secrets import Redaction
from bridge.sdk.words import with_signs

_MOST_WAITING = 10_000  # lines
_PATIENCE_AT_END = 1.0

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")
"""The id of the call that this thread works for; job threads inherit it from the call that started them."""


@lru_cache(maxsize=2)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


class _Formatter(logging.Formatter):
    """What both formats share: UTC times, the request's id, secrets masked after everything else is in place."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        when = f"{_second(int(record.created))}.{int(record.msecs):03d}Z"
        return self.compose(when, record, self._redaction(message))

    def compose(self, when: str, record: logging.LogRecord, message: str) -> str:
        """Put one line together."""
        raise NotImplementedError


class TextFormatter(_Formatter):
    """`2026-01-31T09:00:00.123Z INFO 4f2c… bridge.web.endpoint: message`; line breaks inside a message are indented."""

    def compose(self, when: str, record: logging.LogRecord, message: str) -> str:
        """Put one line together."""
        text = with_signs(message).replace("\r", "\\r").replace("\n", "\n    ")
        return f"{when} {record.levelname} {REQUEST_ID.get()} {record.name}: {text}"


class JsonFormatter(_Formatter):
    """One JSON object a line."""

    def compose(self, when: str, record: logging.LogRecord, message: str) -> str:
        """Put one line together."""
        fields = {
            "time": when,
            "level": record.levelname.lower(),
            "request_id": REQUEST_ID.get(),
            "logger": record.name,
            "message": message,
            **{name: self._redaction(value) if isinstance(value, str) else value for name, value in _fields(record)},
        }
        return with_signs(json.dumps(fields, ensure_ascii=False))  # its escapes are JSON's own as well


def _fields(record: logging.LogRecord) -> Iterable[tuple[str, object]]:
    """Return what a line of a call holds, for machines one by one."""
    fields: Mapping[str, object] = getattr(record, "fields", {})
    return fields.items()


class _StandardError(logging.Handler):
    """Writes each line at once or, in a process that answers calls, from a thread that alone may have to wait.

    Whoever should read standard error may stop reading, and a write then waits for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_journal = _is_journal()
        self._waiting: deque[str] = deque()
        self._lost = 0
        self._work = threading.Event()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def createLock(self) -> None:  # noqa: N802 - logging's own name
        """Have no lock: threads would queue in front of it."""
        self.lock = None

    def write_behind(self) -> None:
        """From now on, write in a thread of its own; what cannot be written in time is lost, and counted."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="log", daemon=True)
            self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a log that cannot be written costs no call its answer."""
        line = _prioritised(self.format(record), record.levelno, self._is_journal) + "\n"
        if self._thread is None:
            _write(line)
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting.append(line)
            self._work.set()
        else:
            self._lost += 1

    def flush(self) -> None:
        """Wait until everything is written, for a second at most."""
        if self._thread is not None and self._thread.is_alive():
            self._done.clear()
            self._work.set()
            self._done.wait(_PATIENCE_AT_END)

    def _go_on(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if self._lost:
                told = f"{self._lost} lines are missing here: standard error was not read"
                lines.append(_prioritised(told, logging.WARNING, self._is_journal) + "\n")
                self._lost = 0
            _write("".join(lines))
            if not self._waiting:
                self._done.set()


def as_error(text: str) -> str:
    """Return what a command says on standard error before it gives up, as an error where that is the journal."""
    return _prioritised(text, logging.ERROR, _is_journal())


def _is_journal() -> bool:
    """Tell whether standard error is the journal: systemd says which file that is.

    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#%24JOURNAL_STREAM
    """
    try:
        there = os.fstat(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):  # there is none, or it is no file
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


def _prioritised(text: str, level: int, is_journal: bool) -> str:
    """Put the priority in front of each line, for each is an entry of its own in the journal."""
    if not is_journal:
        return text
    priority = next((number for least, number in _PRIORITIES if level >= least), _DEBUG)
    return "\n".join(f"<{priority}>{line}" for line in text.split("\n"))


def _write(text: str) -> None:
    data = text.encode("utf-8", "backslashreplace")
    with suppress(OSError):
        while data:
            data = data[os.write(sys.stderr.fileno(), data) :]


def write_behind() -> None:
    """Let no thread of this process wait for its log from now on."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _StandardError):
            handler.write_behind()


def set_up_logs(level: str, form: Literal["text", "json"], redaction: Redaction) -> None:
    """Send all log lines of this process to standard error, and none anywhere else."""
    # What no line shows need not be found out for each (https://docs.python.org/3/howto/logging.html#optimization).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = _StandardError()
    handler.addFilter(LogThrottle(handler.emit))
    handler.setFormatter(JsonFormatter(redaction) if form == "json" else TextFormatter(redaction))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # urllib3 logs whole request lines at debug level, secrets in the path included.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
