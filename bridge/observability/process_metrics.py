"""Memory, processor time and open files, under the names that Prometheus' own libraries give them.

The library reads them for one process. With several, each writes its own like any other figure, and they are added up.
"""

import threading
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

_CPU = "process_cpu_seconds_total"


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
