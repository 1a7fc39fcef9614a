"""Opening a connector: tried in the background until it succeeds.

What failed because the source is away is tried again within seconds: that costs the source nothing, and calls want it
as soon as it is back. What the source refused is tried ever more seldom: a sign-in that is refused too often locks the
account, and another one does not help before somebody has acted. What fails in one process of the machine need not be
tried in the others until its pause is over; files are, for each holds them itself.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.resilience.late_connector import LateConnector
from bridge.resilience.sanitizing import failure_of
from bridge.sdk.connector import AnyConnector
from bridge.sdk.errors import SourceError, SourceRejected
from bridge.sdk.shared import at_hand
from bridge.sdk.threads.background import BackgroundLoop, Wait

_log = logging.getLogger(__name__)

_PAUSE, _LONGEST_HOLD = 1.0, 60.0
_PATIENCE = 1.0
"""Seconds for which one process waits for what becomes of another one's attempt."""

_FIRST_PAUSE_IF_REFUSED, _LONGEST_PAUSE_IF_REFUSED = 2.0, 60.0


class Opening:
    """Whether one connector is open, and why not."""

    def __init__(self, name: str, connector: AnyConnector, wait: Wait | None = None) -> None:
        self.trouble = connector.waits if isinstance(connector, LateConnector) else "is still being opened"
        """Why the connector is not open, or nothing if it is."""
        self.is_rejected = False
        """Whether it was refused, so that nothing changes until somebody acts."""
        self._name = name
        self._connector = connector
        self._loop = BackgroundLoop(f"open-{name}", self._try, wait=wait)
        self._pause_if_refused = _FIRST_PAUSE_IF_REFUSED
        self._tried = threading.Event()
        if isinstance(connector, LateConnector):
            self._tried.set()  # it has had its time: no call waits for it

    def start(self) -> None:
        """Open the connector in a thread of its own, and try again there until it succeeds."""
        self._loop.start()

    def close(self) -> None:
        """Try no more."""
        self._loop.close(0)

    @property
    def is_tried(self) -> bool:
        """Whether the first attempt is over, with whatever result."""
        return self._tried.is_set()

    def attempt(self) -> None:
        """Open the connector once; raises SourceError if that is not possible now."""
        try:
            with at_hand(self._connector.shared), self._once():
                self._connector.open()
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            failure = failure_of(self._name, error)
            self._failed(failure)
            raise failure from None
        else:
            self.trouble, self.is_rejected = "", False
        finally:
            self._tried.set()

    def wait(self, seconds: float) -> str:
        """Wait for the first attempt, `seconds` at most; return why the connector is not open, or nothing if it is."""
        self._tried.wait(seconds)
        return self.trouble

    @contextmanager
    def _once(self) -> Iterator[None]:
        """Open, unless another process has just failed at it."""
        if not self._connector.needs_network:
            yield
            return
        shared = self._connector.shared
        with shared.here.lock("open", _PATIENCE), shared.failing_once("open", self._pause_after):
            yield

    def _pause_after(self, error: SourceError) -> float:
        """Return for how many seconds not to try again."""
        if isinstance(error, SourceRejected):
            return self._pause_if_refused
        return max(_PAUSE, min(_LONGEST_HOLD, getattr(error, "retry_after", None) or 0.0))

    def _failed(self, error: SourceError) -> None:
        if self.trouble != str(error):
            _log.warning("connector %s cannot be opened yet: %s", self._name, error)
        self.trouble = str(error) or type(error).__name__
        self.is_rejected = isinstance(error, SourceRejected)

    def _try(self) -> float | None:
        """Try once; return after how many seconds to try again, None if it succeeded."""
        try:
            self.attempt()
        except SourceError as error:
            pause = self._pause_after(error)
            if isinstance(error, SourceRejected):
                self._pause_if_refused = min(_LONGEST_PAUSE_IF_REFUSED, pause * 2)
            return pause
        return None
