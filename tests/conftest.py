"""What holds for every test: which lane it is in, and that it leaves nothing behind for the next one.

`make test` leaves out the tests that are marked `system`: those of the folders below, and single ones that say so. Who
forgets the mark is told: without it, a test can start no program but Python, and cannot sleep.
"""

import logging
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

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


def _refuse_what_is_system(event: str, arguments: tuple[object, ...]) -> None:
    if event not in {"subprocess.Popen", "time.sleep"} or not _running or _running[0].get_closest_marker("system"):
        return
    if event == "time.sleep":
        raise AssertionError("a test that sleeps is to be marked 'system', see CONTRIBUTING.md")
    if Path(str(arguments[0])).name not in _PYTHONS:
        raise AssertionError(f"a test that starts {arguments[0]} is to be marked 'system', see CONTRIBUTING.md")


sys.addaudithook(_refuse_what_is_system)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command sets up the log of its process; in a test that process is everybody's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI=true nothing may be missing: a skip, for want of a server or of rights, is a failure there."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
    return report
