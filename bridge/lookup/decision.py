"""What OMICall is told about a call, and how that was come by."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bridge.extensions.directory import Reach
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

    def __str__(self) -> str:
        if isinstance(self.answer, Answer):
            missing = f", partial ({self.answer.missing})" if self.answer.missing else ""
            contributed = f"{len(self.answer.owners) or 'no'} owner(s), {self.answer.freshness}{missing}"
        else:
            contributed = f"{self.answer.reason}: {self.answer}"
        return f"{self.connector}: {contributed} after {self.seconds * 1000:.0f} ms"


@dataclass(frozen=True, slots=True)
class Decision:
    """What OMICall is told, and why. `owners` are those of the deciding answer, each with where that is rung."""

    outcome: Outcome
    extensions: tuple[str, ...] = ()
    freshness: Freshness | None = None
    connector: str | None = None
    reason: str = ""
    call: Call | None = None
    attempts: tuple[Attempt, ...] = ()
    owners: tuple[tuple[Owner, Reach], ...] = ()

    @property
    def body(self) -> str:
        """The answer as OMICall reads it: `101:102:104`, or nothing."""
        return ":".join(self.extensions)

    def because(self) -> Iterator[str]:
        """Say what each connector contributed, then where each owner is rung, then why there is no answer.

        In words, for the log of slow calls and for `omi-bridge decisions`.
        """
        yield from map(str, self.attempts)
        yield from self.about_owners()
        if self.reason and not self.owners and not self.attempts:
            yield self.reason

    def about_owners(self) -> Iterator[str]:
        """Say where each owner is rung, and why not elsewhere."""
        for owner, reach in self.owners:
            record = f" in {owner.record}" if owner.record else ""
            yield f"owner {owner}{record}: extension {_told(reach) or 'none'}"
            yield from reach.notes


def _told(reach: Reach) -> str:
    """Name each extension, and which list and line it comes from."""
    places = (*reach.places, *("" for _ in reach.extensions))
    named = zip(reach.extensions, places, strict=False)
    return ", ".join(f"{extension} ({place})" if place else extension for extension, place in named)
