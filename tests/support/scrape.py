"""What Prometheus would read from `/metrics`, and other pages that are asked for without a key."""

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Event

from prometheus_client.parser import text_string_to_metric_families

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


def page(port: int, path: str) -> tuple[int, str]:
    """Ask for a page without a key; return the status and the text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def scrape(port: int) -> Scrape:
    """Ask for the figures."""
    status, text = page(port, "/metrics")
    assert status == 200
    return read(text)


def scrape_until(port: int, holds: Callable[[Scrape], object]) -> Scrape:
    """Ask again and again until it holds, and return the last figures in any case."""
    end = time.monotonic() + _PATIENCE
    while not holds(found := scrape(port)) and time.monotonic() < end:
        Event().wait(0.05)
    return found


def differences(one: Scrape, other: Scrape) -> Iterator[Series]:
    """Give the series that only one of them has."""
    yield from one.values.keys() ^ other.values.keys()
