"""The folder in which several processes keep their figures where each can read those of all.

It is in memory where there is such a place: a full or hung disk must not reach the calls through their figures. It
begins empty, for a service that is started anew counts anew, and goes with the master process; if that is killed, with
its workers; and if all are killed at once, at the next start: all of them hold a lock on it, which the kernel gives
back however they end.
"""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_log = logging.getLogger(__name__)

_NAME = "PROMETHEUS_MULTIPROC_DIR"
_ROOM = 16 * 1024 * 1024
"""Bytes that have to be free: a process that writes into mapped memory for which there is no room is killed."""
_PREFIX = "omi-bridge-metrics-"


@contextmanager
def folder_for_figures(workers: int) -> Iterator[None]:
    """Have the folder in the environment of the processes that start here, if there are several."""
    os.environ.pop(_NAME, None)
    if workers == 1:
        yield
        return
    master = os.getpid()
    if folder := _make_folder():
        os.environ[_NAME] = folder
    else:
        _log.warning("no folder can be made for what the processes count: /metrics shows that of one of them")
    try:
        yield
    finally:
        if os.getpid() == master:  # a worker's end comes by here as well
            remove_figures()
            os.environ.pop(_NAME, None)


def remove_figures() -> None:
    """Remove the folder: what still counts in it goes on, and nobody can read it."""
    if folder := os.environ.get(_NAME):
        shutil.rmtree(folder, ignore_errors=True)


def forget_process(pid: int) -> None:
    """Take what a process that has ended was just doing out of the figures; what it has counted stays."""
    if _NAME in os.environ:
        # It looks for the folder while it is being imported.
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        with suppress(OSError):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _make_folder() -> str | None:
    """Make the folder at the first place that can be written, and take the lock on it; None if there is no such place.

    The places: what systemd gives and takes away with the service, shared memory, what programs use for such files,
    and what systemd gives for good.
    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#RuntimeDirectory=
    """
    shared_memory, usual = "/dev/shm", ""  # noqa: S108 - mkdtemp makes a name of its own
    for place in (os.environ.get("RUNTIME_DIRECTORY"), shared_memory, usual, os.environ.get("STATE_DIRECTORY")):
        if place is None:
            continue
        with suppress(OSError):
            _remove_left_ones(Path(place or tempfile.gettempdir()))
            if shutil.disk_usage(place or tempfile.gettempdir()).free < _ROOM:
                continue
            folder = tempfile.mkdtemp(prefix=_PREFIX, dir=place or None)
            if _lock(folder) is not None:  # held by what is forked from here as well, until the last of them ends
                return folder
    return None


def _remove_left_ones(place: Path) -> None:
    """Remove the folders of services that were killed, all their processes at once."""
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.stat().st_uid == os.geteuid() and (lock := _lock(str(folder))) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _lock(folder: str) -> int | None:
    """Take the lock on a folder: the descriptor that holds it, None if somebody else does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
