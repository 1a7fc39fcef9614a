"""Tests of what is given away: no secret, and no caller's number where it is kept, whatever goes wrong."""

import traceback
from typing import Any

from bridge.testing.conformance.outcome import complain
from bridge.testing.conformance.planted import holds_secret, log_lines, must_be_clean
from bridge.testing.conformance.strictness import must_be_strict, must_show_no_secret
from bridge.testing.conformance.subject import Subject, asks_nothing


class Discretion(Subject):
    """What a connector says, and what its settings show."""

    def test_its_errors_give_nothing_away(self, place: Any) -> None:  # noqa: ANN401
        """Words its errors itself: those of a library or of the source may hold anything."""
        for what, _connector, outcome in self.broken(place):
            if (error := outcome.error) is not None:
                text = f"{error!r}\n{''.join(traceback.format_exception(error))}"
                advice = "Use words of your own, and `raise … from None`"
                self._must_be_clean(text, f"{what}: the error {type(error).__name__}", advice)

    def test_its_log_gives_nothing_away(self, place: Any) -> None:  # noqa: ANN401
        """Logs and prints nothing about a call: what it raises is logged by omi-bridge."""
        with log_lines() as lines:
            with self.opened(place) as connector:
                self.ask(connector)
                self.ask(connector, self.strangers[0])
            for _ in self.broken(place):
                pass
        advice = "Log and print nothing about a call: raise, and omi-bridge logs it"
        self._must_be_clean("\n".join(lines), "the log", advice)

    def test_what_it_explains_and_reports_gives_no_secret_away(self, place: Any) -> None:  # noqa: ANN401
        """Keeps secrets out of what `omi-bridge lookup --explain` and `omi-bridge check` print."""
        lines: list[str] = []
        with self.opened(place) as connector:
            self.ask(connector, explain=lines.append)
            self.ask(connector, self.strangers[0], explain=lines.append)
            said = [*connector.report(), connector.trouble()]
        for _what, connector, _outcome in self.broken(place, lines.append):
            said += [*connector.report(), connector.trouble()]
        if not all(isinstance(line, str) for line in (*lines, *said)):
            complain("explain, report and trouble: what is said has to be text")
        if holds_secret("\n".join(lines), self.secret):
            complain("call.explain was told the secret: leave it out")
        self._must_be_clean("\n".join(said), "report or trouble", "Leave it out")

    @asks_nothing
    def test_its_settings_are_strict(self, place: Any) -> None:  # noqa: ANN401
        """Refuses a key that it does not know: a typo must not pass for a setting."""
        with self.made(place) as connector:
            must_be_strict(type(connector.config))

    @asks_nothing
    def test_its_settings_show_no_secret(self, place: Any) -> None:  # noqa: ANN401
        """Holds secrets as SecretStr, and repeats no value in an error."""
        with self.made(place) as connector:
            must_show_no_secret(connector, connector.config, self.secret)

    def _must_be_clean(self, text: str, what: str, advice: str) -> None:
        must_be_clean(text, self.secret, what, advice, (self.number, *self.strangers))
