"""A failure as the processes of one machine tell each other: its kind, its words, whether the source wants peace."""

import json

from bridge.sdk.errors import SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer

_KINDS = {kind.reason: kind for kind in (SourceRejected, UnexpectedAnswer)}


def written(failure: SourceError) -> bytes:
    """Return a failure as `read` takes it."""
    return json.dumps([failure.reason, str(failure), getattr(failure, "retry_after", None)]).encode()


def read(content: bytes) -> SourceError:
    """Return the failure that was `written`."""
    reason, words, retry_after = json.loads(content)
    return _KINDS[reason](words) if reason in _KINDS else SourceUnavailable(words, retry_after=retry_after)
