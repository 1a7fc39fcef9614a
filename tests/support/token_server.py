"""A server of tokens, and how long a test waits for it."""

import threading

from bridge.sdk import AccessToken, Deadline
from tests.support.fakes import FakeClock

PATIENCE = 10.0


class Server:
    """Issues numbered tokens; may be told to wait, and to fail."""

    def __init__(self, clock: FakeClock, lifetime: float | None = 1000.0) -> None:
        self.clock = clock
        self.lifetime = lifetime
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Semaphore(0)
        self.issued = 0
        self.failure: Exception | None = None

    def fetch(self, _: Deadline) -> AccessToken:
        self.issued += 1
        number = self.issued
        self.asked.release()
        assert self.open.wait(PATIENCE)
        if self.failure:
            raise self.failure
        return AccessToken({"n": number}, self.clock(), self.lifetime, {"session": f"s{number}"})
