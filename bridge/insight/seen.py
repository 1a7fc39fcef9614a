"""What each process of the machine sees of the sources for itself, so that whichever answers can tell of all."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from bridge.sdk.deadline import Clock
from bridge.sdk.http.certificates import all_shown
from bridge.service import Service
from bridge.storage.noticeboard import Slips

_LONGEST = 500

_TROUBLE = "trouble"
"""The kind of a failure of which no more is known than that the part was in trouble."""


class SeenByAll:
    """Says on a slip what this process sees, and reads what the others say; `redaction` masks secrets.

    A source that is well again tells nothing of its trouble: so that is kept here.
    """

    def __init__(
        self,
        current: Callable[[], Service],
        slips: Slips,
        redaction: Callable[[str], str],
        wall_clock: Clock = time.time,
    ) -> None:
        self._current = current
        self._slips = slips
        self._redaction = redaction
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[float, str, str]] = {}

    def look(self, troubles: Mapping[str, str]) -> None:
        """Take note of what is in trouble now, and have the others know all that is seen here."""
        service, now = self._current(), self._wall_clock()
        with self._lock:
            seen = self._seen(service, troubles, now)
            self._slips.write(json.dumps(seen, ensure_ascii=False).encode("utf-8", "replace"))

    def read(self) -> list[Mapping[str, Any]]:
        """Return what each process says."""
        return [json.loads(slip) for slip in self._slips.read()]

    def _seen(self, service: Service, troubles: Mapping[str, str], now: float) -> Mapping[str, object]:
        questions = {f"connector {name}": guard.last_failure for name, guard in service.guards.items()}
        told = {part: self._redaction(failure.words)[:_LONGEST] for part, failure in questions.items() if failure}
        for part, why in troubles.items():
            if part not in told or told[part] not in why:  # else when it was that it failed is known
                self._failed[part] = (now, _TROUBLE, why[:_LONGEST])
        for part, failure in questions.items():
            if failure and failure.at > self._failed.get(part, (0.0,))[0]:
                self._failed[part] = (failure.at, failure.kind, told[part])
        return {
            "failures": self._failed,
            "remembered": {name: guard.entries for name, guard in service.guards.items()},
            "rows": {kept.name: (kept.rows, kept.rows_before) for kept in service.list_states() if kept.rows},
            "certificates": all_shown(),
        }
