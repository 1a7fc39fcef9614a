"""How many processors this process may use: what `server.workers: auto` goes by."""

import math
import os
from contextlib import suppress
from pathlib import Path

MOST = 4
"""Processes that `auto` makes at most: what one machine is asked needs no more, and each has a memory of its own."""

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota: Path = _QUOTA) -> int:
    """Return the processors that the system gives this process, fewer where a container or a unit has a quota.

    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html, "cpu.max".
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        most, period = quota.read_text(encoding="ascii").split()
        cores = min(cores, math.ceil(int(most) / int(period)))  # `max` is no number: there is no quota
    return max(1, cores)


def parse_workers(value: object) -> object:
    """Return how many processes `auto` makes on this machine; anything else as it is."""
    return min(MOST, usable_cores()) if value == "auto" else value
