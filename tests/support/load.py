"""Callers who call whether the service is slow or not, and what they see.

The load is an open loop: each call starts at its planned moment, in a thread of its own, however many are waiting.
Time is taken at the client, from before it connects until it has read everything.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from tests.support.service import Reply

LIMIT = 2.0
"""Seconds that OMICall waits."""


@dataclass(frozen=True)
class Caller:
    """Who calls which hotline, and the extension that is right; none for nobody."""

    phone: str
    hotline: str = ""
    extension: str = ""
    known: bool = False
    """Whether he has been answered right before."""


@dataclass(frozen=True)
class Seen:
    """What became of one call. `began` is in seconds of `time.monotonic`; `lag` is how late the load itself was."""

    caller: Caller
    began: float
    seconds: float
    body: str
    outcome: str
    request_id: str
    lag: float = 0.0

    @property
    def late(self) -> bool:
        return self.seconds > LIMIT or self.outcome == "lost"

    @property
    def right(self) -> bool:
        return self.outcome != "lost" and self.body == self.caller.extension

    @property
    def wrong(self) -> bool:
        """Tell whether somebody was named who is not the owner."""
        return self.body not in {"", self.caller.extension}


class Asked(Protocol):
    """The service, or a proxy in front of it."""

    def ask(self, *, query: str, headers: Mapping[str, str]) -> Reply:
        """Ask as OMICall does."""


def call(service: Asked, caller: Caller, request_id: str = "", planned: float = 0.0) -> Seen:
    """Call once, and see."""
    query = f"phoneNumber={caller.phone}&sipNumber={caller.hotline}"
    began = time.monotonic()
    try:
        reply = service.ask(query=query, headers={"X-Request-ID": request_id})
        body, outcome = reply.body.decode(), reply.headers["X-Bridge-Outcome"] or str(reply.status)
    except OSError:
        body, outcome = "", "lost"
    return Seen(caller, began, time.monotonic() - began, body, outcome, request_id, began - planned if planned else 0)


class Load:
    """Calls, `rate` a second, for as long as the block lasts; `next_caller` says who calls next."""

    def __init__(self, service: Asked, next_caller: Callable[[], Caller], rate: float, name: str = "") -> None:
        self._service = service
        self._next_caller = next_caller
        self._rate = rate
        self._name = name
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(256)
        self._pace = threading.Thread(target=self._run)
        self.seen: list[Seen] = []

    def __enter__(self) -> Self:
        self._pace.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.set()
        self._pace.join()
        self._pool.shutdown()

    def between(self, begin: float, end: float = float("inf")) -> Iterator[Seen]:
        """Give the calls that began in this time."""
        return (seen for seen in self.seen if begin <= seen.began < end)

    def _run(self) -> None:
        start = time.monotonic()
        count = 0
        while not self._ending.wait(max(0.0, start + count / self._rate - time.monotonic())):
            planned = start + count / self._rate
            self._pool.submit(self._call, self._next_caller(), f"{self._name}{count}", planned)
            count += 1

    def _call(self, caller: Caller, request_id: str, planned: float) -> None:
        self.seen.append(call(self._service, caller, request_id, planned))
