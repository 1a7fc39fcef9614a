"""What is put to the test lives in a source: how the tests get a new one, break it, and put it away again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Generic, Protocol, TypeVar

import pytest

from bridge.testing.conformance.outcome import complain


class _Closed(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=_Closed)


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

    def new_place(self, place: Any) -> Any:  # noqa: ANN401
        """Return where one more source is to be."""
        return Path(mkdtemp(dir=place))

    def make(self, place: Any) -> S:  # noqa: ANN401
        """Return what is put to the test, new, not opened yet, with its source at this place."""
        raise NotImplementedError

    @contextmanager
    def made(self, place: Any) -> Iterator[S]:  # noqa: ANN401
        """Give what is put to the test, not opened yet; after the block it is closed, and its source stopped."""
        with self.made_at(self.new_place(place)) as thing:
            yield thing

    @contextmanager
    def made_at(self, place: Any) -> Iterator[S]:  # noqa: ANN401
        """Do the same with the source at this very place."""
        try:
            thing = self.make(place)
            try:
                yield thing
            finally:
                with suppress(BaseException):  # there are tests of closing, too
                    thing.close()
        finally:
            self.stop(place)

    def away(self, place: Any) -> Iterator[tuple[str, S]]:  # noqa: ANN401
        """Give what is put to the test, not opened yet, for each way in which a source cannot be used at all."""
        for what, happens in self.breakages().items():
            folder = self.new_place(place)
            with self.made_at(folder) as thing:
                happens(folder)
                yield what, thing
