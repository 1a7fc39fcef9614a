"""When to read again what could not be read, in the background."""

from bridge.sdk.errors import SourceError, SourceUnavailable

_FIRST, _FIRST_IF_MORE_IS_WRONG, _LONGEST = 5.0, 60.0, 900.0


def pause_after(error: SourceError, failures: int, refresh: float) -> float:
    """Return after how many seconds to try again after so many `failures` in a row, in place of `refresh`.

    Soon again while there is hope, ever more seldom while there is none, and never before the source allows it.
    """
    first = _FIRST if isinstance(error, SourceUnavailable) else _FIRST_IF_MORE_IS_WRONG
    pause = min(_LONGEST, refresh, first * 2.0 ** min(failures - 1, 10))
    return max(pause, getattr(error, "retry_after", None) or 0.0)
