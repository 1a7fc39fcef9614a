"""An answer that is kept waiting: how tests see one call while another one is under way."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bridge.testing.fake_crm import FakeCrm, ReceivedRequest
from bridge.testing.scripted_server import PATIENCE, Connection


class Hold:
    """Lets the answers to the chosen requests wait until it is released, at the end of a `with` at the latest."""

    def __init__(self, crm: FakeCrm, chosen: Callable[[ReceivedRequest], bool]) -> None:
        self._chosen = chosen
        self._before = crm.script
        self._arrived = threading.Event()
        self._released = threading.Event()
        crm.script = self._script

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def arrived(self, seconds: float = PATIENCE) -> bool:
        """Wait until such a request is there; false if none comes."""
        return self._arrived.wait(seconds)

    def release(self) -> None:
        """Let them be answered."""
        self._released.set()

    def _script(self, connection: Connection, request: ReceivedRequest) -> None:
        if self._chosen(request):
            self._arrived.set()
            self._released.wait(PATIENCE)
        self._before(connection, request)
