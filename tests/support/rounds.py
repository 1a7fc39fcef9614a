"""A wait that a test holds in its hand."""

import threading


class Rounds:
    """Stands in for waiting: the thread that waits goes round once for each `step`, and stops at `end`."""

    def __init__(self) -> None:
        self._waiting = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self._ended = False

    def __call__(self, seconds: float) -> bool:
        """Wait as the watched code does: until the test steps."""
        assert seconds > 0
        self._waiting.release()
        self._go.acquire()
        return self._ended

    def step(self, times: int = 1) -> None:
        """Let the thread go round, and return when it waits again."""
        for _ in range(times):
            assert self._waiting.acquire(timeout=60), "the thread never waited"
            self._go.release()
        assert self._waiting.acquire(timeout=60), "the thread did not come back"
        self._waiting.release()

    def step_last(self) -> None:
        """Let the thread go round, and return at once, for it is not going to wait again."""
        assert self._waiting.acquire(timeout=60), "the thread never waited"
        self._go.release()

    def end(self) -> None:
        """Let the thread end."""
        self._ended = True
        self._go.release()
