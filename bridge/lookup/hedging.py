"""Asking a route's connectors: in order of priority, the next one early if one takes long (a hedged request).

The order still decides who wins: a connector counts only when all before it have answered, failed or run out of time.
So a hung CRM costs the caller his patience, but never the answer that the file behind it has.

Each waiting call holds a thread of the server. If all threads waited, calls that need no source would queue behind
them: so some threads are kept for those, and a call that finds no place to wait is answered at once with what there is.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bridge.lookup.answer import Pending
from bridge.lookup.guard import Guard
from bridge.sdk.connector import Call
from bridge.sdk.deadline import Deadline

_MOMENT = 0.02
"""Seconds that every call may wait, place or no place: a file on this machine needs less."""


class AdmissionLimit:
    """A number of places; safe to use from many threads."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @classmethod
    def of(cls, threads: int) -> "AdmissionLimit":
        """Make the limit for a server of so many threads: one in eight, two at least, is never used for waiting."""
        return cls(max(1, threads - max(2, threads // 8)))

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Take a place, if there is one, for as long as the block lasts; gives whether there was."""
        taken = self._places.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._places.release()


class HedgedRequest:
    """One call's questions to the connectors of its route; with `live` nothing that is remembered counts."""

    def __init__(
        self, call: Call, guards: Sequence[Guard], deadline: Deadline, hedge_after: float, *, live: bool = False
    ) -> None:
        self._call = call
        self._guards = guards
        self._deadline = deadline
        self._hedge_after = hedge_after
        self._live = live
        self._begun: list[Pending] = []

    def answers(self, admission: AdmissionLimit) -> Iterator[tuple[str, Pending]]:
        """Give each connector's name and answer in order, each as soon as it counts."""
        with ExitStack() as stack:
            patient: bool | None = None
            for index, guard in enumerate(self._guards):
                if index == len(self._begun):
                    self._begin_next()
                pending = self._begun[index]
                if patient is None and not pending.done():
                    pending.wait(min(_MOMENT, self._deadline.remaining()))
                    if not pending.done():
                        patient = stack.enter_context(admission.place())
                if patient:
                    self._wait_for(pending)
                yield guard.name, pending

    def _begin_next(self) -> None:
        guard = self._guards[len(self._begun)]
        self._begun.append(guard.begin(self._call, may_ask=not self._deadline.expired(), live=self._live))

    def _wait_for(self, pending: Pending) -> None:
        while not pending.done() and not self._deadline.expired():
            more = len(self._begun) < len(self._guards)
            patience = self._deadline.remaining()
            pending.wait(min(patience, self._hedge_after) if more else patience)
            if more and not pending.done() and not self._deadline.expired():
                self._begin_next()
