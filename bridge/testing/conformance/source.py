"""What is put to the test lives in a source: how the tests get a new one, break it, and put it away again.

A stranger's constructor and his `close` get no deadline, so each is given a limit here: what hangs is told, once, and
the other tests do not wait for it again.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from bridge.sdk.connector import AnyConnector, Connector
from bridge.sdk.extension_source import AnyExtensionSource, ExtensionSource
from bridge.testing.conformance.ending import end_pytest_whatever_runs
from bridge.testing.conformance.outcome import CLOSE, CONSTRUCTOR, Asked, TrialOutcome, complain, told, tried

_CLOSING = 1.0
"""Seconds for which omi-bridge waits for `close`."""

S = TypeVar("S", bound=AnyConnector | AnyExtensionSource)


class SourceTests(Generic[S]):
    """A source, and whoever reads it.

    `secret` is what the source wants to see: give it to your class as its token or password, and have your source
    return it as its session, too. It must turn up nowhere else.
    """

    secret: str = "planted+secret/of=the-kit"  # noqa: S105 - planted, to be looked for where it should not be

    enough: float = 5.0
    """Seconds that are enough for a source that is well."""
    moment: float = 0.5
    """Seconds of the deadline that a source lets pass."""
    margin: float = 2.0
    """Seconds after which something counts as late, or as still held: a busy machine is slow, too."""
    starting: float = 20.0
    """Seconds that are enough for starting a source and making what is put to the test."""

    _known: ClassVar[dict[str, Any]] = {}
    """What one test of the class has found out for the others."""

    def __init_subclass__(cls, **more: Any) -> None:  # noqa: ANN401
        """Know nothing yet of a new class."""
        super().__init_subclass__(**more)
        cls._known = {}

    def breakages(self) -> Mapping[str, Callable[[Path], object]]:
        """Return ways of breaking the source in the folder, by what happens, so that it cannot answer."""
        complain("define breakages(self): ways of breaking your source, such as {'the file is missing': remove_it}")

    def hangs(self) -> Mapping[str, Callable[[Path], AbstractContextManager[object]]]:
        """Return ways of keeping the source in the folder from answering for as long as a block lasts."""
        return {}

    def stop(self, place: Any) -> None:  # noqa: ANN401
        """Stop what you have started for the source in the folder, such as a server; it may be stopped already."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Any:  # noqa: ANN401 - a folder, or a CRM
        """Where the sources of this test are."""
        return tmp_path

    @pytest.fixture(autouse=True)
    def _ends(self, pytestconfig: pytest.Config) -> None:
        end_pytest_whatever_runs(pytestconfig)

    def new_place(self, place: Any) -> Any:  # noqa: ANN401
        """Return where one more source is to be."""
        return Path(mkdtemp(dir=place))

    def make(self, place: Any) -> S:  # noqa: ANN401
        """Return what is put to the test, new, not opened yet, with its source at this place."""
        raise NotImplementedError

    def put_away(self, place: Any) -> None:  # noqa: ANN401
        """Stop all that was started for the source at this place."""
        self.stop(place)

    @contextmanager
    def made(self, place: Any) -> Iterator[S]:  # noqa: ANN401
        """Give what is put to the test, not opened yet; after the block it is closed, and its source stopped."""
        with self.made_at(self.new_place(place)) as thing:
            yield thing

    @contextmanager
    def made_at(self, place: Any) -> Iterator[S]:  # noqa: ANN401
        """Do the same with the source at this very place."""
        try:
            thing = self._made_in_time(place)
            try:
                yield thing
            finally:
                self.put_aside(thing)  # there are tests of closing, too
        finally:
            self.put_away(place)

    def _made_in_time(self, place: Any) -> S:  # noqa: ANN401
        if self._known.get("constructor waits"):
            pytest.skip("first mend what was told of the constructor")
        outcome = Asked(lambda _deadline: (self.make(place),), self.starting, self.margin, CONSTRUCTOR).outcome()
        if outcome.found is None:
            self.must_be_made(outcome, "it is made")
        made: S = outcome.found[0]  # type: ignore[index]  # else that has failed
        if "constructor waits" not in self._known:
            self._known["constructor waits"] = False
            self.make_anew(made, "the source is well, while it is made")
        return made

    def make_anew(self, thing: S, situation: str) -> None:
        """Make one more of the same settings, and complain of a constructor that waits, once, or fails."""
        made: list[S] = []
        make = type(thing)
        outcome = tried(lambda: made.append(make(thing.config)), self.moment, self.margin, CONSTRUCTOR)
        for another in made:
            self.put_aside(another)
        self._known["constructor waits"] = outcome.late
        self.must_be_made(outcome, situation)

    def must_be_made(self, outcome: TrialOutcome, situation: str) -> None:
        """Complain of a constructor that hangs or fails; what else fails while it is made, is the test's own."""
        outcome.must_be_in_time(situation)
        if (error := outcome.error) is not None and not _is_of_a_constructor(error):
            raise error
        if error is not None:
            complain(
                f"{situation}: the constructor raised {told(error)}. It keeps the settings and asks nobody: connect "
                "and read in open. Settings that do not fit are refused by a validator of the settings."
            )

    def put_aside(self, thing: S) -> None:
        """Close something, whatever comes of it; one that has once hung is not waited for again."""
        if self._known.get("close hangs"):
            tried(thing.close, 0, 0, CLOSE)
        else:
            self._known["close hangs"] = tried(thing.close, _CLOSING, self.margin, CLOSE).late

    def close(self, thing: S, what: str = "close") -> None:
        """Close something, and complain of one that hangs or raises, once."""
        outcome = tried(thing.close, _CLOSING, self.margin, CLOSE)
        if outcome.found is not None:
            return
        if self._known.setdefault("close is told by", what) != what:
            pytest.skip("first mend what was told of close")
        outcome.must_be_in_time(what)
        if outcome.error is not None:
            complain(f"{what} raised {told(outcome.error)}. It has to do no harm.")

    def ways_to_break(self) -> Mapping[str, Callable[[Any], object]]:
        """Return all ways of breaking the source at a place."""
        ways = self.breakages()
        if not ways:
            complain("breakages(self) returns no way of breaking your source")
        return ways

    def breaking(self, place: Any) -> Iterator[tuple[str, S, Callable[[], object]]]:  # noqa: ANN401
        """Give what is put to the test, not opened yet, and what breaks its source, for each way of that."""
        for what, happens in self.ways_to_break().items():
            folder = self.new_place(place)
            with self.made_at(folder) as thing:
                yield what, thing, partial(happens, folder)

    def away(self, place: Any) -> Iterator[tuple[str, S]]:  # noqa: ANN401
        """Give what is put to the test, not opened yet, for each way in which a source cannot be used at all."""
        for what, thing, break_it in self.breaking(place):
            break_it()
            yield what, thing

    def hung(self, place: Any) -> Iterator[tuple[str, S]]:  # noqa: ANN401
        """Give what is put to the test, ready to be asked, for each way in which a source can hang, while it does."""
        for what, hanging in self.hangs().items():
            folder = self.new_place(place)
            with self.made_at(folder) as thing:
                self.get_ready(thing)
                with hanging(folder):
                    yield what, thing

    def get_ready(self, thing: S) -> None:
        """Do what comes before the first question."""


def _is_of_a_constructor(error: BaseException) -> bool:
    """Tell whether an error came from a constructor of a connector or of a list of extensions."""
    for frame, _line in traceback.walk_tb(error.__traceback__):
        first = frame.f_code.co_varnames[:1]
        made = frame.f_locals.get(first[0]) if first and frame.f_code.co_name == "__init__" else None
        if isinstance(made, (Connector, ExtensionSource)):
            return True
    return False
