"""Who can be rung: the owners whom the sources name beside the lists of extensions, and whose calls were lost.

It says what the end of `omi-bridge check --online` says, in the running service. Sources may be asked for it, in turns
that calls leave free, and all of it is reckoned through once in five minutes at most.
"""

import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping

from bridge.config.loading import Config
from bridge.config.sections import DECIDED
from bridge.diagnosis.sources import judge_directory
from bridge.insight.kept_view import KeptView
from bridge.insight.line_mask import LineMask
from bridge.insight.trace import BY_HAND
from bridge.lookup.decision import Outcome
from bridge.sdk.deadline import Clock
from bridge.sdk.http.rate_limit import calls_come_first
from bridge.service import Service
from bridge.storage.sqlite_file import reading

KEPT_FOR = 300.0
"""Seconds for which the same is told again."""

_WEEK = 7 * 86_400.0
_MOST_CALLS, _MOST_OWNERS = 5_000, 50
_WITHOUT = re.compile(r"owner (.+?)(?: in \S+)?: extension none")


class DirectoryView(KeptView):
    """Tells of the service in force what is found, and who was not rung in the last seven days, most calls first."""

    def __init__(self, current: Callable[[], Service], mask: LineMask, clock: Clock = time.monotonic) -> None:
        super().__init__(current, mask, KEPT_FOR, clock)

    def _found(self, service: Service) -> Mapping[str, object]:
        with calls_come_first():
            findings = list(judge_directory(service))
        return {
            "at": time.time(),
            "findings": [
                {"severity": one.severity, "text": self._mask(f"{one.subject}: {one.message}")} for one in findings
            ],
            "lost": [
                {"owner": self._mask(owner), "calls": calls}
                for owner, calls in _lost(service.config, time.time() - _WEEK).most_common(_MOST_OWNERS)
            ],
        }


def _lost(config: Config, since: float) -> Counter[str]:
    """Count for each owner the newest calls that rang nobody, because no owner of the customer had an extension."""
    question = "SELECT because FROM decisions WHERE outcome = ? AND at >= ? AND request_id NOT LIKE ? ORDER BY id DESC"
    values = [Outcome.UNMAPPED.value, since, f"{BY_HAND}%", _MOST_CALLS]
    try:
        with reading(config.decisions_file, DECIDED) as db:
            rows = db.execute(f"{question} LIMIT ?", values).fetchall()
    except sqlite3.Error:  # nothing is kept yet
        return Counter()
    lines = (line for (because,) in rows for line in json.loads(because))
    return Counter(found[1] for line in lines if (found := _WITHOUT.fullmatch(line)))
