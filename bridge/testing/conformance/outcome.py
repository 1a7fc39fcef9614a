"""What came of asking a connector, in words that tell its author what to do.

Each question is asked in a thread of its own: a connector that never comes back must not keep the test waiting.
"""

import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceError, SourceUnavailable, UnexpectedAnswer

ASKING = "asking"
"""The name of the threads in which questions are asked."""


def complain(message: str) -> NoReturn:
    """Fail the test with this message alone: where in the kit that was says nothing to a connector's author."""
    pytest.fail(message, pytrace=False)


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What `who` did: found something or raised an error; neither means that it has not come back."""

    found: tuple[Any, ...] | None = None
    error: BaseException | None = None
    who: str = "find_owners"

    @property
    def late(self) -> bool:
        """Tell whether it has not come back."""
        return self.found is None and self.error is None

    def __str__(self) -> str:
        if self.error is not None:
            return f"{self.who} raised {told(self.error)}"
        if self.found is None:
            return f"{self.who} was still busy long after its deadline"
        nothing = "nobody" if self.who == "find_owners" else "nothing"
        return f"{self.who} returned {'; '.join(map(str, self.found)) or nothing}"

    def must_be(self, found: tuple[Any, ...], situation: str, advice: str) -> None:
        """Complain unless just this was returned."""
        if self.late:
            complain(f"{situation}: {self}. {_IN_TIME}")
        if self.error is not None and not isinstance(self.error, SourceError):
            complain(f"{situation}: {self}. That counts as a bug. {advice}")
        if self.found != found:
            complain(f"{situation}: {self}. {advice}")

    def must_be_failure(
        self, situation: str, kind: type[SourceError] = SourceError, best: str = "", advice: str = ""
    ) -> None:
        """Complain unless a SourceError of this kind was raised; `best` names the best, `advice` how to come by it."""
        best = best or ("UnexpectedAnswer" if kind is SourceError else kind.__name__)
        then = f"raise {best}. {advice}".strip()
        if self.late:
            complain(f"{situation}: {self}. {_IN_TIME} {advice}".strip())
        if self.found == ():
            complain(
                f"{situation}: {self}. Nobody is remembered as the truth, and the customer's next calls ring in vain: "
                f"{then}"
            )
        if self.found:
            complain(f"{situation}: {self}. A wrong owner is worse than none: {then}")
        if not isinstance(self.error, SourceError):
            complain(
                f"{situation}: {self}. Anything but a SourceError counts as a bug: catch it, and "
                f"`raise {best}(…) from None`. {advice}".strip()
            )
        if not isinstance(self.error, kind):
            complain(f"{situation}: {self}. Raise {best}: {_MEANING.get(kind, 'see bridge/sdk/errors.py')}.")

    def must_be_honest(self, situation: str) -> None:
        """Complain unless an answer or a SourceError came, whichever."""
        if self.late or (self.error is not None and not isinstance(self.error, SourceError)):
            self.must_be_failure(situation)


_IN_TIME = (
    "No wait may go beyond deadline.remaining(), and all waits together neither: give each a timeout, and look at the "
    "deadline after each piece that comes; take a lock by lock.acquire(timeout=deadline.remaining()). "
    "bridge.sdk tells more; bridge.sdk.http does all of it."
)
_MEANING: dict[type[SourceError], str] = {
    SourceUnavailable: "asking again later may work",
    UnexpectedAnswer: "an answer came, but it does not fit",
}


class Asked:
    """Something under way in a thread of its own, which counts as late `margin` seconds after its deadline."""

    def __init__(
        self, action: Callable[[Deadline], Sequence[Any]], seconds: float, margin: float, who: str = "find_owners"
    ) -> None:
        self._margin = margin
        self._who = who
        self._deadline = Deadline.after(seconds)
        self._result: Future[TrialOutcome] = Future()
        threading.Thread(target=self._run, args=(action,), name=ASKING, daemon=True).start()

    @property
    def over(self) -> bool:
        """Tell whether it has come to its end."""
        return self._result.done()

    def outcome(self) -> TrialOutcome:
        """Wait for what comes of it, not much longer than its deadline."""
        try:
            return self._result.result(self._deadline.remaining() + self._margin)
        except TimeoutError:
            return TrialOutcome(who=self._who)

    def _run(self, action: Callable[[Deadline], Sequence[Any]]) -> None:
        try:
            outcome = TrialOutcome(tuple(action(self._deadline)), who=self._who)
        except BaseException as error:  # noqa: BLE001 - judged by the test that asked
            outcome = TrialOutcome(error=error, who=self._who)
        self._result.set_result(outcome)


def error_of(action: Callable[[], object]) -> BaseException | None:
    """Return whatever is raised: which errors may be, is the test's business."""
    try:
        action()
    except BaseException as error:  # noqa: BLE001 - a stranger's code
        return error
    return None


def close(thing: Any, what: str = "close") -> None:  # noqa: ANN401 - a connector, or a list of extensions
    """Close something, and complain of whatever it raises."""
    if error := error_of(thing.close):
        complain(f"{what} raised {told(error)}. It has to do no harm.")


def told(error: BaseException) -> str:
    """Name an error, and for a bug also the line of the connector's code that it came from."""
    if isinstance(error, SourceError):
        return f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if "site-packages" not in frame.filename and Path(frame.filename).is_file()]
    theirs = [frame for frame in places if Path(__file__).parents[1] not in Path(frame.filename).parents] or places
    where = f" in {Path(theirs[-1].filename).name}:{theirs[-1].lineno}" if theirs else ""
    return f"{type(error).__name__}{where}: {error}"
