"""What is put to the test: all that an integrator fills in, and how the tests get at a connector by it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from bridge.connector import AnyConnector, Call, Owner
from bridge.errors import InvalidNumber, SourceError
from bridge.phone import PhoneNumber
from bridge.testing.outcome import Asked, Outcome, complain, told


class Subject:
    """The connector under test and its source, in which `caller` is looked after by `owners` and nobody else is known.

    `secret` is what the source wants to see: give it to the connector as its token or password.
    """

    caller: str = "0901234567"
    owners: Sequence[Owner] = ()
    secret: str = "planted+secret/of=the-kit"  # noqa: S105 - planted, to be looked for where it should not be

    enough: float = 5.0
    """Seconds that are enough for a source that is well."""
    moment: float = 0.5
    """Seconds of the deadline that a source lets pass."""
    margin: float = 2.0
    """Seconds after which a connector counts as late, or as still holding something: a busy machine is slow, too."""

    def connector(self, place: Any) -> AnyConnector:  # noqa: ANN401, ARG002 - a folder or an address
        """Prepare the source in the empty folder `place`, and return a new connector to it, not opened yet."""
        complain("define connector(self, place): prepare the source in the folder place, return your connector to it")

    def breakages(self) -> Mapping[str, Callable[[Path], object]]:
        """Return ways of breaking the source in the folder, by what happens, so that it cannot answer."""
        complain("define breakages(self): ways of breaking your source, such as {'the file is missing': remove_it}")

    def hangs(self) -> Mapping[str, Callable[[Path], AbstractContextManager[object]]]:
        """Return ways of keeping the source in the folder from answering for as long as a block lasts."""
        return {}

    @pytest.fixture
    def place(self, tmp_path: Path) -> Any:  # noqa: ANN401 - what `connector` gets
        """Where the source of this test is."""
        return tmp_path

    def connect(self, place: Any) -> AnyConnector:  # noqa: ANN401
        """Return a new connector to a source of its own at this place."""
        return self.connector(_new_folder(place))

    def broken(self, place: Any) -> Iterator[tuple[str, AnyConnector]]:  # noqa: ANN401
        """Give a connector for each way in which a source can be broken, and before it what has happened."""
        yield from self.away(place)

    def away(self, place: Any) -> Iterator[tuple[str, AnyConnector]]:  # noqa: ANN401
        """Give a connector, not opened yet, for each way in which a source cannot be used at all."""
        for what, happens in self.breakages().items():
            folder = _new_folder(place)
            connector = self.connector(folder)
            happens(folder)
            yield what, connector

    def hung(self, place: Any) -> Iterator[tuple[str, AnyConnector]]:  # noqa: ANN401
        """Give an open connector for each way in which a source can hang, while it does."""
        for what, hanging in self.hangs().items():
            folder = _new_folder(place)
            with opened(self.connector(folder)) as connector, hanging(folder):
                yield what, connector

    @property
    def number(self) -> PhoneNumber:
        """The customer's number."""
        return PhoneNumber.parse(self.caller)

    @property
    def similar(self) -> list[PhoneNumber]:
        """Numbers of others that look like the customer's: another last digit, another country, more digits."""
        number = self.number
        other = str((int(number.e164[-1]) + 1) % 10)
        return self._others(
            number.e164[:-1] + other, f"+66{number.nsn}", f"+1{number.nsn}{other}", f"+95{number.nsn}{other}"
        )

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

    def opened(self, place: Any) -> AbstractContextManager[AnyConnector]:  # noqa: ANN401
        """Give a new connector, opened, for as long as a block lasts."""
        return opened(self.connect(place))

    def ask(
        self,
        connector: AnyConnector,
        caller: PhoneNumber | None = None,
        *,
        seconds: float | None = None,
        explain: Callable[[str], None] | None = None,
    ) -> Outcome:
        """Ask for the owners of the customer, or of another caller."""
        return self.begin(connector, caller, seconds=seconds, explain=explain).outcome()

    def begin(
        self,
        connector: AnyConnector,
        caller: PhoneNumber | None = None,
        *,
        seconds: float | None = None,
        explain: Callable[[str], None] | None = None,
    ) -> Asked:
        """Ask, and do not wait for what comes of it."""
        number = caller or self.number
        call = Call(number, None, explain) if explain else Call(number)
        return Asked(connector, call, self.enough if seconds is None else seconds, self.margin)

    def must_find(self, outcome: Outcome, situation: str, advice: str = "Return the customer's owners.") -> None:
        """Complain unless the customer's owners were found."""
        if not self.owners:
            complain("set owners: the owners of the customer whose number is caller")
        outcome.must_be(tuple(self.owners), situation, f"{advice} Expected: {'; '.join(map(str, self.owners))}.")


def opened_or_not(connector: AnyConnector, situation: str) -> SourceError | None:
    """Open a connector whose source may be away; return the error, and complain of any that is no SourceError."""
    try:
        connector.open()
    except SourceError as error:
        return error
    except BaseException as error:  # noqa: BLE001 - a stranger's code
        complain(f"{situation}: open raised {told(error)}. Raise a SourceError, and it is tried again later.")
    return None


def close(connector: AnyConnector, what: str = "close") -> None:
    """Close a connector, and complain of whatever it raises."""
    try:
        connector.close()
    except BaseException as error:  # noqa: BLE001 - a stranger's code
        complain(f"{what} raised {told(error)}. It has to do no harm.")


@contextmanager
def opened(connector: AnyConnector) -> Iterator[AnyConnector]:
    """Open a connector whose source is well, and close it after the block."""
    try:
        if error := opened_or_not(connector, "the source is well"):
            complain(f"open raised {told(error)}, although the source is well")
        yield connector
    finally:
        with suppress(BaseException):  # there are tests of closing, too
            connector.close()


def _new_folder(place: Path) -> Path:
    return Path(mkdtemp(dir=place))
