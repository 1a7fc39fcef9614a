"""Tests of what is answered: the right owners, "nobody" for nobody alone, and both in time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bridge.testing.conformance.outcome import complain, not_tried
from bridge.testing.conformance.subject import Subject, asks_nothing, asks_strangers

_ROUNDS = 5
_NOBODY = (
    "Return () for a caller whom the source does not know. If it really knows a customer with this number, name the "
    "number in others."
)
_NO_HANGS = (
    "what becomes of a call while the source hangs. Return ways of that in hangs(self); if the source is a server, use "
    "ServerConformance, which has some"
)
_NO_TIME = "Do so before anything is asked, where deadline.expired(): as a time limit, 0.0 is refused or means none."
_NO_STATE = (
    "Keep nothing about a call on self, on the class or in the module, and let no two calls share a connection that "
    "answers one question after the other."
)


class Answering(Subject):
    """Whom a connector names, and when."""

    @asks_nothing
    def test_the_owners_of_a_customer_are_found(self, place: Any) -> None:  # noqa: ANN401
        """Names who looks after the customer."""
        self.must_find(self.first_lookup(place), "the source knows the caller")

    def test_a_caller_whom_nobody_knows_has_no_owner(self, place: Any) -> None:  # noqa: ANN401
        """Returns nothing, without an error, also for numbers of other times and countries."""
        with self.opened(place) as connector:
            for stranger in self.strangers:
                situation = f"a call from {stranger.e164}, whom the source does not know"
                self.ask(connector, stranger).must_be((), situation, _NOBODY)

    def test_a_similar_number_is_another_customer(self, place: Any) -> None:  # noqa: ANN401
        """Does not take a part of a number for the number."""
        with self.opened(place) as connector:
            for similar in self.similar:
                found = self.ask(connector, similar).found or ()
                if set(found) & set(self.owners):  # a customer with that number has owners of his own
                    complain(
                        f"a call from {similar.e164}: it got the owners of {self.number.e164}. Compare whole numbers, "
                        "with bridge.sdk.holds, never the first or the last digits. If the source really knows a "
                        "customer with this number, name the number in others."
                    )

    @asks_strangers
    def test_nothing_of_one_call_is_left_for_the_next(self, place: Any) -> None:  # noqa: ANN401
        """Answers the customer, then a stranger, then the customer again."""
        stranger = self.strangers[0]
        with self.opened(place) as connector:
            self.must_find(self.ask(connector), "the first call")
            self.ask(connector, stranger).must_be((), "a stranger who calls after a customer", _NO_STATE)
            self.must_find(self.ask(connector), "the customer who calls after a stranger", _NO_STATE)

    @asks_strangers
    def test_many_calls_at_once_get_their_own_answers(self, place: Any) -> None:  # noqa: ANN401
        """Is asked from many threads, which take turns as often as they can."""
        strangers = self.strangers
        with self.opened(place) as connector, _restless_threads():
            for _ in range(_ROUNDS):
                callers = [caller for stranger in strangers for caller in (self.number, stranger)]
                asked = [(caller, self.begin(connector, caller)) for caller in callers]
                for caller, question in asked:
                    if caller == self.number:
                        self.must_find(question.outcome(), "the customer, while others call too", _NO_STATE)
                    else:
                        question.outcome().must_be((), "a stranger, while a customer calls too", _NO_STATE)

    def test_a_source_that_cannot_be_used_is_not_nobody(self, place: Any) -> None:  # noqa: ANN401
        """Fails, in `open` or when asked, by a SourceError."""
        for what, connector in self.away(place):
            if self.opened_or_not(connector, what) is None:
                self.ask(connector).must_be_failure(what, best="SourceUnavailable")

    def test_a_source_that_breaks_after_a_good_start_is_not_nobody(self, place: Any) -> None:  # noqa: ANN401
        """Fails by a SourceError, or answers as before from what it has in memory."""
        for what, connector in self.left(place):
            for again in ("", ", and again"):
                self.must_not_mislead(self.ask(connector), f"{what}{again}", best="SourceUnavailable")

    def test_a_source_that_hangs_is_left_at_the_deadline(self, place: Any) -> None:  # noqa: ANN401
        """Comes back when its time is over."""
        hung = False
        for what, connector in self.hung(place):
            hung = True
            self.must_not_mislead(self.ask(connector, seconds=self.moment), what, best="SourceUnavailable")
        if not hung:
            not_tried(_NO_HANGS)

    def test_opening_ends_when_the_source_hangs(self, place: Any) -> None:  # noqa: ANN401
        """Gives up, and is tried again later; what hangs in `open` for ever is never opened again."""
        hangs = self.hangs()
        for what, hanging in hangs.items():
            where = self.new_place(place)
            with self.made_at(where) as connector, hanging(where):
                if self.opened_or_not(connector, f"{what}, when it is opened") is None:
                    outcome = self.ask(connector, seconds=self.moment)
                    self.must_not_mislead(outcome, what, best="SourceUnavailable")
        if not hangs:
            not_tried(_NO_HANGS)

    @asks_nothing
    def test_its_constructor_asks_nobody(self, place: Any) -> None:  # noqa: ANN401
        """Is made at once, whatever the source does: the configuration is being read."""
        for what, connector in self.away(place):
            self.make_anew(connector, f"{what}, while it is made")
        for what, connector in self.hung(place):
            self.make_anew(connector, f"{what}, while it is made")

    def test_a_deadline_that_has_passed_is_no_crash(self, place: Any) -> None:  # noqa: ANN401
        """Knows what to do with no time at all."""
        with self.opened(place) as connector:
            outcome = self.ask(connector, seconds=0)
            if not outcome.found:
                outcome.must_be_failure("no time is left", best="SourceUnavailable", advice=_NO_TIME)


@contextmanager
def _restless_threads() -> Iterator[None]:
    """Let threads take turns far more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
