"""What came of asking a connector, in words that tell its author what to do.

Each question is asked in a thread of its own: a connector that never comes back must not keep the test waiting.
"""

import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceError, SourceUnavailable, UnexpectedAnswer

ASKING = "asking"
"""The name of the threads in which questions are asked."""

CONSTRUCTOR, OPEN, FIND, CLOSE = "the constructor", "open", "find_owners", "close"
"""Who is put to the test."""


def complain(message: str) -> NoReturn:
    """Fail the test with this message alone: where in the kit that was says nothing to a connector's author."""
    pytest.fail(message, pytrace=False)


def not_tried(what: str) -> NoReturn:
    """Skip the test, for it would say nothing: what cannot be tried has not passed."""
    pytest.skip(f"not tried: {what}")


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What `who` did: found something or raised an error; neither means that it has not come back."""

    found: tuple[Any, ...] | None = None
    error: BaseException | None = None
    who: str = FIND
    seconds: float = 0.0
    """For how long it was waited."""
    at: str = ""
    """The line of the connector's code in which it was then."""

    @property
    def late(self) -> bool:
        """Tell whether it has not come back."""
        return self.found is None and self.error is None

    def __str__(self) -> str:
        if self.error is not None:
            return f"{self.who} raised {told(self.error)}"
        if self.found is None:
            when = f"after {self.seconds:.1f} s" if self.who in _IN_TIME else "long after its deadline"
            return f"{self.who} was still busy {when}{self.at}"
        nothing = "nobody" if self.who == FIND else "nothing"
        return f"{self.who} returned {'; '.join(map(str, self.found)) or nothing}"

    def must_be(self, found: tuple[Any, ...], situation: str, advice: str) -> None:
        """Complain unless just this was returned."""
        if self.late:
            self.must_be_in_time(situation)
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
            self.must_be_in_time(situation, advice)
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

    def must_be_in_time(self, situation: str, advice: str = "") -> None:
        """Complain if it has not come back."""
        if self.late:
            complain(f"{situation}: {self}. {_IN_TIME.get(self.who, _BY_THE_DEADLINE)} {advice}".strip())

    def must_be_honest(self, situation: str) -> None:
        """Complain unless an answer or a SourceError came, whichever."""
        if self.late or (self.error is not None and not isinstance(self.error, SourceError)):
            self.must_be_failure(situation)


_BY_THE_DEADLINE = (
    "No wait may go beyond deadline.remaining(), and all waits together neither: give each a timeout, and look at the "
    "deadline after each piece that comes; take a lock by lock.acquire(timeout=deadline.remaining()). "
    "bridge.sdk.cut_off_at ends the waits of a library that knows no deadline; bridge.sdk.http does all of it."
)
_IN_TIME = {
    CONSTRUCTOR: "It runs while the configuration is read, and nothing ends it: keep the settings, ask in open.",
    OPEN: "It gets no deadline, so make one: Deadline.after(self.config.timeout).",
    CLOSE: "omi-bridge waits for it a second at most: end what you hold, and wait for nothing.",
}
"""What those have to do who get no deadline."""
_MEANING: dict[type[SourceError], str] = {
    SourceUnavailable: "asking again later may work",
    UnexpectedAnswer: "an answer came, but it does not fit",
}


class Asked:
    """Something under way in a thread of its own, which counts as late `margin` seconds after its deadline.

    The thread is a daemon, and so are those that a connector starts in it unless they say otherwise: what never ends
    does not keep pytest from ending.
    """

    def __init__(
        self, action: Callable[[Deadline], Sequence[Any]], seconds: float, margin: float, who: str = FIND
    ) -> None:
        self._seconds = seconds + margin
        self._margin = margin
        self._who = who
        self._deadline = Deadline.after(seconds)
        self._result: Future[TrialOutcome] = Future()
        self._thread = threading.Thread(target=self._run, args=(action,), name=ASKING, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Tell whether it has come to its end."""
        return self._result.done()

    def outcome(self) -> TrialOutcome:
        """Wait for what comes of it, not much longer than its deadline."""
        try:
            return self._result.result(self._deadline.remaining() + self._margin)
        except TimeoutError:
            frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - documented, in spite of its name
            at = _place(traceback.extract_stack(frame)) if frame else ""
            return TrialOutcome(who=self._who, seconds=self._seconds, at=at)

    def _run(self, action: Callable[[Deadline], Sequence[Any]]) -> None:
        try:
            outcome = TrialOutcome(tuple(action(self._deadline)), who=self._who)
        except BaseException as error:  # noqa: BLE001 - judged by the test that asked
            outcome = TrialOutcome(error=error, who=self._who)
        self._result.set_result(outcome)


def tried(action: Callable[[], object], seconds: float, margin: float, who: str) -> TrialOutcome:
    """Return what comes of something that gets no deadline and finds nothing."""

    def act(_deadline: Deadline) -> tuple[()]:
        action()
        return ()

    return Asked(act, seconds, margin, who).outcome()


def told(error: BaseException) -> str:
    """Name an error, and for a bug also the line of the connector's code that it came from."""
    if isinstance(error, SourceError):
        return f"{type(error).__name__}: {error}"
    return f"{type(error).__name__}{_place(traceback.extract_tb(error.__traceback__))}: {error}"


_OURS = Path(__file__).parents[2]
_PYTHON = Path(sysconfig.get_path("stdlib"))


def _place(frames: Iterable[traceback.FrameSummary]) -> str:
    """Name the innermost line of the connector's own code, if it comes to that at all."""
    places = [frame for frame in frames if "site-packages" not in frame.filename and Path(frame.filename).is_file()]
    theirs = [frame for frame in places if not {_OURS, _PYTHON} & set(Path(frame.filename).parents)]
    return f" in {Path(theirs[-1].filename).name}:{theirs[-1].lineno}" if theirs else ""
