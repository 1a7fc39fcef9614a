"""Looking up a host's addresses without waiting longer than the deadline.

The system's resolver cannot be given a time limit: with a dead name server it blocks for many seconds. So the question
runs in a thread of its own, one for each name however many calls ask, and each asker waits only as long as it may. A
question that is not answered soon is lost, usually (the system repeats it after five seconds): so another is asked,
up to a few at a time. A thread that nobody waits for any more ends when the system's resolver gives up.
"""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from bridge.sdk.deadline import Clock, Deadline

Address = tuple[int, int, int, str, Any]
"""One answer of `socket.getaddrinfo`."""

_LOST_AFTER = 1.5
_MOST_AT_ONCE = 8

_LookUp = Callable[..., Sequence[Any]]


class Resolver:
    """Asks the system for addresses; may be used by many threads at once."""

    def __init__(self, look_up: _LookUp = socket.getaddrinfo, clock: Clock = time.monotonic) -> None:
        self._look_up = look_up
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], dict[Future[Sequence[Address]], float]] = {}

    def addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[Address]:
        """Return the addresses of the host in the system's order of preference.

        Raises TimeoutError if there is no answer in time, and OSError (`socket.gaierror`) if there is no such host.
        """
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(host)
            return self._look_up(host, port, type=socket.SOCK_STREAM)
        return self._ask(host, port).result(timeout=deadline.remaining())

    def _ask(self, host: str, port: int) -> "Future[Sequence[Address]]":
        """Return the answer to come of the question under way, or of a new one if that seems to be lost."""
        with self._lock:
            asked = self._under_way.setdefault((host, port), {})
            latest = next(reversed(asked), None)
            if latest is not None and (len(asked) >= _MOST_AT_ONCE or self._clock() - asked[latest] < _LOST_AFTER):
                return latest
            answer: Future[Sequence[Address]] = Future()
            asked[answer] = self._clock()
            threading.Thread(target=self._answer, args=(host, port, answer), name="resolver", daemon=True).start()
            return answer

    def _answer(self, host: str, port: int, answer: "Future[Sequence[Address]]") -> None:
        try:
            found = self._look_up(host, port, type=socket.SOCK_STREAM)
        except Exception as error:  # noqa: BLE001 - handed over to whoever waits
            self._forget(host, port, answer)
            answer.set_exception(error)
        else:
            self._forget(host, port, answer)
            answer.set_result(found)

    def _forget(self, host: str, port: int, answer: "Future[Sequence[Address]]") -> None:
        with self._lock:
            asked = self._under_way[host, port]
            del asked[answer]
            if not asked:
                del self._under_way[host, port]
