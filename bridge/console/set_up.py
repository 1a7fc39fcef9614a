"""The page to begin with: a form for each CRM, the lines that it makes, and tables to start from.

The lines are made and checked by the service, which asks nobody for it; nothing is written, and no secret is typed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from bridge.console.audit import tell
from bridge.console.forms import SetUpForm
from bridge.console.pages import Ask
from bridge.console.words import PROVEN
from bridge.insight.client import AnswerRefused
from bridge.starters import KINDS, NAMES, lines_for, starter

_LONGEST = 500
_KINDS = {
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


_TABLES = {name: lines_for(kind, name) for kind in KINDS for name in NAMES if name.startswith(kind)}
"""The tables to start from, each with the lines that name it."""


class SetUpPage:
    """Shows what `ask` answers."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def blueprint(self) -> Blueprint:
        """Make the routes."""
        blueprint = Blueprint("set_up", __name__)
        blueprint.add_url_rule("/set-up", view_func=self.set_up, methods=["GET", "POST"])
        blueprint.add_url_rule("/set-up/<name>", view_func=self.table)
        return blueprint

    def set_up(self) -> str:
        """Show the form of a CRM, or the lines that it makes."""
        form, presets = SetUpForm(), self._ask({"ask": "presets"})["presets"]
        chosen = _chosen(presets, form.type.data or request.args.get("crm", ""))
        values: Mapping[str, str] = {}
        found, problems = None, {}
        if chosen and form.validate_on_submit():
            typed = [need["key"] for need in chosen["needs"] if not need["secret"]]
            values = {key: request.form.get(key, "")[:_LONGEST] for key in typed}
            try:
                found = self._ask({"ask": "lines", "type": chosen["type"], "values": values})
            except AnswerRefused as refusal:
                if str(refusal) != "busy":
                    raise
                problems = {"": str(refusal)}
            else:
                problems = {one["key"]: one["text"] for one in found["problems"]}
            tell("makes lines for %s", chosen["type"])
        shown = {"presets": presets, "chosen": chosen, "values": values, "problems": problems, "tables": _TABLES}
        return render_template("set_up.html", found=None if problems else found, proven=PROVEN, **shown)

    def table(self, name: str) -> Response:
        """Give a table to start from."""
        if name not in NAMES:
            abort(404)
        tell("takes the table %s", name)
        ending = name[name.rindex(".") :]
        return Response(
            starter(name),
            headers={"Content-Type": _KINDS[ending], "Content-Disposition": f'attachment; filename="{name}"'},
        )


def _chosen(presets: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    return next((one for one in presets if one["type"] == name), None)
