"""The pages: each asks the service one thing, and shows what came."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template

from bridge.console.audit import tell
from bridge.console.forms import NumberForm, TryForm
from bridge.console.languages import LANGUAGES
from bridge.console.plots import bars_of, columns_of
from bridge.console.words import FAILURES, MENU, support_text
from bridge.insight.client import AnswerRefused

_TRY_LATER = {"busy", "often", "no-room"}
"""Why a number is not looked up just now, though it may be in a moment."""

Ask = Callable[[Mapping[str, object]], Any]
"""Asks the running service. Raises ServiceUnreachable and AnswerRefused."""


class ConsolePages:
    """Shows what `ask` answers."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def blueprint(self) -> Blueprint:
        """Make the routes."""
        blueprint = Blueprint("pages", __name__)
        blueprint.add_url_rule("/", view_func=self.trace, methods=["GET", "POST"])
        blueprint.add_url_rule("/sources", view_func=self.sources, methods=["GET", "POST"])
        for view in (self.directory, self.figures):
            blueprint.add_url_rule(f"/{view.__name__}", view_func=view)
        blueprint.app_context_processor(_of_every_page)
        return blueprint

    def trace(self) -> str:
        """Look a number up."""
        form = NumberForm()
        if not form.validate_on_submit():
            return render_template("trace.html", form=form)
        try:
            found = self._ask({"ask": "trace", "number": form.number.data, "hotline": form.hotline.data or ""})
        except AnswerRefused as refusal:
            if str(refusal) not in _TRY_LATER:
                raise
            tell("looks up a caller, refused: %s", refusal)
            return render_template("trace.html", form=form, refused=str(refusal))
        tell("looks up the caller %s", found["caller"])
        return render_template("trace.html", form=form, found=found, bars=bars_of(found), support=support_text(found))

    def sources(self) -> str:
        """Show how each source is, and have one tried that is left alone."""
        form, tried, refused = TryForm(), "", ""
        if form.validate_on_submit():
            try:
                tried = self._ask({"ask": "try", "name": form.name.data})["name"]
            except AnswerRefused as refusal:
                refused = str(refusal)
            tell("tries the source %s%s", form.name.data, f", refused: {refused}" if refused else "")
        found = self._ask({"ask": "sources"})
        tell("looks at the sources")
        shown = {"found": found, "parts": _by_part(found), "tried": tried, "refused": refused}
        return render_template("sources.html", advice=FAILURES, **shown)

    def directory(self) -> str:
        """Show who can be rung, and who could not."""
        found = self._ask({"ask": "directory"})
        tell("looks at the directory")
        return render_template("directory.html", found=found)

    def figures(self) -> str:
        """Show today's calls against two seconds."""
        found = self._ask({"ask": "figures"})
        tell("looks at the figures")
        return render_template("figures.html", found=found, columns=columns_of(found["histogram"]))


def _of_every_page() -> dict[str, object]:
    return {"menu": MENU, "languages": LANGUAGES}


def _by_part(found: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the troubles that are no connector's, by their part of the configuration."""
    return {part: why for part, why in found["troubles"].items() if not part.startswith("connector ")}
