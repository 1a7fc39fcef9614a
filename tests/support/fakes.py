"""Hand-written stand-ins: a clock that moves when told, and a connector that answers as told."""

import threading
from collections.abc import Callable, Sequence

from bridge.connector import Call, Connector, ConnectorConfig, Owner
from bridge.deadline import Deadline

Answer = Callable[[Call, Deadline], Sequence[Owner]]


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
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
        self.open_error: Exception | None = None

    def open(self) -> None:
        self.opened += 1
        if self.open_error:
            raise self.open_error

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        self.asked.append(call)
        return self.answer(call, deadline)

    def close(self) -> None:
        self.closed += 1


def nobody(_call: Call, _deadline: Deadline) -> Sequence[Owner]:
    return ()


def owned_by(*owners: Owner) -> Answer:
    return lambda _call, _deadline: owners


def failing(error: BaseException) -> Answer:
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
        self.entered.release()
        assert self.opened.wait(10)
        return self._answer(call, deadline)

    def wait_until_entered(self) -> None:
        assert self.entered.acquire(timeout=10)

    def release(self) -> None:
        self.opened.set()
