"""The page of the configuration: the file with its problems in place, and what a reload would change."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template

from bridge.console.audit import tell
from bridge.console.pages import Ask


class ConfigurationPage:
    """Shows what `ask` answers."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def blueprint(self) -> Blueprint:
        """Make the route."""
        blueprint = Blueprint("configuration", __name__)
        blueprint.add_url_rule("/configuration", view_func=self.configuration)
        return blueprint

    def configuration(self) -> str:
        """Show the file as it stands."""
        found = self._ask({"ask": "configuration"})
        tell("looks at the configuration")
        return render_template("configuration.html", found=found, problems=_by_line(found))


def _by_line(found: Mapping[str, Any]) -> Mapping[int, list[Mapping[str, Any]]]:
    """Return the problems by the line under which they are shown, 0 where that is none."""
    shown = sorted(line["number"] for line in found["lines"])
    placed = defaultdict(list)
    for problem in found["problems"]:
        placed[max((number for number in shown if number <= problem["line"]), default=0)].append(problem)
    return placed
