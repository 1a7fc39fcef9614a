"""What holds for every test: which lane it is in, and that it leaves nothing behind for the next one.

`make test` leaves out the tests that are marked `system`: those of the folders below, and single ones that say so. Who
forgets the mark is told: without it, a test can start no program but Python.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

SYSTEM_FOLDERS = ("deploy", "faults", "service")
"""Folders of tests that are all `system`."""

_HERE = Path(__file__).parent
_PYTHONS = {Path(sys.executable).name, "python", "python3"}
_running: list[pytest.Item] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(_HERE).parts[0] in SYSTEM_FOLDERS:
            item.add_marker("system")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Remember which test is under way, with its fixtures."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


_started_by_popen = subprocess.Popen.__init__


def _start(process: subprocess.Popen[Any], command: Any, *rest: Any, **options: Any) -> None:
    """Start a program, unless the test that is under way is a quick one and the program is not Python."""
    program = Path(str(command if isinstance(command, str) else command[0])).name
    quick = _running and not _running[0].get_closest_marker("system")
    if quick and program not in _PYTHONS:
        raise AssertionError(f"a test that starts {program} is to be marked 'system', see CONTRIBUTING.md")
    _started_by_popen(process, command, *rest, **options)


subprocess.Popen.__init__ = _start


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command sets up the log of its process; in a test that process is everybody's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def _log_of_this_test(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What a test before has left running may still have something to say: `caplog` has none of it.

    A kept thread that has done the work from before may do this test's, under another name.
    """
    before = WeakKeyDictionary((thread, thread.name) for thread in threading.enumerate() if thread.name != "idle")
    before.pop(threading.current_thread())

    def is_of_this_test(_record: logging.LogRecord) -> bool:
        thread = threading.current_thread()
        return before.get(thread) != thread.name

    caplog.handler.addFilter(is_of_this_test)
    yield
    caplog.handler.removeFilter(is_of_this_test)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI=true nothing may be missing: a skip, for want of a server or of rights, is a failure there."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
    return report
