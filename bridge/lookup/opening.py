"""Opening a connector: tried in the background until it succeeds.

What failed because the source is away is tried again within seconds: that costs the source nothing, and calls want it
as soon as it is back. What the source refused is tried ever more seldom: a sign-in that is refused too often locks the
account, and another one does not help before somebody has acted.
"""

import logging
import threading

from bridge.resilience.late_connector import LateConnector
from bridge.resilience.sanitizing import failure_of
from bridge.sdk.connector import AnyConnector
from bridge.sdk.errors import SourceError, SourceRejected
from bridge.sdk.shared import at_hand
from bridge.sdk.threads.background import BackgroundLoop, Wait

_log = logging.getLogger(__name__)

_PAUSE, _LONGEST_HOLD = 1.0, 60.0
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
            with at_hand(self._connector.shared):
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

    def _failed(self, error: SourceError) -> None:
        if self.trouble != str(error):
            _log.warning("connector %s cannot be opened yet: %s", self._name, error)
        self.trouble = str(error) or type(error).__name__
        self.is_rejected = isinstance(error, SourceRejected)

    def _try(self) -> float | None:
        """Try once; return after how many seconds to try again, None if it succeeded."""
        try:
            self.attempt()
        except SourceRejected:
            pause = self._pause_if_refused
            self._pause_if_refused = min(_LONGEST_PAUSE_IF_REFUSED, pause * 2)
            return pause
        except SourceError as error:
            return max(_PAUSE, min(_LONGEST_HOLD, getattr(error, "retry_after", None) or 0.0))
        return None
