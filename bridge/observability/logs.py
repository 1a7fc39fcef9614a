"""Log lines: one format for people, one for machines, each with the request's id and without secrets.

Where standard error is the journal, each line begins with its priority as sd-daemon(3) says, which the journal takes
off again: so `journalctl -p warning` shows warnings, and nothing else does.
"""

import json
import logging
import os
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Literal

from bridge.observability.log_throttle import LogThrottle
from bridge.observability.standard_error import STANDARD_ERROR, catch_what_is_printed
from bridge.sdk.secrets import Redaction
from bridge.sdk.words import with_signs

_log = logging.getLogger(__name__)

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


class _Handler(logging.Handler):
    """Writes to standard error, see there."""

    def __init__(self) -> None:
        super().__init__()
        self._is_journal = _is_journal()

    def createLock(self) -> None:  # noqa: N802 - logging's own name
        """Have no lock: threads would queue in front of it."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Write what the filters let through, without a lock: from Python 3.13 on, logging's own way takes one."""
        if passed := self.filter(record):
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a log that cannot be written costs no call its answer."""
        STANDARD_ERROR.put(self._entry(record))

    def flush(self) -> None:
        """Wait until everything is written, for a moment."""
        STANDARD_ERROR.flush()

    def missing(self, lines: int) -> str:
        """Make the line that tells of lost ones."""
        told = "%d lines are missing here: standard error was not read, or could not be written"
        return self._entry(_log.makeRecord(_log.name, logging.WARNING, "", 0, told, (lines,), None))

    def _entry(self, record: logging.LogRecord) -> str:
        return _prioritised(self.format(record), record.levelno, self._is_journal) + "\n"


def as_error(text: str) -> str:
    """Return what a command says on standard error before it gives up, as an error where that is the journal."""
    return _prioritised(text, logging.ERROR, _is_journal())


def _is_journal() -> bool:
    """Tell whether standard error is the journal: systemd says which file that is.

    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#%24JOURNAL_STREAM
    """
    try:
        there = os.fstat(STANDARD_ERROR.descriptor)
    except OSError:  # it is closed
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


def _prioritised(text: str, level: int, is_journal: bool) -> str:
    """Put the priority in front of each line, for each is an entry of its own in the journal."""
    if not is_journal:
        return text
    priority = next((number for least, number in _PRIORITIES if level >= least), _DEBUG)
    return "\n".join(f"<{priority}>{line}" for line in text.split("\n"))


def write_behind(redaction: Redaction) -> None:
    """Let nobody wait for what this process and those forked from it log or print from now on."""
    STANDARD_ERROR.write_behind()
    catch_what_is_printed(redaction)


def set_up_logs(level: str, form: Literal["text", "json"], redaction: Redaction) -> None:
    """Send all log lines of this process to standard error, and none anywhere else."""
    # What no line shows need not be found out for each (https://docs.python.org/3/howto/logging.html#optimization).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - where it was called from, as that page says
    handler = _Handler()
    handler.addFilter(LogThrottle(handler.emit))
    handler.setFormatter(JsonFormatter(redaction) if form == "json" else TextFormatter(redaction))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    STANDARD_ERROR.missing = handler.missing
    root.setLevel(level.upper())
    # urllib3 logs whole request lines at debug level, secrets in the path included.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
