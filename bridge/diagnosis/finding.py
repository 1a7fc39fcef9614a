"""One line of what `omi-bridge check` reports."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bridge.sdk.words import with_signs

_MOST_LINES = 20
_BREAKS = re.compile(r"[\t\n\r\xa0]+")


class Severity(StrEnum):
    """How bad it is: only what FAILED makes the check fail."""

    OK = "ok"
    WARNING = "warn"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about `subject`: a connector, a list, the directory as a whole.

    `details` stand below it, a line each.
    """

    subject: str
    message: str
    severity: Severity = Severity.OK
    details: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Tell whether somebody has to act before the service can do its work."""
        return self.severity is Severity.FAILED

    def __str__(self) -> str:
        lines = [f"{self.severity:6}  {self.subject}: {self.message}", *(f"{'':8}{line}" for line in self.details)]
        return "\n".join(map(_on_one_line, lines))


def _on_one_line(text: str) -> str:
    return with_signs(_BREAKS.sub(" ", text))


def at_most(subject: str, messages: Iterable[str], severity: Severity) -> Iterator[Finding]:
    """Give the first messages of a kind, and the number of the others."""
    count = 0
    for count, message in enumerate(messages, 1):
        if count <= _MOST_LINES:
            yield Finding(subject, message, severity)
    if count > _MOST_LINES:
        yield Finding(subject, f"and {count - _MOST_LINES} more of this kind", severity)
