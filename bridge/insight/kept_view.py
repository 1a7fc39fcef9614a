"""A view that costs something to make: what was found is told again for a while, as long as the service is the same."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from bridge.insight.line_mask import LineMask
from bridge.sdk.deadline import Clock
from bridge.service import Service


class KeptView(ABC):
    """Tells of the service in force for `seconds` what was found once; `clock` is monotonic."""

    def __init__(
        self, current: Callable[[], Service], mask: LineMask, seconds: float, clock: Clock = time.monotonic
    ) -> None:
        self._current = current
        self._mask = mask
        self._seconds = seconds
        self._clock = clock
        self._kept: tuple[Service, float, Mapping[str, object]] | None = None

    def answer(self, _question: Mapping[str, object]) -> Mapping[str, object]:
        """Return what is found, or was a moment ago."""
        service, now = self._current(), self._clock()
        if self._kept is None or self._kept[0] is not service or now - self._kept[1] >= self._seconds:
            self._kept = (service, now, self._found(service))
        return self._kept[2]

    @abstractmethod
    def _found(self, service: Service) -> Mapping[str, object]:
        """Find it anew."""
