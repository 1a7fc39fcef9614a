"""Opening a connector: tried in the background until it succeeds, and nobody's call waits for it."""

import logging
import threading

from bridge.resilience.sanitizing import failure_of
from bridge.sdk.background import BackgroundLoop, Wait
from bridge.sdk.connector import AnyConnector
from bridge.sdk.errors import SourceError, SourceRejected

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0


class Opening:
    """Whether one connector is open, and why not."""

    def __init__(self, name: str, connector: AnyConnector, wait: Wait | None = None) -> None:
        self.trouble = "is still being opened"
        """Why the connector is not open, or nothing if it is."""
        self._name = name
        self._connector = connector
        self._loop = BackgroundLoop(f"open-{name}", self._try, wait=wait)
        self._pause = _FIRST_PAUSE
        self._tried = threading.Event()

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
            self._connector.open()
        except BaseException as error:  # noqa: BLE001 - a stranger's code may even call sys.exit()
            failure = failure_of(self._name, error)
            self._failed(failure)
            raise failure from None
        else:
            self.trouble = ""
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

    def _try(self) -> float | None:
        pause = self._pause
        try:
            self.attempt()
        except SourceRejected:  # signing in too often locks us out
            self._pause = min(_LONGEST_PAUSE, pause * 2)
        except SourceError:
            pass
        else:
            return None
        return pause
