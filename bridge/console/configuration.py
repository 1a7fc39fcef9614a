"""The page of the configuration: the file with its problems in place, what a reload would change, and for whom."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request

from bridge.console.audit import tell
from bridge.console.pages import Ask
from bridge.insight.client import AnswerRefused

_REFUSED = {"busy", "no-callers", "not-valid", "shadow-often"}


class ConfigurationPage:
    """Shows what `ask` answers."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def blueprint(self) -> Blueprint:
        """Make the route."""
        blueprint = Blueprint("configuration", __name__)
        blueprint.add_url_rule("/configuration", view_func=self.configuration, methods=["GET", "POST"])
        return blueprint

    def configuration(self) -> str:
        """Show the file as it stands; when that is wanted, what it would answer the last callers."""
        tried, refused = None, ""
        if request.method == "POST":
            try:
                tried = self._ask({"ask": "shadow"})
            except AnswerRefused as refusal:
                refused = str(refusal)
                tell("tries the configuration's file on the last callers, refused: %s", refused)
                if refused not in _REFUSED:
                    raise
            else:
                tell("tries the configuration's file on the last callers")
        found = self._ask({"ask": "configuration"})
        tell("looks at the configuration")
        shown = {"found": found, "problems": _by_line(found), "tried": tried, "refused": refused}
        return render_template("configuration.html", **shown)


def _by_line(found: Mapping[str, Any]) -> Mapping[int, list[Mapping[str, Any]]]:
    """Return the problems by the line under which they are shown, 0 where that is none."""
    shown = sorted(line["number"] for line in found["lines"])
    placed = defaultdict(list)
    for problem in found["problems"]:
        placed[max((number for number in shown if number <= problem["line"]), default=0)].append(problem)
    return placed
