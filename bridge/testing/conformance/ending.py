"""pytest comes to its end, whatever a connector has left running.

Python waits for threads that are no daemons, and for the workers of thread pools, before it ends: a connector that
leaves one behind would keep a pytest from ending that has told everything already.
"""

import os
import sys
import threading
import time

import pytest

_PATIENCE = 3.0
_KNOWN = pytest.StashKey[bool]()


def end_pytest_whatever_runs(config: pytest.Config) -> None:
    """See to it that this pytest ends a few seconds after its last word; once for each."""
    if not config.stash.get(_KNOWN, False):
        config.stash[_KNOWN] = True
        config.add_cleanup(_stand_by)


def _stand_by() -> None:
    """Begin to watch if anything is left that Python may wait for."""
    if threading.active_count() > 1:
        threading.Thread(target=_end, name="end of the tests", daemon=True).start()


def _end() -> None:
    threading.main_thread().join()  # is over for Python as soon as it waits for the others
    time.sleep(_PATIENCE)
    names = ", ".join(repr(thread.name) for thread in threading.enumerate() if thread is not threading.current_thread())
    sys.stderr.write(f"\nthe tests are over, but not what they started: {names}. Ended all the same.\n")
    sys.stderr.flush()
    os._exit(1)
