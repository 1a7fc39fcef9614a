"""What came of asking a connector, in words that tell its author what to do.

Each question is asked in a thread of its own: a connector that never comes back must not keep the test waiting.
"""

import threading
import traceback
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from bridge.answer import Owners
from bridge.connector import AnyConnector, Call
from bridge.deadline import Deadline
from bridge.errors import SourceError, SourceUnavailable, UnexpectedAnswer
from bridge.trust import trusted


def complain(message: str) -> NoReturn:
    """Fail the test with this message alone: where in the kit that was says nothing to a connector's author."""
    pytest.fail(message, pytrace=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `find_owners` did: one of the three; all empty means that it has not come back."""

    owners: Owners | None = None
    error: BaseException | None = None

    @property
    def late(self) -> bool:
        """Tell whether it has not come back."""
        return self.owners is None and self.error is None

    def __str__(self) -> str:
        if self.error is not None:
            return f"raised {told(self.error)}"
        if self.owners is None:
            return "was still busy long after its deadline"
        return f"returned {'; '.join(map(str, self.owners))}" if self.owners else "returned nobody"

    def must_be(self, owners: Owners, situation: str, advice: str) -> None:
        """Complain unless these owners were returned."""
        if self.late:
            complain(f"{situation}: find_owners {self}. {_IN_TIME}")
        if isinstance(self.error, SourceError):
            complain(f"{situation}: find_owners {self}. {advice}")
        if self.error is not None:
            complain(f"{situation}: find_owners {self}. That counts as a bug. {advice}")
        if self.owners != owners:
            complain(f"{situation}: find_owners {self}. {advice}")

    def must_be_failure(self, situation: str, kind: type[SourceError] = SourceError) -> None:
        """Complain unless a SourceError of this kind was raised."""
        best = "UnexpectedAnswer" if kind is SourceError else kind.__name__
        if self.late:
            complain(f"{situation}: find_owners {self}. {_IN_TIME}")
        if self.owners == ():
            complain(
                f"{situation}: find_owners {self}. Nobody is remembered as the truth, and the customer's next calls "
                f"ring in vain: raise {best}."
            )
        if self.owners:
            complain(f"{situation}: find_owners {self}. A wrong owner is worse than none: raise {best}.")
        if not isinstance(self.error, SourceError):
            complain(
                f"{situation}: find_owners {self}. Anything but a SourceError counts as a bug of the connector: catch "
                f"it, and `raise {best}(…) from None`."
            )
        if not isinstance(self.error, kind):
            complain(f"{situation}: find_owners {self}. Raise {best}: {_MEANING.get(kind, 'see bridge/errors.py')}.")

    def must_be_honest(self, situation: str) -> None:
        """Complain unless an answer or a SourceError came, whichever."""
        if self.late or (self.error is not None and not isinstance(self.error, SourceError)):
            self.must_be_failure(situation)


_IN_TIME = (
    "No wait may go beyond deadline.remaining(), and all waits together neither: give each a timeout, and look at the "
    "deadline after each piece that comes. bridge.connector tells more; connectors.http does all of it."
)
_MEANING: dict[type[SourceError], str] = {
    SourceUnavailable: "asking again later may work",
    UnexpectedAnswer: "an answer came, but it does not fit",
}


class Asked:
    """A question under way, which counts as late `margin` seconds after its deadline."""

    def __init__(self, connector: AnyConnector, call: Call, seconds: float, margin: float) -> None:
        self._margin = margin
        self._deadline = Deadline.after(seconds)
        self._result: Future[Outcome] = Future()
        threading.Thread(target=self._ask, args=(connector, call), name="asking", daemon=True).start()

    def outcome(self) -> Outcome:
        """Wait for what comes of it, not much longer than its deadline."""
        try:
            return self._result.result(self._deadline.remaining() + self._margin)
        except TimeoutError:
            return Outcome()

    def _ask(self, connector: AnyConnector, call: Call) -> None:
        try:
            outcome = Outcome(trusted(connector.find_owners(call, self._deadline)))
        except BaseException as error:  # noqa: BLE001 - judged by the test that asked
            outcome = Outcome(error=error)
        self._result.set_result(outcome)


def told(error: BaseException) -> str:
    """Name an error, and for a bug also the line of the connector's code that it came from."""
    if isinstance(error, SourceError):
        return f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if "site-packages" not in frame.filename and Path(frame.filename).is_file()]
    theirs = [frame for frame in places if Path(frame.filename).parent != Path(__file__).parent] or places
    where = f" in {Path(theirs[-1].filename).name}:{theirs[-1].lineno}" if theirs else ""
    return f"{type(error).__name__}{where}: {error}"
