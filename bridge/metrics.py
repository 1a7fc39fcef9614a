"""What Prometheus is told: counters that the calls feed, and gauges that are read when somebody looks.

Labels are outcomes, reasons and the connectors' names: bounded by the code and the configuration, never a number or a
secret. With several processes each keeps its figures in a file that all can read (`PROMETHEUS_MULTIPROC_DIR`), and
whoever is asked adds them up: https://prometheus.github.io/client_python/multiprocess/. The library looks for that
folder while it is being imported, so this module is imported in the worker, after the folder is there.
"""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from typing import Literal, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from bridge.decision import Decision

CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.7, 1.8, 1.9, 2.0, 3.0)
"""Buckets that are closest around the deadline, 1.8 s, and the moment at which OMICall hangs up, 2 s."""

SOURCE_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 1.8, 3.0, 5.0, 10.0)


class Gauged(Protocol):
    """What can be read of one connector at any time."""

    name: str

    @property
    def is_left_alone(self) -> bool:
        """Whether its breaker is open."""

    @property
    def in_flight(self) -> int:
        """How many lookups are under way in the source."""

    @property
    def entries(self) -> int:
        """How many callers are remembered."""


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._shared = bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))
        self._registry = registry = CollectorRegistry()
        if not self._shared:
            ProcessCollector(registry=registry)
        self._answers = Counter("omi_bridge_answers", "Calls answered.", ["outcome", "answer"], registry=registry)
        self._seconds = Histogram(
            "omi_bridge_answer_seconds",
            "Time from a call's arrival to its answer.",
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "omi_bridge_connector_requests", "Lookups in a source.", ["connector"], registry=registry
        )
        self._failures = Counter(
            "omi_bridge_connector_failures", "Lookups that failed.", ["connector", "reason"], registry=registry
        )
        self._source_seconds = Histogram(
            "omi_bridge_connector_seconds",
            "Time of a lookup.",
            ["connector"],
            buckets=SOURCE_SECONDS,
            registry=registry,
        )
        self._lookups = Counter(
            "omi_bridge_cache_lookups", "What the memory held for calls.", ["connector", "result"], registry=registry
        )
        self._gauges = {
            "connector_open": _gauge(
                registry, "connector_open", "1 while a source is left alone.", ["connector"], "livemax"
            ),
            "connector_in_flight": _gauge(
                registry, "connector_in_flight", "Lookups under way in a source.", ["connector"], "livesum"
            ),
            "cache_entries": _gauge(registry, "cache_entries", "Callers remembered.", ["connector"], "livesum"),
            "owners_without_extension": _gauge(
                registry, "owners_without_extension", "Owners seen that have no extension.", [], "livemax"
            ),
            "list_age_seconds": _gauge(
                registry, "list_age_seconds", "Age of the content in force of a file or list.", ["list"], "livemax"
            ),
            "build_info": _gauge(
                registry, "build_info", "Version of omi-bridge and of Python.", ["version", "python"], "livemax"
            ),
        }
        self._gauges["build_info"].labels(version("omi-bridge"), platform.python_version()).set(1)

    def answered(self, decision: Decision, seconds: float) -> None:
        """Count an answer to OMICall."""
        self._answers.labels(decision.outcome.value, decision.freshness or "none").inc()
        self._seconds.observe(seconds)

    def of(self, connector: str) -> "SourceMetrics":
        """Return what counts for one connector."""
        return SourceMetrics(
            self._requests.labels(connector),
            self._failures,
            self._source_seconds.labels(connector),
            self._lookups,
            connector,
        )

    def look(self, guards: Iterable[Gauged], without_extension: int, ages: Iterable[tuple[str, float]]) -> None:
        """Take over what can only be read at a moment. `ages` are of files and lists, in seconds."""
        for guard in guards:
            self._gauges["connector_open"].labels(guard.name).set(guard.is_left_alone)
            self._gauges["connector_in_flight"].labels(guard.name).set(guard.in_flight)
            self._gauges["cache_entries"].labels(guard.name).set(guard.entries)
        self._gauges["owners_without_extension"].set(without_extension)
        for name, age in ages:
            self._gauges["list_age_seconds"].labels(name).set(age)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format, those of the other processes added."""
        if not self._shared:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


Mode = Literal["livemax", "livesum"]
"""What several processes' gauges come to; `live`: only those of processes that still live."""


def _gauge(registry: CollectorRegistry, name: str, meaning: str, labels: list[str], mode: Mode) -> Gauge:
    return Gauge(f"omi_bridge_{name}", meaning, labels, registry=registry, multiprocess_mode=mode)


class SourceMetrics:
    """Counts for one connector."""

    def __init__(self, requests: Counter, failures: Counter, seconds: Histogram, lookups: Counter, name: str) -> None:
        self._requests = requests
        self._failures = failures
        self._seconds = seconds
        self._lookups = {how: lookups.labels(name, how) for how in ("fresh", "stale", "nothing")}
        self._name = name

    def remembered(self, how: str) -> None:
        """Count what the memory held for a call."""
        self._lookups[how].inc()

    def asked(self, seconds: float, failure: str = "") -> None:
        """Count a lookup in the source."""
        self._requests.inc()
        self._seconds.observe(seconds)
        if failure:
            self._failures.labels(self._name, failure).inc()
