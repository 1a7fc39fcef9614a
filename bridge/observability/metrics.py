"""What Prometheus is told: counters that the calls feed, and gauges that are read when somebody looks.

Labels are outcomes, reasons and names of the configuration: bounded, never a number or a secret. With several processes
each keeps its figures in a file that all can read (`PROMETHEUS_MULTIPROC_DIR`), and whoever is asked adds them up:
https://prometheus.github.io/client_python/multiprocess/. The library looks for that folder while it is being imported,
so this module is imported in the worker, after the folder is there.
"""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bridge.lookup.answer import Freshness
from bridge.lookup.decision import Decision, Outcome
from bridge.observability.metrics_collectors import FiguresOfAll, ProcessMetrics, Shown
from bridge.service import Snapshot

CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.7, 1.8, 1.9, 2.0, 3.0)
"""Buckets that are closest around the deadline, 1.8 s, and the moment at which OMICall hangs up, 2 s."""

SOURCE_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 1.8, 3.0, 5.0, 10.0)

REASONS = ("unavailable", "busy", "rejected", "unexpected-answer", "bug", "late", "error")
"""The kinds of `bridge.sdk.errors`, bugs, and answers that came too late for a call.

A stranger's connector may call its failures as it likes: then `error`.
"""

REFUSED = ("path", "method", "network", "malformed", "too-long", "bug")
"""Why a request was answered before the endpoint."""

PURGED = ("done", "unauthorized", "busy", "malformed", "failed")
"""What came of a request to forget something."""

_DECIDED = (Outcome.FOUND, Outcome.NOBODY, Outcome.UNMAPPED)
_NO_CALL = {Outcome.BAD_REQUEST, Outcome.UNAUTHORIZED}


class Metrics:
    """The figures of one process, and the text that all processes' figures make."""

    def __init__(self) -> None:
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        self._registry = CollectorRegistry()
        self._figures = FiguresOfAll(Path(folder)) if folder else self._registry
        self._process = ProcessMetrics(self._registry)
        self._answers = self._counter("answers", "Calls answered, and how the answer was come by.", "outcome", "answer")
        self._answers_of: dict[tuple[Outcome, Freshness | None], Counter] = {}
        self._seconds = Histogram(
            "omi_bridge_answer_seconds",
            "Time from a call's arrival to its answer, in seconds; without wrong keys and malformed questions.",
            buckets=CALL_SECONDS,
            registry=self._registry,
        )
        self._turned_away = self._counter("turned_away", "Calls turned away because more came than can be answered.")
        refused = self._counter("requests_refused", "Requests answered before the endpoint, and why.", "reason")
        self._refused = {reason: refused.labels(reason) for reason in REFUSED}
        self._purges = self._counter("purges", "Requests of a CRM to forget something, and what came of it.", "result")
        self._requests = self._counter("connector_requests", "Lookups in a source that have ended.", "connector")
        self._failures = self._counter("connector_failures", "Lookups that failed, and why.", "connector", "reason")
        self._refusals = self._counter(
            "connector_refusals",
            "Calls for which a source was not asked: all its places are taken (busy), or it cannot be used.",
            "connector",
            "reason",
        )
        self._unread = self._counter(
            "connector_unread_numbers", "Telephone numbers in a source's answers that cannot be read.", "connector"
        )
        self._source_seconds = Histogram(
            "omi_bridge_connector_seconds",
            "Time of a lookup in a source, in seconds.",
            ["connector"],
            buckets=SOURCE_SECONDS,
            registry=self._registry,
        )
        self._lookups = self._counter("cache_lookups", "What the memory held for calls.", "connector", "result")
        self._open = self._gauge("connector_open", "1 while a source is left alone.", "livemax", "connector")
        self._in_flight = self._gauge("connector_in_flight", "Lookups under way in a source.", "livesum", "connector")
        self._entries = self._gauge("cache_entries", "Callers remembered.", "livesum", "connector")
        self._unmapped = self._gauge("owners_without_extension", "Owners seen that have no extension.", "livemax")
        self._ages = self._gauge("list_age_seconds", "Age of what is in force of a file or a list.", "livemax", "list")
        self._doubted = self._gauge("list_doubted", "1 while a list has shrunk too much.", "livemax", "list")
        self._read = self._gauge(
            "snapshot_read", "Customers read by now in the reading under way.", "livemax", "connector"
        )
        self._to_read = self._gauge("snapshot_total", "Customers that there are to read.", "livemax", "connector")
        self._alerts = self._counter("alerts", "Messages and pings: sent, or failed.", "channel", "result")
        self._alerts_waiting = self._gauge("alerts_waiting", "Messages still to be sent.", "livemax", "channel")
        self._troubles = self._gauge("troubles", "Parts that /healthz says are in trouble.", "livemax")
        self._round_trip = self._gauge("round_trip_seconds", "A long round trip to OMICall.", "livemax")
        build = self._gauge("build_info", "Version of omi-bridge and of Python.", "livemax", "version", "python")
        build.labels(version("omi-bridge"), platform.python_version()).set(1)
        self._begin_at_nought()

    def answered(self, decision: Decision, seconds: float) -> None:
        """Count an answer to OMICall."""
        kind = (decision.outcome, decision.freshness)
        if (answers := self._answers_of.get(kind)) is None:  # to find a series costs more than to count in it
            answers = self._answers_of[kind] = self._answers.labels(
                decision.outcome.value, decision.freshness or "none"
            )
        answers.inc()
        if decision.outcome not in _NO_CALL:  # whoever tries keys would make the answers look swift
            self._seconds.observe(seconds)

    def turned_away(self) -> None:
        """Count a call that there was no time for."""
        self._turned_away.inc()

    def alert_sent(self, channel: str) -> None:
        """Count a message or a ping that is out."""
        self._alerts.labels(channel, "sent").inc()

    def alert_failed(self, channel: str) -> None:
        """Count an attempt to send one that failed."""
        self._alerts.labels(channel, "failed").inc()

    def alerts_waiting(self, channel: str, count: int) -> None:
        """Take over how many messages are still to be sent."""
        self._alerts_waiting.labels(channel).set(count)

    def round_trip(self, seconds: float) -> None:
        """Take over how long hardly any round trip to OMICall is longer than."""
        self._round_trip.set(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that was answered before the endpoint."""
        self._refused[reason].inc()

    def purged(self, result: str) -> None:
        """Count a request to forget something."""
        self._purges.labels(result).inc()

    def of(self, connector: str) -> "SourceMetrics":
        """Return what counts for one connector; under a name that was there before, counting goes on."""
        return SourceMetrics(
            requests=self._requests.labels(connector),
            seconds=self._source_seconds.labels(connector),
            failures={reason: self._failures.labels(connector, reason) for reason in REASONS},
            refusals={reason: self._refusals.labels(connector, reason) for reason in ("unavailable", "busy")},
            unread_numbers=self._unread.labels(connector),
            lookups={how: self._lookups.labels(connector, how) for how in ("fresh", "stale", "nothing", "shared")},
        )

    def look(self, snapshot: Snapshot) -> None:
        """Take over what can only be read at a moment."""
        self._process.look()
        for connector in snapshot.connectors:
            self._open.labels(connector.name).set(connector.is_left_alone)
            self._in_flight.labels(connector.name).set(connector.in_flight)
            self._entries.labels(connector.name).set(connector.entries)
        for name, (read, total) in snapshot.read_ahead.items():
            self._read.labels(name).set(read)
            self._to_read.labels(name).set(total)
        for name, age in snapshot.ages.items():
            self._ages.labels(name).set(age)
            self._doubted.labels(name).set(name in snapshot.doubted)
        self._unmapped.set(snapshot.without_extension)
        self._troubles.set(snapshot.troubles)

    def text(self, snapshot: Snapshot) -> bytes:
        """Return all figures of what is still there in Prometheus' text format, those of the other processes added."""
        names = {"connector": {one.name for one in snapshot.connectors}, "list": set(snapshot.ages)}
        return generate_latest(Shown(self._figures, names))

    def _begin_at_nought(self) -> None:
        """Have what is counted there from the start: a rate knows nothing of a series that begins at one."""
        for outcome in Outcome:
            for answer in Freshness if outcome in _DECIDED else ("none",):
                self._answers.labels(outcome.value, answer)
        for result in PURGED:
            self._purges.labels(result)
        for channel in ("webhook", "email", "ping"):
            for result in ("sent", "failed"):
                self._alerts.labels(channel, result)
            self._alerts_waiting.labels(channel)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"omi_bridge_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, of_several: Literal["livemax", "livesum"], *labels: str) -> Gauge:
        """Make a gauge; `of_several` says what those of several processes come to."""
        return Gauge(f"omi_bridge_{name}", meaning, labels, registry=self._registry, multiprocess_mode=of_several)


@dataclass(frozen=True, slots=True)
class SourceMetrics:
    """Counts for one connector."""

    requests: Counter
    seconds: Histogram
    failures: Mapping[str, Counter]
    refusals: Mapping[str, Counter]
    unread_numbers: Counter
    lookups: Mapping[str, Counter]

    def remembered(self, how: str) -> None:
        """Count what the memory held for a call."""
        self.lookups[how].inc()

    def asked(self, seconds: float, failure: str = "") -> None:
        """Count a lookup in the source."""
        self.requests.inc()
        self.seconds.observe(seconds)
        if failure:
            self.failures.get(failure, self.failures["error"]).inc()

    def refused(self, reason: str) -> None:
        """Count a call for which the source was not asked."""
        self.refusals.get(reason, self.refusals["unavailable"]).inc()

    def unread(self) -> None:
        """Count a telephone number that cannot be read."""
        self.unread_numbers.inc()
