"""The figures that the faults came to, told at the end of the run and kept beside the tests' other files."""

import os

import pytest

_LINES: pytest.StashKey[list[str]] = pytest.StashKey()


@pytest.fixture(scope="session", autouse=True)
def _services_are_not_measured():
    """What measures coverage makes a service slow, and these tests are about time."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("COVERAGE")]:
            environment.delenv(name)
        yield


@pytest.fixture(scope="session")
def record_figures(request, tmp_path_factory):
    lines = request.config.stash.setdefault(_LINES, [])
    yield lines.append
    (tmp_path_factory.getbasetemp() / "fault-figures.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash.get(_LINES, []):
        terminalreporter.write_line(line)
