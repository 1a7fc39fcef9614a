"""Tests of what is given away: no secret, and no caller's number where it is kept, whatever goes wrong."""

import logging
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import ValidationError

from bridge.testing.outcome import complain, told
from bridge.testing.subject import Subject

_SEPARATORS = re.compile(r"(?<=\d)[\s.\-()%/]+(?=\d)")


class Discretion(Subject):
    """What a connector says, and what its settings show."""

    def test_its_errors_give_nothing_away(self, place: Any) -> None:  # noqa: ANN401
        """Words its errors itself: those of a library or of the source may hold anything."""
        for what, connector in self.broken(place):
            try:
                error = _error_of(connector.open) or self.ask(connector).error
            finally:
                connector.close()
            if error is not None:
                text = f"{error!r}\n{''.join(traceback.format_exception(error))}"
                advice = "Use words of your own, and `raise … from None`"
                self._must_be_clean(text, f"{what}: the error {type(error).__name__}", advice)

    def test_its_log_gives_nothing_away(self, place: Any) -> None:  # noqa: ANN401
        """Logs nothing about a call: what it raises is logged by omi-bridge."""
        with _log_lines() as lines:
            with self.opened(place) as connector:
                self.ask(connector)
                self.ask(connector, self.strangers[0])
            for _what, connector in self.broken(place):
                _error_of(connector.open)
                self.ask(connector)
                connector.close()
        self._must_be_clean("\n".join(lines), "the log", "Log nothing about a call: raise, and omi-bridge logs it")

    def test_what_it_explains_and_reports_gives_no_secret_away(self, place: Any) -> None:  # noqa: ANN401
        """Keeps secrets out of what `omi-bridge lookup --explain` and `omi-bridge check` print."""
        lines: list[str] = []
        with self.opened(place) as connector:
            self.ask(connector, explain=lines.append)
            self.ask(connector, self.strangers[0], explain=lines.append)
            said = [*connector.report(), connector.trouble()]
        for _what, connector in self.broken(place):
            _error_of(connector.open)
            self.ask(connector, explain=lines.append)
            said += [*connector.report(), connector.trouble()]
            connector.close()
        if not all(isinstance(line, str) for line in (*lines, *said)):
            complain("explain, report and trouble: what is said has to be text")
        if self._holds_secret("\n".join(lines)):
            complain("call.explain was told the secret: leave it out")
        self._must_be_clean("\n".join(said), "report or trouble", "Leave it out")

    def test_its_settings_are_strict(self, place: Any) -> None:  # noqa: ANN401
        """Refuses a key that it does not know: a typo must not pass for a setting."""
        settings = type(self.connect(place).config)
        try:
            settings.model_validate({"no_such_key": 1})
        except ValidationError as error:
            refused = any(problem["loc"] == ("no_such_key",) for problem in error.errors())
        except Exception as error:  # noqa: BLE001 - a stranger's code
            complain(f"settings with an unknown key: {settings.__name__} raised {told(error)}: raise ValueError")
        else:
            refused = False
        if not refused and settings.model_config.get("extra") != "forbid":
            complain(f'{settings.__name__} accepts an unknown key: leave model_config with extra="forbid"')

    def test_its_settings_show_no_secret(self, place: Any) -> None:  # noqa: ANN401
        """Holds secrets as SecretStr, and repeats no value in an error."""
        connector = self.connect(place)
        settings = type(connector.config)
        if self._holds_secret(f"{connector.config!r} {connector.config} {connector!r}"):
            complain(f"the settings show the secret: its type in {settings.__name__} has to be SecretStr")
        wrong = {field.alias or name: {"": self.secret} for name, field in settings.model_fields.items()}
        try:
            settings.model_validate(wrong)
        except ValidationError as error:
            if self._holds_secret(str(error)):
                complain(
                    f"an error in the settings repeats what was written, which may be a secret: leave model_config of "
                    f"{settings.__name__} with hide_input_in_errors=True, and no value in a validator's message"
                )
        except Exception as error:  # noqa: BLE001 - a stranger's code
            complain(f"settings of another type: a validator raised {told(error)}: raise ValueError")

    def _must_be_clean(self, text: str, what: str, advice: str) -> None:
        """Complain of the first line that holds a secret or a number; both are the kit's own, so it may be shown."""
        numbers = (self.number, *self.strangers)
        for line in text.splitlines():
            if self._holds_secret(line):
                complain(f"{what}: it holds the secret. {advice}. It says: {line:.300}")
            if any(number.nsn in _SEPARATORS.sub("", line) for number in numbers):
                complain(
                    f"{what}: it holds the caller's whole number. {advice}; call.caller.masked may be shown. "
                    f"It says: {line:.300}"
                )

    def _holds_secret(self, text: str) -> bool:
        forms = (self.secret, quote(self.secret, safe=""), quote_plus(self.secret), repr(self.secret)[1:-1])
        return any(form in text for form in forms)


def _error_of(action: Callable[[], object]) -> BaseException | None:
    """Return whatever is raised: which errors may be, is another test's business."""
    try:
        action()
    except BaseException as error:  # noqa: BLE001 - a stranger's code
        return error
    return None


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{record.name}: {logging.Formatter().format(record)}")


@contextmanager
def _log_lines() -> Iterator[list[str]]:
    """Collect what is logged, down to the level debug, as the service would: it lets urllib3 warn alone."""
    lines: list[str] = []
    collector, root, urllib3 = _Collector(lines), logging.getLogger(), logging.getLogger("urllib3")
    before, before_urllib3 = root.level, urllib3.level
    root.addHandler(collector)
    root.setLevel(logging.DEBUG)
    urllib3.setLevel(max(logging.WARNING, before_urllib3))
    try:
        yield lines
    finally:
        root.removeHandler(collector)
        root.setLevel(before)
        urllib3.setLevel(before_urllib3)
