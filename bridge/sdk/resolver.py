"""Looking up a host's addresses without waiting longer than the deadline.

The system's resolver cannot be given a time limit: with a dead name server it blocks for many seconds. So the question
runs in a thread of its own, one for each name however many calls ask, and each asker waits only as long as it may. A
question that is not answered soon is lost, usually (the system repeats it after five seconds): so another is asked,
up to a few at a time in all. A thread that nobody waits for any more ends when the system's resolver gives up.
"""

import contextlib
import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bridge.sdk.deadline import Clock, Deadline
from bridge.sdk.errors import SourceBusy
from bridge.sdk.threads.single_flight import SingleFlight

Address = tuple[int, int, int, str, Any]
"""One answer of `socket.getaddrinfo`."""

_LOST_AFTER = 1.5
_MOST_AT_ONCE = 16

_LookUp = Callable[..., Sequence[Any]]


class Resolver:
    """Asks the system for addresses; may be used by many threads at once."""

    def __init__(self, look_up: _LookUp = socket.getaddrinfo, clock: Clock = time.monotonic) -> None:
        self._look_up = look_up
        self._clock = clock
        self._questions: SingleFlight[Sequence[Address]] = SingleFlight("resolver", _MOST_AT_ONCE)

    def addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[Address]:
        """Return the addresses of the host in the system's order of preference.

        Raises TimeoutError if there is no answer in time, and OSError (`socket.gaierror`) if there is no such host.
        """
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(host)
            return self._look_up(host, port, type=socket.SOCK_STREAM)
        try:
            lost_after = Deadline.after(_LOST_AFTER, self._clock)
            asked = self._questions.start((host, port), partial(self._ask, host, port), lost_after)
        except SourceBusy as busy:
            latest = self._questions.latest((host, port))
            if latest is None:
                raise TimeoutError(str(busy)) from None
            asked = latest
        return asked.result.result(timeout=deadline.remaining())

    def _ask(self, host: str, port: int) -> Sequence[Address]:
        return self._look_up(host, port, type=socket.SOCK_STREAM)
