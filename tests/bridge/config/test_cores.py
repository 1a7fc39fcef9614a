"""How many processes `auto` makes: as many as there are processors, as far as the system gives them."""

import os

import pytest

from bridge.config.cores import parse_workers, usable_cores
from bridge.config.sections import Server


@pytest.fixture
def processors(monkeypatch):
    return lambda number: monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(number)))


@pytest.mark.parametrize(
    ("there", "quota", "usable"),
    [
        (8, None, 8),
        (8, "max 100000\n", 8),
        (8, "150000 100000\n", 2),
        (8, "20000 100000\n", 1),
        (2, "400000 100000\n", 2),
        (8, "rubbish", 8),
    ],
)
def test_a_quota_of_a_container_counts_as_well_as_the_processors(processors, tmp_path, there, quota, usable):
    processors(there)
    file = tmp_path / "cpu.max"
    if quota is not None:
        file.write_text(quota, encoding="ascii")
    assert usable_cores(file) == usable


@pytest.mark.parametrize(("there", "made"), [(1, 1), (2, 2), (4, 4), (64, 4)])
def test_auto_makes_four_processes_at_most_and_a_number_is_what_it_says(processors, there, made):
    processors(there)
    assert Server(workers="auto").workers == parse_workers("auto") <= made
    assert Server(workers=7).workers == Server(workers="7").workers == 7
