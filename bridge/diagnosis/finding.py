"""One line of what `omi-bridge check` reports."""

from dataclasses import dataclass
from enum import StrEnum


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
