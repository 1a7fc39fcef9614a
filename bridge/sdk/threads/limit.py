"""A stranger's code that ought to come back at once, and may not: waited for so long and no longer.

Python cannot end a thread, so one that never comes back stays; it is a daemon and keeps no process from ending.
"""

import os
import sys
import sysconfig
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from pathlib import Path
from types import FrameType
from typing import TypeVar

from bridge.sdk.threads.background import NO_THREAD

T = TypeVar("T")

CONSTRUCTOR_PATIENCE = 3.0
"""Seconds for the constructor of a connector or of a source of extensions, which asks nobody."""

_PYTHON = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))


class Hangs(Exception):
    """Code that has not come back in time; the message says where it stands: `crm.py:12`."""


def within(seconds: float, name: str, action: Callable[[], T]) -> T:
    """Return what `action` returns, or raise what it raises, from a thread of this name.

    Raises Hangs after so many seconds. If no thread is to be had, the action is done here, without a limit.
    """
    result: Future[T] = Future()

    def act() -> None:
        try:
            result.set_result(action())
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            result.set_exception(error)

    thread = threading.Thread(target=copy_context().run, args=(act,), name=name, daemon=True)
    try:
        thread.start()
    except NO_THREAD:
        return action()
    if not wait((result,), seconds).done:
        raise Hangs(_place(sys._current_frames().get(thread.ident or 0)))  # noqa: SLF001 - its documented name
    return result.result()


def _place(frame: FrameType | None) -> str:
    """Return where a thread stands: in the innermost code that is not Python's own."""
    last = frame
    while frame is not None and _is_of_python(frame.f_code.co_filename):
        frame = frame.f_back
    shown = last if frame is None or frame.f_code.co_filename == __file__ else frame
    return f"{Path(shown.f_code.co_filename).name}:{shown.f_lineno}" if shown else "an unknown place"


def _is_of_python(file: str) -> bool:
    return file.startswith("<") or (file.startswith(_PYTHON) and "site-packages" not in file)
