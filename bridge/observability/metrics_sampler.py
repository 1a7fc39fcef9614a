"""Looks at the service for what can only be read at a moment: when somebody asks, and with several processes ever anew.

Whoever is asked cannot look into the other processes: so each looks at itself every few seconds and leaves what it saw
where all can read it.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.service import Snapshot

if TYPE_CHECKING:  # prometheus_client is imported in the worker, after its folder is there
    from bridge.observability.metrics import Metrics

_log = logging.getLogger(__name__)

_EVERY = 5.0


class MetricsSampler:
    """Joins the figures with the service in force, which `snapshot` sees.

    `wait` waits for so many seconds and returns True when the looking is to end; a test gives its own.
    """

    def __init__(
        self, metrics: "Metrics", snapshot: Callable[[], Snapshot], wait: Callable[[float], bool] | None = None
    ) -> None:
        self._metrics = metrics
        self._snapshot = snapshot
        self._closing = threading.Event()
        self._wait = wait or self._closing.wait

    def start(self) -> None:
        """Begin to look, if others depend on it."""
        if self._metrics.are_shared:
            threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them."""
        snapshot = self._snapshot()
        self._metrics.look(snapshot)
        return self._metrics.text(snapshot)

    def close(self) -> None:
        """Stop looking."""
        self._closing.set()

    def _run(self) -> None:
        while True:
            try:
                self._metrics.look(self._snapshot())
            except Exception:  # noqa: BLE001 - not even a bug may end the looking for good
                _log.exception("a bug of omi-bridge")
            if self._wait(_EVERY):
                return
