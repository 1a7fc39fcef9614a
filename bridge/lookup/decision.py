"""What OMICall is told about a call, and how that was come by."""

from dataclasses import dataclass
from enum import StrEnum

from bridge.lookup.answer import Answer, Freshness
from bridge.sdk.connector import Call, Owner
from bridge.sdk.errors import SourceError


class Outcome(StrEnum):
    """How a call was decided; the words of the header `X-Bridge-Outcome`."""

    FOUND = "found"
    NOBODY = "nobody"
    UNMAPPED = "unmapped"
    INVALID_NUMBER = "invalid-number"
    UNAVAILABLE = "unavailable"
    BAD_REQUEST = "bad-request"
    UNAUTHORIZED = "unauthorized"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one connector contributed, `seconds` after the call had been read."""

    connector: str
    answer: Answer | SourceError
    seconds: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What OMICall is told, and why. `owners` are those of the deciding answer, each with his extensions."""

    outcome: Outcome
    extensions: tuple[str, ...] = ()
    freshness: Freshness | None = None
    connector: str | None = None
    reason: str = ""
    call: Call | None = None
    attempts: tuple[Attempt, ...] = ()
    owners: tuple[tuple[Owner, tuple[str, ...]], ...] = ()

    @property
    def body(self) -> str:
        """The answer as OMICall reads it: `101:102:104`, or nothing."""
        return ":".join(self.extensions)
