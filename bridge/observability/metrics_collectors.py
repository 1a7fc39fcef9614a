"""Figures that are not ours alone: those of the process, of all processes, and which of these are shown.

The library reads the process' memory, processor time and open files for one process. With several, each writes its own
like any other figure, under the names that Prometheus' own libraries give them, and they are added up. Nor can the
library forget a series that several processes write: so those of connectors and lists that a reload has taken away are
left out when the text is made. If one comes back under the same name, it goes on where it was.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, ProcessCollector
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_CPU = "process_cpu_seconds_total"


class Shown(Collector):
    """The figures of `source`; where a label stands in `names`, only those with one of its values."""

    def __init__(self, source: Collector, names: Mapping[str, AbstractSet[str]]) -> None:
        self._source = source
        self._names = names

    def collect(self) -> Iterator[Metric]:
        """Give the figures, without the times at which they began: Prometheus has no use for these."""
        for family in self._source.collect():
            shown = Metric(family.name, family.documentation, family.type)
            shown.samples = [
                sample
                for sample in family.samples
                if not sample.name.endswith("_created")
                and all(sample.labels.get(label) in (None, *known) for label, known in self._names.items())
            ]
            yield shown


class FiguresOfAll(Collector):
    """What all processes have written into `folder`.

    The library's own collector ends with an error at a file that is just being made: it reads the length that stands
    at the beginning of each.
    Source: https://github.com/prometheus/client_python/blob/v0.23.1/prometheus_client/mmap_dict.py
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Give the sums over the processes, without those that have not yet written anything."""
        files = [str(file) for file in self._folder.glob("*.db") if _is_begun(file)]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return metrics


def _is_begun(file: Path) -> bool:
    with suppress(FileNotFoundError):  # those of a process that has ended are removed
        return file.stat().st_size > 0
    return False


class ProcessMetrics:
    """What `/proc` says of this process; nothing where there is no `/proc`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._source = ProcessCollector(registry=None)
        self._gauges: dict[str, Gauge] = {}
        self._cpu = Counter("process_cpu_seconds", "User and system processor time in seconds.", registry=registry)
        self._counted = 0.0
        self._lock = threading.Lock()

    def look(self) -> None:
        """Take over the figures of this moment."""
        with self._lock:
            for family in self._source.collect():
                for sample in family.samples:
                    if sample.name == _CPU:
                        self._cpu.inc(max(0.0, sample.value - self._counted))
                        self._counted = sample.value
                    else:
                        self._gauge(sample.name, family.documentation).set(sample.value)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        if name not in self._gauges:
            mode: Literal["livemin", "livesum"] = "livemin" if name == "process_start_time_seconds" else "livesum"
            self._gauges[name] = Gauge(name, meaning, registry=self._registry, multiprocess_mode=mode)
        return self._gauges[name]
