"""The folder in which several processes keep their figures where each can read those of all.

It is in memory where there is such a place: a full or hung disk must not reach the calls through their figures. It
begins empty, for a service that is started anew counts anew, and goes with the master process.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def folder_for_figures(workers: int) -> Iterator[None]:
    """Have the folder in the environment of the processes that start here, if there are several."""
    os.environ.pop(_NAME, None)
    if workers == 1:
        yield
        return
    master = os.getpid()
    folder = tempfile.mkdtemp(prefix="omi-bridge-metrics-", dir=_place())
    os.environ[_NAME] = folder
    try:
        yield
    finally:
        if os.getpid() == master:  # a worker's end comes by here as well
            del os.environ[_NAME]
            shutil.rmtree(folder, ignore_errors=True)


def forget_process(pid: int) -> None:
    """Take what a process that has ended was just doing out of the figures; what it has counted stays."""
    if _NAME in os.environ:
        # It looks for the folder while it is being imported.
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _place() -> str | None:
    """Return what systemd gives and takes away with the service, else shared memory, else None: the usual place.

    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#RuntimeDirectory=
    """
    places = (os.environ.get("RUNTIME_DIRECTORY", ""), "/dev/shm")  # noqa: S108 - mkdtemp makes a name of its own
    return next((place for place in places if place and Path(place).is_dir() and os.access(place, os.W_OK)), None)
