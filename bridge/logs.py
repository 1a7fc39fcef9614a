"""Log lines: one format for people, one for machines, each with the request's id and without secrets."""

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache
from typing import Literal

from bridge.redaction import Redaction
from bridge.repeats import Repeats

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
    """`2026-01-31T09:00:00.123Z INFO 4f2c… bridge.endpoint: message`; line breaks inside a message are indented."""

    def compose(self, when: str, record: logging.LogRecord, message: str) -> str:
        """Put one line together."""
        text = message.replace("\r", "\\r").replace("\n", "\n    ")
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
        return json.dumps(fields, ensure_ascii=False)


def _fields(record: logging.LogRecord) -> Iterable[tuple[str, object]]:
    """Return what a line of a call holds, for machines one by one."""
    fields: Mapping[str, object] = getattr(record, "fields", {})
    return fields.items()


class _Unlocked(logging.Handler):
    """Writes each line to standard error by one system call, so that threads need no lock to queue in front of."""

    def createLock(self) -> None:  # noqa: N802 - logging's own name
        """Have no lock."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a log that cannot be written costs no call its answer."""
        with suppress(OSError):
            os.write(sys.stderr.fileno(), (self.format(record) + "\n").encode("utf-8", "backslashreplace"))


def set_up_logs(level: str, form: Literal["text", "json"], redaction: Redaction) -> None:
    """Send all log lines of this process to standard error, and none anywhere else."""
    # What no line shows need not be found out for each (https://docs.python.org/3/howto/logging.html#optimization).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = _Unlocked()
    handler.addFilter(Repeats(handler.emit))
    handler.setFormatter(JsonFormatter(redaction) if form == "json" else TextFormatter(redaction))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # urllib3 logs whole request lines at debug level, secrets in the path included.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
