"""The tests that every list of extensions has to pass."""

import traceback
from collections.abc import Sequence
from typing import Any

from bridge.extensions.content import sanitised_entries
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceError
from bridge.sdk.extension_source import AnyExtensionSource, ExtensionEntry
from bridge.testing.conformance.holdings import Holdings
from bridge.testing.conformance.outcome import Asked, TrialOutcome, complain, not_tried
from bridge.testing.conformance.planted import log_lines, must_be_clean
from bridge.testing.conformance.source import SourceTests
from bridge.testing.conformance.strictness import must_be_strict, must_show_no_secret

_FAIL = "Raise SourceUnavailable, SourceRejected or UnexpectedAnswer: then the last good list stays in force."


class ExtensionsConformance(SourceTests[AnyExtensionSource]):
    """Subclass it in a test file under a name that starts with `Test`; the source lists `entries`, and nobody else."""

    entries: Sequence[ExtensionEntry] = ()

    def source(self, place: Any) -> AnyExtensionSource:  # noqa: ANN401, ARG002 - a folder
        """Prepare the source, in the empty folder `place` or on a server, and return a new list of extensions."""
        complain("define source(self, place): prepare the source, and return your list of extensions")

    def make(self, place: Any) -> AnyExtensionSource:  # noqa: ANN401
        """Return a new list of extensions."""
        return self.source(place)

    def read(self, source: AnyExtensionSource, seconds: float | None = None) -> TrialOutcome:
        """Read the whole list."""

        def read(deadline: Deadline) -> Sequence[ExtensionEntry]:
            return sanitised_entries(source.read(deadline), deadline)

        return Asked(read, self.enough if seconds is None else seconds, self.margin, who="read").outcome()

    def test_the_whole_list_is_read_again_and_again(self, place: Any) -> None:  # noqa: ANN401
        """Returns the same entries, in whatever order, each time."""
        if not self.entries:
            complain("set entries: those that your source lists")
        expected = set(sanitised_entries(self.entries, Deadline.after(self.enough)))
        with self.made(place) as source:
            for which in ("the first", "the second"):
                outcome = self.read(source)
                if outcome.found is None or set(outcome.found) != expected:
                    complain(f"{which} reading: {outcome}. Expected: {'; '.join(map(str, self.entries))}")

    def test_a_source_that_cannot_be_used_is_no_list(self, place: Any) -> None:  # noqa: ANN401
        """Fails by a SourceError: a list that was emptied by a fault would leave everybody without a telephone."""
        for what, source in self.away(place):
            self._must_fail(self.read(source), what)
        for what, source, break_it in self.breaking(place):
            self.read(source)
            break_it()
            self._must_fail(self.read(source), f"{what}, after it was read")

    def test_a_source_that_hangs_is_left_at_the_deadline(self, place: Any) -> None:  # noqa: ANN401
        """Comes back when its time is over."""
        hung = False
        for what, source in self.hung(place):
            hung = True
            self._must_fail(self.read(source, self.moment), what)
        if not hung:
            not_tried("what becomes of a reading while the source hangs. Return ways of that in hangs(self)")

    def test_its_errors_its_log_and_its_report_give_no_secret_away(self, place: Any) -> None:  # noqa: ANN401
        """Words its errors itself, and says nothing else of what it was given."""
        said: list[str] = []
        with log_lines() as lines:
            with self.made(place) as source:
                self.read(source)
                said += source.report()
            for what, source in self.away(place):
                if error := self.read(source).error:
                    text = f"{error!r}\n{''.join(traceback.format_exception(error))}"
                    must_be_clean(text, self.secret, what, "Use words of your own, and `raise … from None`")
                said += source.report()
        must_be_clean("\n".join([*said, *lines]), self.secret, "report or the log", "Leave it out")

    def test_its_settings_are_strict_and_show_no_secret(self, place: Any) -> None:  # noqa: ANN401
        """Refuses a key that it does not know, and holds secrets as SecretStr."""
        with self.made(place) as source:
            must_be_strict(type(source.config))
            must_show_no_secret(source, source.config, self.secret)

    def test_closing_releases_what_was_held(self, place: Any) -> None:  # noqa: ANN401
        """Leaves no thread, socket or file behind, and may be closed twice, or before it is read."""
        with self.made(place) as source:
            self.close(source, "close before anything was read")
        with self.made(place) as source:
            self.read(source)  # what is imported or opened once for all is there from now on
        before = Holdings()
        with self.made(place) as source:
            self.read(source)
            self.close(source)
            self.close(source, "close for the second time")
        left = before.left(self.margin)
        if left:
            complain(
                f"after close there is still {', '.join(left)}: release it in close; a server that your "
                "source(self, place) starts is ended in stop(self, place)."
            )

    def _must_fail(self, outcome: TrialOutcome, situation: str) -> None:
        if not isinstance(outcome.error, SourceError):
            complain(f"{situation}: {outcome}. {_FAIL} No wait may go beyond deadline.remaining().")
