"""One line of what `omi-bridge check` reports."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

_MOST_LINES = 20


class Severity(StrEnum):
    """How bad it is: only what FAILED makes the check fail."""

    OK = "ok"
    WARNING = "warn"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about `subject`: a connector, a list, the directory as a whole."""

    subject: str
    message: str
    severity: Severity = Severity.OK

    @property
    def failed(self) -> bool:
        """Tell whether somebody has to act before the service can do its work."""
        return self.severity is Severity.FAILED

    def __str__(self) -> str:
        message = "".join(character if character.isprintable() else " " for character in self.message)
        return f"{self.severity:6}  {self.subject}: {message}"


def at_most(subject: str, messages: Iterable[str], severity: Severity) -> Iterator[Finding]:
    """Give the first messages of a kind, and the number of the others."""
    count = 0
    for count, message in enumerate(messages, 1):
        if count <= _MOST_LINES:
            yield Finding(subject, message, severity)
    if count > _MOST_LINES:
        yield Finding(subject, f"and {count - _MOST_LINES} more of this kind", severity)
