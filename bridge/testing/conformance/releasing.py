"""Tests of what is left behind: `close` releases what was acquired, whenever it comes."""

import threading
from typing import Any, ClassVar

import pytest

from bridge.testing.conformance.holdings import Holdings, lasting_threads
from bridge.testing.conformance.outcome import complain
from bridge.testing.conformance.subject import Subject, asks_nothing

_CALLS = 8
_SERVER = "If it belongs to a server that your test starts, end that in stop(self, place)."


class Releasing(Subject):
    """How a connector ends."""

    _imported: ClassVar[tuple[threading.Thread, ...]] = ()

    def __init_subclass__(cls, **more: Any) -> None:  # noqa: ANN401
        """Remember which threads run while the tests are still being imported."""
        super().__init_subclass__(**more)
        cls._imported = tuple(lasting_threads())

    def test_closing_releases_threads_and_connections(self, place: Any) -> None:  # noqa: ANN401
        """Leaves no thread, socket or file behind."""
        with self.opened(place) as connector:
            self.ask(connector)  # what is imported or opened once for all is there from now on
        before = Holdings()
        with self.opened(place) as connector:
            self.ask(connector)
            self.ask(connector, self.strangers[0])
        left = before.left(self.margin)
        if self._known.get("close hangs"):
            pytest.skip("first mend what is told of close")
        if left:
            complain(f"after close there is still {', '.join(left)}: release it in close. {_SERVER}")

    @asks_nothing
    def test_importing_it_starts_no_thread_that_never_ends(self) -> None:
        """Works in `open` and later, not while it is imported."""
        lasting = [thread.name for thread in self._imported if thread.is_alive()]
        if lasting:
            complain(
                f"the thread {lasting[0]!r} was started while the connector was imported: nothing ends it, and pytest "
                "hangs when it is done, as omi-bridge would. Start it in open with daemon=True, and end it in close."
            )

    @asks_nothing
    def test_closing_twice_or_before_opening_does_no_harm(self, place: Any) -> None:  # noqa: ANN401
        """Takes it as done."""
        with self.made(place) as connector:
            self.close(connector, "close without open")
        with self.made(place) as connector:
            self.must_open(connector)
            self.close(connector, "close")
            self.close(connector, "close for the second time")

    def test_closing_while_calls_are_under_way_is_no_crash(self, place: Any) -> None:  # noqa: ANN401
        """Lets them find what they look for, or fail by a SourceError."""
        for _ in range(_CALLS):
            with self.opened(place) as connector:
                asked = [self.begin(connector) for _ in range(_CALLS)]
                self.close(connector, "close while calls are under way")
                for question in asked:
                    question.outcome().must_be_honest("a call under way when the connector was closed")
