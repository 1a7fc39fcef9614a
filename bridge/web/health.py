"""What `/healthz` tells: what is in trouble and since when, when the last call came, when each source last answered.

Times are the machine's local time with its distance from UTC, as in `omi-bridge decisions`; ages are in seconds. Calls,
answers and troubles are those of all processes of the machine: each says on a slip what it sees, every few seconds and
also while nobody asks, so that whichever answers tells the same.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from math import isinf

from bridge.sdk.deadline import Clock
from bridge.sdk.shared import Moments
from bridge.storage.noticeboard import Slips

_NONE = "none since start"


class Health:
    """Looks at `troubles`, which says for each part that is not well why not; `answers` are those of each source.

    `slips` are those on which the processes of the machine say what they see, `network` tells of the way to OMICall.
    """

    def __init__(
        self,
        troubles: Callable[[], Mapping[str, str]],
        slips: Slips,
        accepted: Moments,
        answers: Callable[[], Mapping[str, Moments]],
        network: Callable[[], object] = lambda: None,
        wall_clock: Clock = time.time,
    ) -> None:
        self._troubles = troubles
        self._slips = slips
        self._accepted = accepted
        self._answers = answers
        self._network = network
        self._wall_clock = wall_clock
        self._since: dict[str, float] = {}
        self._lock = threading.Lock()

    def look(self) -> Mapping[str, str]:
        """Return what is in trouble here now, take note of since when, and have the other processes know it."""
        found = self._troubles()
        now = self._wall_clock()
        with self._lock:
            self._since = {part: self._since.get(part, now) for part in found}
            own = {part: [why, self._since[part]] for part, why in found.items()}
            self._slips.write(json.dumps(own, ensure_ascii=False).encode())
        return found

    def page(self) -> Mapping[str, object]:
        """Return what `/healthz` shows."""
        self.look()
        found: dict[str, str] = {}
        since: dict[str, float] = {}
        for slip in self._slips.read():
            for part, (why, began) in json.loads(slip).items():
                found[part] = why
                since[part] = min(began, since.get(part, began))
        return {
            "status": "degraded" if found else "ok",
            "troubles": found,
            "since": {part: _local(began) for part, began in since.items()},
            "last_call": self._last(self._accepted),
            "last_answers": {name: self._last(moments) for name, moments in self._answers().items()},
            "network": self._network(),
        }

    def _last(self, moments: Moments) -> object:
        age = moments.age()
        return _NONE if isinf(age) else {"time": _local(self._wall_clock() - age), "age": round(age, 1)}


def _local(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")
