"""What must not turn up anywhere: the secret that is planted in the settings, and callers' whole numbers."""

import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from urllib.parse import quote, quote_plus

from bridge.sdk.phone.number import PhoneNumber
from bridge.testing.conformance.outcome import complain

_SEPARATORS = re.compile(r"(?<=\d)[\s.\-()%/]+(?=\d)")


def holds_secret(text: str, secret: str) -> bool:
    """Tell whether the text holds the secret, as it is or as it stands in an address."""
    forms = (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])
    return any(form in text for form in forms)


def must_be_clean(text: str, secret: str, what: str, advice: str, numbers: Sequence[PhoneNumber] = ()) -> None:
    """Complain of the first line that holds a secret or a number; both are the kit's own, so it may be shown."""
    for line in text.splitlines():
        if holds_secret(line, secret):
            complain(f"{what}: it holds the secret. {advice}. It says: {line:.300}")
        if any(number.nsn_at_home in _SEPARATORS.sub("", line) for number in numbers):
            complain(
                f"{what}: it holds the caller's whole number. {advice}; call.caller.masked may be shown. "
                f"It says: {line:.300}"
            )


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{record.name}: {logging.Formatter().format(record)}")


@contextmanager
def log_lines() -> Iterator[list[str]]:
    """Collect what is logged, down to the level debug, as the service would: it lets urllib3 warn alone.

    What is printed stands in the service's log, too, and follows when all is over.
    """
    lines: list[str] = []
    collector, root, urllib3 = _Collector(lines), logging.getLogger(), logging.getLogger("urllib3")
    before, before_urllib3 = root.level, urllib3.level
    root.addHandler(collector)
    root.setLevel(logging.DEBUG)
    urllib3.setLevel(max(logging.WARNING, before_urllib3))
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield lines
    finally:
        lines += [f"printed: {line}" for line in printed.getvalue().splitlines()]
        root.removeHandler(collector)
        root.setLevel(before)
        urllib3.setLevel(before_urllib3)
