"""Opening a connector: tried in the background until it succeeds, and nobody's call waits for it."""

import logging
import threading
from collections.abc import Callable

from bridge.resilience.sanitizing import failure_of
from bridge.sdk.connector import AnyConnector
from bridge.sdk.errors import SourceError, SourceRejected

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0


class Opening:
    """Whether one connector is open, and why not. `wait` waits for so many seconds and returns True at the end."""

    def __init__(self, name: str, connector: AnyConnector, wait: Callable[[float], bool]) -> None:
        self.trouble = "is still being opened"
        """Why the connector is not open, or nothing if it is."""
        self._name = name
        self._connector = connector
        self._wait = wait
        self._tried = threading.Event()

    def start(self) -> None:
        """Open the connector in a thread of its own."""
        threading.Thread(target=self.run, name=f"open-{self._name}", daemon=True).start()

    def run(self) -> None:
        """Open the connector, and try again until it succeeds or `wait` says that it is over."""
        pause = _FIRST_PAUSE
        while True:
            try:
                self.attempt()
            except SourceError as error:
                if self._wait(pause):
                    return
                if isinstance(error, SourceRejected):  # signing in too often locks us out
                    pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                return

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
