"""What Prometheus would read from `/metrics`."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Event

from prometheus_client.parser import text_string_to_metric_families

from tests.support.service import RunningService

_PATIENCE = 20.0

Series = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class Scrape:
    """All series of a moment with their values."""

    text: str
    values: Mapping[Series, float]

    def __call__(self, name: str, **labels: str) -> float | None:
        """Return the value of a series, None if there is none."""
        return self.values.get((name, frozenset(labels.items())))

    @property
    def names(self) -> set[str]:
        """The names of all series."""
        return {name for name, _ in self.values}

    def labels_of(self, name: str) -> set[str]:
        """Return the labels that series of this name have."""
        return {label for found, labels in self.values if found == name for label, _ in labels}

    def of(self, label: str) -> set[str]:
        """Return the values that a label has anywhere."""
        return {value for _, labels in self.values for found, value in labels if found == label}


def read(text: str) -> Scrape:
    """Read Prometheus' text format."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return Scrape(text, {(one.name, frozenset(one.labels.items())): one.value for one in samples})


def scrape(service: RunningService) -> Scrape:
    """Ask for the figures."""
    found = service.page("/metrics")
    assert found.status == 200
    return read(found.text)


def scrape_until(service: RunningService, holds: Callable[[Scrape], object]) -> Scrape:
    """Ask again and again until it holds, and return the last figures in any case."""
    end = time.monotonic() + _PATIENCE
    while not holds(found := scrape(service)) and time.monotonic() < end:
        Event().wait(0.05)
    return found


def differences(one: Scrape, other: Scrape) -> Iterator[Series]:
    """Give the series that only one of them has."""
    yield from one.values.keys() ^ other.values.keys()
