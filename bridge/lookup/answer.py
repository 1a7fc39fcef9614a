"""What one source says about a caller: there already, or still under way."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from bridge.sdk.connector import Owners
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceError, SourceUnavailable


class Freshness(StrEnum):
    """How an answer was come by; the words of the header `X-Bridge-Answer`."""

    LIVE = "live"
    CACHED = "cached"
    STALE = "stale"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Answer:
    """The owners, none for "nobody", and how they were come by; `missing` says why there may be more, if so."""

    owners: Owners
    freshness: Freshness
    missing: str = ""


def _nothing() -> None:
    return None


def _nobody() -> Owners:
    return ()


@dataclass(frozen=True, slots=True)
class Pending:
    """An answer that is there (or cannot come), or is under way.

    `remembered` is asked if the source fails or is late, and not before: owners beyond their life are used then, and
    only then (stale-if-error, RFC 5861). Before them count those that a source that is late has told by now (`so_far`).
    """

    result: Answer | SourceError | Future[Answer]
    remembered: Callable[[], Answer | None] = _nothing
    so_far: Callable[[], Owners] = _nobody
    lease: Deadline | None = None
    """When the source has had its own time, and is waited for no more."""

    def done(self) -> bool:
        """Tell whether waiting brings nothing more."""
        if not isinstance(self.result, Future):
            return True
        return self.result.done() or (self.lease is not None and self.lease.expired())

    def wait(self, seconds: float) -> None:
        """Wait until it is done, `seconds` at most."""
        if isinstance(self.result, Future):
            with suppress(TimeoutError, CancelledError):
                self.result.exception(seconds if self.lease is None else min(seconds, self.lease.remaining()))

    def answer(self) -> Answer:
        """Return the best answer that there is now; raises SourceError if there is none."""
        if isinstance(self.result, Answer):
            return self.result
        failure: BaseException | None = None
        if not isinstance(self.result, Future):
            failure = self.result
        elif not self.result.done():
            failure = SourceUnavailable("no answer in time")
            if owners := self.so_far():
                return Answer(owners, Freshness.LIVE, str(failure))
        else:
            failure = self.result.exception()
            if failure is None:
                return self.result.result()
        remembered = self.remembered()
        if remembered is None:
            raise failure
        return remembered
