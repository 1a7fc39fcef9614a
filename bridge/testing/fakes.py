"""Stand-ins: a clock that moves when it is told to, and a connector that answers what it is told to."""

import threading
from collections.abc import Callable, Sequence

from bridge.sdk.connector import Call, Connector, ConnectorConfig, Owner
from bridge.sdk.deadline import Deadline

Answer = Callable[[Call, Deadline], Sequence[Owner]]
"""What a `FakeConnector` does when it is asked."""

_PATIENCE = 10.0


class FakeClock:
    """A `bridge.sdk.deadline.Clock` that stands still between two calls of `advance`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += seconds


class FakeConnector(Connector[ConnectorConfig]):
    """Answers what `answer` says, and remembers what it was asked."""

    Config = ConnectorConfig

    def __init__(self, config: ConnectorConfig | None = None, answer: Answer | None = None) -> None:
        super().__init__(config or ConnectorConfig())
        self.answer = answer or nobody
        self.asked: list[Call] = []
        self.opened = 0
        self.closed = 0
        self.open_error: BaseException | None = None

    def open(self) -> None:
        """Count, and fail if that was asked for."""
        self.opened += 1
        if self.open_error:
            raise self.open_error

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        """Answer as told."""
        self.asked.append(call)
        return self.answer(call, deadline)

    def close(self) -> None:
        """Count."""
        self.closed += 1


def nobody(_call: Call, _deadline: Deadline) -> Sequence[Owner]:
    """Answer that nobody looks after the caller."""
    return ()


def owned_by(*owners: Owner) -> Answer:
    """Return an answer: these owners, whoever calls."""
    return lambda _call, _deadline: owners


def failing(error: BaseException) -> Answer:
    """Return an answer that is none: the error is raised."""

    def fail(_call: Call, _deadline: Deadline) -> Sequence[Owner]:
        raise error

    return fail


class Gate:
    """An answer that does not come before `release`, and tells when somebody waits for it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        """Answer once the gate is open."""
        self.entered.release()
        _must(self.opened.wait(_PATIENCE), "the gate was never opened")
        return self._answer(call, deadline)

    def wait_until_entered(self) -> None:
        """Wait until one more call stands at the gate."""
        _must(self.entered.acquire(timeout=_PATIENCE), "nobody came to the gate")

    def release(self) -> None:
        """Open the gate for good."""
        self.opened.set()


def _must(happened: bool, otherwise: str) -> None:
    if not happened:
        raise AssertionError(otherwise)
