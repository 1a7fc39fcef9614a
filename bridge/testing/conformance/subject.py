"""What is put to the test: all that an integrator fills in, and how the tests get at a connector by it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import pytest

from bridge.resilience.sanitizing import sanitised_owners
from bridge.sdk.connector import AnyConnector, Call, Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import InvalidNumber, SourceError
from bridge.sdk.phone.number import PhoneNumber
from bridge.testing.conformance.outcome import OPEN, Asked, TrialOutcome, complain, told, tried
from bridge.testing.conformance.source import SourceTests

_FIRST = "test_the_owners_of_a_customer_are_found"
_STRANGERS = "test_a_caller_whom_nobody_knows_has_no_owner"

Explain = Callable[[str], None]
Test = TypeVar("Test", bound=Callable[..., None])


def asks_nothing(test: Test) -> Test:
    """Mark a test that says something also of a connector that does not find anybody."""
    test.asks_nothing = True  # type: ignore[attr-defined]  # a mark of ours
    return test


def asks_strangers(test: Test) -> Test:
    """Mark a test that says nothing before a stranger who calls alone is answered."""
    test.asks_strangers = True  # type: ignore[attr-defined]  # a mark of ours
    return test


class Subject(SourceTests[AnyConnector]):
    """The connector under test and its source, in which `caller` is looked after by `owners` and nobody else is known.

    Until the owners are found, the tests that need to find them are left out: one mistake fails one test.
    """

    caller: str = "0901234567"
    owners: Sequence[Owner] = ()
    others: Sequence[str] = ()
    """Numbers of further customers in the source, where one of them is a number that the tests take for nobody's."""

    def connector(self, place: Any) -> AnyConnector:  # noqa: ANN401, ARG002 - a folder or an address
        """Prepare the source in the empty folder `place`, and return a new connector to it, not opened yet."""
        complain("define connector(self, place): prepare the source in the folder place, return your connector to it")

    def make(self, place: Any) -> AnyConnector:  # noqa: ANN401
        """Return a new connector."""
        return self.connector(place)

    @pytest.fixture(autouse=True)
    def _finds_at_all(self, request: pytest.FixtureRequest, place: Any) -> None:  # noqa: ANN401
        """Leave a test out that cannot say anything before the owners are found, and strangers are answered."""
        test = request.function
        if not test.__module__.startswith("bridge.testing.") or test.__name__ == _FIRST:
            return
        if getattr(self, _FIRST, None) is not None and not self._is_ready_for(test, place):
            pytest.skip(f"first mend {_FIRST}")
        if hasattr(test, "asks_strangers") and not self._answers_strangers(place):
            pytest.skip(f"first mend {_STRANGERS}")

    def _is_ready_for(self, test: Callable[..., None], place: Any) -> bool:  # noqa: ANN401
        """Tell whether it finds the owners, or is made and opened at least if that is enough."""
        try:
            found = self.first_lookup(place).found
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a stranger's code
            return False
        return hasattr(test, "asks_nothing") or (bool(self.owners) and found == tuple(self.owners))

    def _answers_strangers(self, place: Any) -> bool:  # noqa: ANN401
        if "strangers" not in self._known:
            with self.opened(place) as connector:
                self._known["strangers"] = all(self.ask(connector, one).found == () for one in self.strangers)
        return bool(self._known["strangers"])

    def first_lookup(self, place: Any) -> TrialOutcome:  # noqa: ANN401
        """Return what comes of asking for the customer when all is well; asked once for all tests of the class."""
        if "first" not in self._known:
            try:
                with self.opened(place) as connector:
                    self._known["first"] = self.ask(connector)
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - a stranger's code
                self._known["first"] = error
        first = self._known["first"]
        if isinstance(first, BaseException):
            raise first
        return first  # type: ignore[no-any-return]  # as it was put there

    @contextmanager
    def opened(self, place: Any) -> Iterator[AnyConnector]:  # noqa: ANN401
        """Give a new connector, opened, to a source that is well."""
        with self.made(place) as connector:
            self.must_open(connector)
            yield connector

    def get_ready(self, thing: AnyConnector) -> None:
        """Open it."""
        self.must_open(thing)

    def open(self, connector: AnyConnector) -> TrialOutcome:
        """Open a connector, and return what comes of it."""
        return tried(connector.open, max(self.enough, float(connector.config.timeout)), self.margin, OPEN)

    def must_open(self, connector: AnyConnector) -> None:
        """Open a connector whose source is well, and complain of whatever it raises."""
        if error := self.opened_or_not(connector, "the source is well"):
            complain(f"open raised {told(error)}, although the source is well")

    def opened_or_not(self, connector: AnyConnector, situation: str) -> SourceError | None:
        """Open a connector whose source may be away; return the error, and complain of any that is no SourceError."""
        outcome = self.open(connector)
        outcome.must_be_in_time(situation)
        if outcome.error is not None and not isinstance(outcome.error, SourceError):
            complain(f"{situation}: {outcome}. Raise a SourceError, and it is tried again later.")
        return outcome.error

    def left(self, place: Any) -> Iterator[tuple[str, AnyConnector]]:  # noqa: ANN401
        """Give a connector that was opened and has answered, for each way in which its source breaks after that."""
        for what, connector, break_it in self.breaking(place):
            self.must_open(connector)
            self.must_find(self.ask(connector), "all is well")
            break_it()
            yield f"{what}, after it was opened and has answered", connector

    def broken(self, place: Any, explain: Explain | None = None) -> Iterator[tuple[str, AnyConnector, TrialOutcome]]:  # noqa: ANN401
        """Ask a connector for each way in which a source can be broken, before and after it is opened, or hang."""
        for what, connector in self.away(place):
            yield what, connector, self.tried(connector, explain)
        for what, connector in self.left(place):
            yield what, connector, self.ask(connector, explain=explain)
        for what, connector in self.hung(place):
            yield what, connector, self.ask(connector, seconds=self.moment, explain=explain)

    def tried(self, connector: AnyConnector, explain: Explain | None = None) -> TrialOutcome:
        """Open a connector, and ask it if that works; return what has come of it."""
        opening = self.open(connector)
        return opening if opening.found is None else self.ask(connector, explain=explain)

    @property
    def number(self) -> PhoneNumber:
        """The customer's number."""
        return PhoneNumber.parse(self.caller)

    @property
    def similar(self) -> list[PhoneNumber]:
        """Numbers of others that look like the customer's: another last digit, another country, more digits."""
        number, nsn = self.number, self.number.nsn_at_home
        other = str((int(number.e164[-1]) + 1) % 10)
        return self._others(number.e164[:-1] + other, f"+66{nsn}", f"+1{nsn}{other}", f"+95{nsn}{other}")

    @property
    def strangers(self) -> list[PhoneNumber]:
        """Numbers that nobody would take for the customer's: old, fixed, foreign."""
        return self._others("01234567890", "02838123456", "+493012345678", "+12025550123")

    def _others(self, *spellings: str) -> list[PhoneNumber]:
        """Return those that are numbers, but no customer's."""
        numbers = []
        for spelling in spellings:
            with suppress(InvalidNumber):
                numbers.append(PhoneNumber.parse(spelling))
        known = {self.number, *(PhoneNumber.parse(other) for other in self.others)}
        return [number for number in numbers if number not in known]

    def ask(
        self,
        connector: AnyConnector,
        caller: PhoneNumber | None = None,
        *,
        seconds: float | None = None,
        explain: Explain | None = None,
    ) -> TrialOutcome:
        """Ask for the owners of the customer, or of another caller."""
        return self.begin(connector, caller, seconds=seconds, explain=explain).outcome()

    def begin(
        self,
        connector: AnyConnector,
        caller: PhoneNumber | None = None,
        *,
        seconds: float | None = None,
        explain: Explain | None = None,
    ) -> Asked:
        """Ask, and do not wait for what comes of it."""
        number = caller or self.number
        call = Call(number, None, explain) if explain else Call(number)

        def find(deadline: Deadline) -> Sequence[Owner]:
            return sanitised_owners(connector.find_owners(call, deadline))

        return Asked(find, self.enough if seconds is None else seconds, self.margin)

    def must_not_mislead(self, outcome: TrialOutcome, situation: str, best: str = "") -> None:
        """Complain unless it failed as it should, or found the owners all the same, as from what it keeps in memory."""
        if outcome.found != tuple(self.owners):
            outcome.must_be_failure(situation, best=best)

    def must_find(self, outcome: TrialOutcome, situation: str, advice: str = "Return the customer's owners.") -> None:
        """Complain unless the customer's owners were found."""
        owners, found = tuple(self.owners), outcome.found or ()
        if not owners:
            complain("set owners: the owners of the customer whose number is caller")
        if set(found) > set(owners):
            advice = (
                "So it also named somebody who is not the customer's owner: compare the number in each record with "
                "the caller's, by bridge.sdk.holds(text, call.caller)."
            )
        elif found and set(found) == set(owners):
            advice = "The order counts: it is the order in which they ring."
        outcome.must_be(owners, situation, f"{advice} Expected: {'; '.join(map(str, owners))}.")
