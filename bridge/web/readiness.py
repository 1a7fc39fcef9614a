"""Whether the start is over, for whatever sends calls to one of several instances.

Once over, it stays over: a reload answers from what it keeps. And it is over after half a minute in any case, because a
source that hangs must not keep an instance away from calls that others can answer.
"""

import time
from collections.abc import Callable, Mapping

from bridge.sdk.deadline import Clock

_LONGEST_START = 30.0


class Readiness:
    """Asks `waited_for`, until it names nothing any more, what the start still waits for, by part."""

    def __init__(self, waited_for: Callable[[], Mapping[str, str]], clock: Clock = time.monotonic) -> None:
        self._waited_for = waited_for
        self._clock = clock
        self._end = clock() + _LONGEST_START
        self._is_over = False

    def waited_for(self) -> Mapping[str, str]:
        """Return what is still waited for, nothing once the start is over."""
        if self._is_over:
            return {}
        found = self._waited_for()
        self._is_over = not found or self._clock() >= self._end
        return {} if self._is_over else found
