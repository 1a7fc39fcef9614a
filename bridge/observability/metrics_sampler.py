"""Looks at the service for what can only be read at a moment: when somebody asks, and every few seconds.

Whoever is asked cannot look into the other processes: so each leaves what it saw of itself where all can read it. And a
trouble has a beginning though nobody asked just then.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.sdk.threads.background import BackgroundLoop, Wait
from bridge.service import Snapshot

if TYPE_CHECKING:  # prometheus_client is imported in the worker, after its folder is there
    from bridge.observability.metrics import Metrics

_EVERY = 5.0


class MetricsSampler:
    """Joins the figures with the service in force, which `snapshot` sees."""

    def __init__(self, metrics: "Metrics", snapshot: Callable[[], Snapshot], wait: Wait | None = None) -> None:
        self._metrics = metrics
        self._snapshot = snapshot
        self._loop = BackgroundLoop("metrics", self._look, wait=wait)

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them."""
        snapshot = self._snapshot()
        self._metrics.look(snapshot)
        return self._metrics.text(snapshot)

    def close(self) -> None:
        """Stop looking."""
        self._loop.close(0)

    def _look(self) -> float:
        self._metrics.look(self._snapshot())
        return _EVERY
