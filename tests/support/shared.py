"""A memory that several instances share, without a server: as it should be, or failing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.sdk import Clock, Shared, SharedValue


class FakeShared(Shared):
    """Values by name with the time at which they were put; `broken` is one that knows nothing any more."""

    def __init__(self, clock: Clock) -> None:
        self.values: dict[str, tuple[bytes, float, float]] = {}
        self.broken = False
        self._clock = clock
        self._lock = threading.Lock()

    def get(self, name: str) -> SharedValue | None:
        content, put_at, seconds = self.values.get(name, (b"", 0.0, 0.0))
        age = self._clock() - put_at
        return SharedValue(content, age) if age < seconds and not self.broken else None

    def put(self, name: str, content: bytes, seconds: float, *, wait: bool = False) -> None:  # noqa: ARG002 - never late
        if not self.broken:
            self.values[name] = content, self._clock(), seconds

    @contextmanager
    def lock(self, name: str, seconds: float, patience: float | None = None) -> Iterator[None]:
        assert name
        assert seconds >= (seconds if patience is None else patience) > 0
        if self.broken:
            yield
            return
        with self._lock:
            yield
