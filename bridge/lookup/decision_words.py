"""Why a call was decided as it was, in words: for the log of slow calls and for `omi-bridge decisions`."""

from collections.abc import Iterator

from bridge.lookup.answer import Answer
from bridge.lookup.decision import Attempt, Decision


def because(decision: Decision) -> Iterator[str]:
    """Say what each connector contributed, then which extension each owner has, then why there is no answer."""
    for attempt in decision.attempts:
        yield f"{attempt.connector}: {_contributed(attempt)} after {attempt.seconds * 1000:.0f} ms"
    for owner, extensions in decision.owners:
        yield f"owner {owner}: extension {', '.join(extensions) or 'none'}"
    if decision.reason and not decision.owners and not decision.attempts:
        yield decision.reason


def _contributed(attempt: Attempt) -> str:
    if isinstance(attempt.answer, Answer):
        return f"{len(attempt.answer.owners) or 'no'} owner(s), {attempt.answer.freshness}"
    return f"{attempt.answer.reason}: {attempt.answer}"
