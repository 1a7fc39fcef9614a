"""A library's errors become ours at one border, in words of our own.

What a library says may hold anything: the address with its password, the question with the caller's number, pieces of
the answer. So nothing of it is passed on but the name of its error's class.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bridge.sdk.errors import SourceError, SourceRejected, SourceUnavailable

_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "did not answer in time"),
    (ConnectionRefusedError, "refuses the connection"),
    (ConnectionError, "closed the connection"),
    (socket.gaierror, "has a name that cannot be resolved"),
)
"""What the errors of sockets mean, the first that fits."""
_MEANINGS: tuple[tuple[type[SourceError], str], ...] = (
    (SourceUnavailable, "could not be asked"),
    (SourceRejected, "refuses"),
    (SourceError, "answered something that cannot be read"),
)


@contextmanager
def told_as(errors: Mapping[type[Exception], type[SourceError]], source: str) -> Iterator[None]:
    """Raise a library's error as one of ours; around a block, or as the decorator of a function.

    The first entry that fits decides: `{TimeoutError: SourceUnavailable, LibraryError: SourceRejected}`. `source` is
    what the message begins with, such as "the directory". Errors that are ours already pass as they are, and so does
    what is not named: it is a bug.
    """
    try:
        yield
    except SourceError:
        raise
    except tuple(errors) as error:
        meaning = next(ours for theirs, ours in errors.items() if isinstance(error, theirs))
        raise meaning(f"{source} {_told(error, meaning)}") from None


def _told(error: Exception, meaning: type[SourceError]) -> str:
    known = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
    if known:
        return known
    words = next(words for kind, words in _MEANINGS if issubclass(meaning, kind))
    return f"{words} ({type(error).__name__})"
