"""What is put to the test: all that an integrator fills in, and how the tests get at a connector by it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, TypeVar

import pytest

from bridge.resilience.sanitizing import sanitised_owners
from bridge.sdk.connector import AnyConnector, Call, Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import InvalidNumber, SourceError
from bridge.sdk.phone.number import PhoneNumber
from bridge.testing.conformance.outcome import Asked, TrialOutcome, complain, error_of, told
from bridge.testing.conformance.source import SourceTests

_FIRST = "test_the_owners_of_a_customer_are_found"

Explain = Callable[[str], None]
Test = TypeVar("Test", bound=Callable[..., None])


def asks_nothing(test: Test) -> Test:
    """Mark a test that says something also of a connector that does not find anybody."""
    test.asks_nothing = True  # type: ignore[attr-defined]  # a mark of ours
    return test


class Subject(SourceTests[AnyConnector]):
    """The connector under test and its source, in which `caller` is looked after by `owners` and nobody else is known.

    Until the owners are found, the tests that need to find them are left out: one mistake fails one test.
    """

    caller: str = "0901234567"
    owners: Sequence[Owner] = ()

    _first: ClassVar[TrialOutcome | None] = None

    def connector(self, place: Any) -> AnyConnector:  # noqa: ANN401, ARG002 - a folder or an address
        """Prepare the source in the empty folder `place`, and return a new connector to it, not opened yet."""
        complain("define connector(self, place): prepare the source in the folder place, return your connector to it")

    def make(self, place: Any) -> AnyConnector:  # noqa: ANN401
        """Return a new connector."""
        return self.connector(place)

    @pytest.fixture(autouse=True)
    def _finds_at_all(self, request: pytest.FixtureRequest, place: Any) -> None:  # noqa: ANN401
        """Leave a test out that cannot say anything before the owners are found."""
        test = request.function
        ours = test.__module__.startswith("bridge.testing.")
        if not ours or hasattr(test, "asks_nothing") or getattr(self, _FIRST, None) is None:
            return
        try:
            found = bool(self.owners) and self.first_lookup(place).found == tuple(self.owners)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a stranger's code
            found = False
        if not found:
            pytest.skip(f"first mend {_FIRST}")

    def first_lookup(self, place: Any) -> TrialOutcome:  # noqa: ANN401
        """Return what comes of asking for the customer when all is well; asked once for all tests of the class."""
        cls = type(self)
        if (known := vars(cls).get("_first")) is not None:
            return known  # type: ignore[no-any-return]  # vars knows no types
        with self.made(place) as connector:
            error = error_of(connector.open)
            cls._first = TrialOutcome(error=error, who="open") if error else self.ask(connector)
        return cls._first

    @contextmanager
    def opened(self, place: Any) -> Iterator[AnyConnector]:  # noqa: ANN401
        """Give a new connector, opened, to a source that is well."""
        with self.made(place) as connector:
            must_open(connector)
            yield connector

    def broken(self, place: Any, explain: Explain | None = None) -> Iterator[tuple[str, AnyConnector, TrialOutcome]]:  # noqa: ANN401
        """Open and ask a connector for each way in which a source can be broken; give what has come of it."""
        for what, connector in self.away(place):
            yield what, connector, self.tried(connector, explain)

    def tried(self, connector: AnyConnector, explain: Explain | None = None) -> TrialOutcome:
        """Open a connector, and ask it if that works; return what has come of it."""
        error = error_of(connector.open)
        return TrialOutcome(error=error, who="open") if error else self.ask(connector, explain=explain)

    def hung(self, place: Any) -> Iterator[tuple[str, AnyConnector]]:  # noqa: ANN401
        """Give an open connector for each way in which a source can hang, while it does."""
        for what, hanging in self.hangs().items():
            folder = self.new_place(place)
            with self.made_at(folder) as connector:
                must_open(connector)
                with hanging(folder):
                    yield what, connector

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
        """Return those that are numbers, but not the customer's."""
        numbers = []
        for spelling in spellings:
            with suppress(InvalidNumber):
                numbers.append(PhoneNumber.parse(spelling))
        return [number for number in numbers if number != self.number]

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


def opened_or_not(connector: AnyConnector, situation: str) -> SourceError | None:
    """Open a connector whose source may be away; return the error, and complain of any that is no SourceError."""
    error = error_of(connector.open)
    if error is not None and not isinstance(error, SourceError):
        complain(f"{situation}: open raised {told(error)}. Raise a SourceError, and it is tried again later.")
    return error


def must_open(connector: AnyConnector) -> None:
    """Open a connector whose source is well, and complain of whatever it raises."""
    if error := opened_or_not(connector, "the source is well"):
        complain(f"open raised {told(error)}, although the source is well")
