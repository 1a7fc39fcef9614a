"""Threads that a connector leaves behind after `close`: found by the code that they run, and told as its bug.

Python cannot end a thread, and one that is no daemon keeps the process from ending: a command ends without it, a worker
of the service is ended by gunicorn after its grace period.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from bridge.sdk.connector import AnyConnector, Connector

_OURS = ("source-", "open-", "close-", "trial-")
_MACHINERY = {"threading", "concurrent.futures.thread"}
_PATIENCE = 0.5
_PAUSE = 0.02


def leaked_threads(connector: AnyConnector) -> list[str]:
    """Return the names of threads that still run code of the connector's module, after a moment in which they may end.

    Those in which omi-bridge itself asks it are none of them: a call under way may go on.
    """
    for _ in range(int(_PATIENCE / _PAUSE)):
        if not (left := _running(connector)):
            break
        time.sleep(_PAUSE)
    return left


def end_process(status: int) -> NoReturn:
    """End the process as `sys.exit` does, but without waiting for threads that a connector has left behind."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _running(connector: AnyConnector) -> list[str]:
    frames = sys._current_frames()  # noqa: SLF001 - its documented name
    theirs = [thread for thread in threading.enumerate() if not thread.name.startswith(_OURS)]
    return [thread.name for thread in theirs if _is_of(list(_stack(frames.get(thread.ident or 0))), connector)]


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_of(stack: list[FrameType], connector: AnyConnector) -> bool:
    """Tell whether a thread was started in the connector's module, by this one and not by another of its kind."""
    modules = [frame.f_globals.get("__name__") for frame in reversed(stack)]
    first = next((module for module in modules if module not in _MACHINERY), None)
    selves = [frame.f_locals.get("self") for frame in stack]
    of_another = any(isinstance(me, Connector) and me is not connector for me in selves)
    return first == type(connector).__module__ and not of_another
