"""What the instances of a service know together: a small part of the contract, for connectors that sign in.

Where nothing is shared, each instance is alone: every name is unknown, and every lock is free. So whoever uses this
needs no second way of working, and a shared memory that fails is just one that knows nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SharedValue:
    """What an instance has put, and how many seconds ago; the machines' clocks play no part in that."""

    content: bytes = field(repr=False)
    age: float


class Shared:
    """Named values of one connector. No method raises, and `get` and `put` wait for a tenth of a second at most.

    As it stands here nothing is shared. Contents are encrypted wherever they are kept.
    """

    def get(self, name: str) -> SharedValue | None:  # noqa: ARG002 - part of the interface
        """Return what is known under a name, or None."""
        return None

    def put(self, name: str, content: bytes, seconds: float, *, wait: bool = False) -> None:
        """Let the others know this for so many seconds, unless one of them has put something newer.

        It is on its way then; with `wait` it is there, or the time for waiting is over.
        """

    @contextmanager
    def lock(self, name: str, seconds: float, patience: float | None = None) -> Iterator[None]:  # noqa: ARG002 - part of the interface
        """Hold the lock of this name for `seconds` at most; wait for it for `patience` at most, else for as long.

        It keeps the instances from doing the same work at the same time, and promises nothing: when the patience ends,
        or if the shared memory fails, the block runs all the same. What is put under the same name frees the lock at
        the same moment, so that whoever comes next finds it.
        """
        yield

    def once(
        self,
        name: str,
        make: Callable[[], bytes],
        *,
        seconds: float,
        patience: float,
        good: Callable[[bytes], bool] = lambda _content: True,
    ) -> SharedValue:
        """Return what an instance made within the last `seconds`, if it is `good`, or make it while the others wait.

        `patience` is for how long making it may keep the others waiting. Raises what `make` raises.
        """
        with self.lock(name, patience):
            known = self.get(name)
            if known and known.age < seconds and good(known.content):
                return known
            made = make()
            self.put(name, made, seconds)
            return SharedValue(made, 0.0)
