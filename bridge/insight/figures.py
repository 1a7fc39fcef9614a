"""Today's calls against OMICall's two seconds, from the kept decisions of all processes."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from bridge.config.sections import DECIDED
from bridge.config.values import OMICALL_WAITS
from bridge.insight.trace import BY_HAND
from bridge.storage.sqlite_file import reading

EDGES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 1.8, OMICALL_WAITS)
"""Upper edges of a histogram's classes of times, in seconds."""

_SHARES = {"p50": 0.5, "p99": 0.99, "slowest": 1.0}
_TODAY = "FROM decisions WHERE at >= ? AND request_id NOT LIKE ? AND outcome != 'bad-request'"


def figures_of_today(file: Path, now: datetime) -> Mapping[str, object]:
    """Return how many calls came since midnight, how long they took, and how many were answered from memory.

    Raises sqlite3.Error if the file of decisions cannot be read.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    values = [midnight.timestamp(), f"{BY_HAND}%"]
    with reading(file, DECIDED) as db:
        counts = db.execute(
            "SELECT count(*), coalesce(sum(milliseconds > ?), 0), coalesce(sum(answer != ''), 0), "
            f"coalesce(sum(answer NOT IN ('', 'live')), 0) {_TODAY}",
            [OMICALL_WAITS * 1000, *values],
        ).fetchone()
        calls, late, answered, remembered = map(int, counts)
        quickest = f"SELECT milliseconds {_TODAY} ORDER BY milliseconds LIMIT 1 OFFSET ?"
        times = {
            name: db.execute(quickest, [*values, max(0, -int(-share * calls // 1) - 1)]).fetchone()[0]
            if calls
            else None
            for name, share in _SHARES.items()
        }
        return {
            "calls": calls,
            "late": late,
            "remembered": remembered / answered if answered else None,
            **times,
            "histogram": _histogram(db, values, calls),
        }


def _histogram(db: sqlite3.Connection, values: list[object], calls: int) -> list[tuple[float | None, int]]:
    """Count the calls by the class that their time falls into; the last class has no upper edge."""
    sums = ", ".join("coalesce(sum(milliseconds <= ?), 0)" for _ in EDGES)
    edges = [edge * 1000 for edge in EDGES]
    within = [*db.execute(f"SELECT {sums} {_TODAY}", [*edges, *values]).fetchone(), calls]
    counts = [upper - lower for lower, upper in zip([0, *within], within, strict=False)]
    return list(zip([*EDGES, None], counts, strict=True))
