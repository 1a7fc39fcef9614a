"""Every error that crosses a border inside omi-bridge, drawn once.

    BridgeError
    ├── ConfigError            the configuration is wrong; carries every problem found, each with its place
    ├── InvalidNumber          not a telephone number that anybody could own; answered without asking a source
    └── SourceError            a source of owners gave no usable answer; never remembered as "nobody"
        ├── SourceUnavailable  asking again later may work: network, 5xx, 429, time-out
        │   └── SourceBusy     the connector's own places are all taken
        ├── SourceRejected     somebody has to act first: credentials, rights, a request that the source refuses
        └── UnexpectedAnswer   an answer came, but it does not fit the configured shape

"Nobody owns this caller" is not in the tree: it is an answer, not an error.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


class BridgeError(Exception):
    """Root of the tree."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in the configuration, and where.

    `line` and `column` count from 1; 0 means that the place is not known.
    `key` is the dotted path of the offending key, empty for the file as a whole.
    """

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigError(BridgeError):
    """The configuration cannot be used. `problems` holds all that was found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InvalidNumber(BridgeError):
    """The text is no telephone number of a caller. The message says why, without repeating the text."""


class SourceError(BridgeError):
    """A source of owners gave no usable answer. The message is for the log: no secret, no full caller number."""

    reason = "error"


class SourceUnavailable(SourceError):
    """The source cannot answer now; asking again later may work.

    `retry_after` is the number of seconds for which the source asked to be left alone (HTTP `Retry-After`), or None;
    what is no positive number counts as None.
    """

    reason = "unavailable"

    def __init__(self, message: str, *, retry_after: float | str | None = None) -> None:
        super().__init__(message)
        self.retry_after = _seconds(retry_after)


def _seconds(given: object) -> float | None:
    """Return a positive number of seconds, also from a text such as a header's; None for anything else."""
    try:
        seconds = float(given) if isinstance(given, (str, int, float)) else 0.0
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


class SourceBusy(SourceUnavailable):
    """As many lookups as the connector may hold are under way already."""

    reason = "busy"


class SourceRejected(SourceError):
    """The source refuses: nothing will change until somebody acts."""

    reason = "rejected"


class UnexpectedAnswer(SourceError):
    """The source answered something that does not fit the configuration."""

    reason = "unexpected-answer"
