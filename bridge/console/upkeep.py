"""The page of what may be done: forget a caller, believe a doubted list; each is asked once more before it is done."""

import re
from collections.abc import Mapping

from flask import Blueprint, render_template

from bridge.console.audit import tell
from bridge.console.forms import ConfirmForm, ForgetForm
from bridge.console.pages import Ask
from bridge.insight.client import AnswerRefused

_REFUSED = {"busy", "wrong-number", "forget-often", "not-forgotten", "not-doubted", "not-confirmed"}
_SHOWN = 3


class UpkeepPage:
    """Has done by `ask` what is wanted."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def blueprint(self) -> Blueprint:
        """Make the routes."""
        blueprint = Blueprint("upkeep", __name__)
        blueprint.add_url_rule("/upkeep", view_func=self.upkeep)
        blueprint.add_url_rule("/upkeep/forget", view_func=self.forget, methods=["GET", "POST"])
        blueprint.add_url_rule("/upkeep/confirm", view_func=self.confirm, methods=["GET", "POST"])
        return blueprint

    def upkeep(self) -> str:
        """Show what may be done."""
        tell("looks at the upkeep")
        return self._page()

    def forget(self) -> str:
        """Forget a caller, once that was asked twice."""
        form = ForgetForm()
        if not form.is_submitted():  # come back to in another language
            return self._page()
        if not form.validate():
            return self._page(refused="wrong-number")
        caller = "…" + re.sub(r"\D", "", form.number.data)[-_SHOWN:]
        if form.sure.data != "yes":
            return render_template("sure.html", form=form, caller=caller)
        return self._done("forgets the caller %s", caller, {"ask": "forget", "number": form.number.data})

    def confirm(self) -> str:
        """Believe a doubted list, once that was asked twice."""
        form = ConfirmForm()
        if not form.is_submitted():
            return self._page()
        if not form.validate():
            return self._page(refused="not-doubted")
        if form.sure.data != "yes":
            return render_template("sure.html", form=form)
        question = {"ask": "confirm", "name": form.name.data, "told": form.told.data}
        return self._done("confirms the list %s", form.name.data, question)

    def _done(self, what: str, of: str, question: Mapping[str, object]) -> str:
        """Do it, and write down that it was wanted, also if it could not be done."""
        try:
            found = self._ask(question)
        except AnswerRefused as refusal:
            tell(f"{what}, refused: %s", of, refusal)
            if str(refusal) not in _REFUSED:
                raise
            return self._page(refused=str(refusal))
        tell(what, of)
        return self._page(**{str(question["ask"]): found})

    def _page(self, **shown: object) -> str:
        after = next(iter(shown), "")  # another question: what is asked twice is answered alike for a second
        return render_template("upkeep.html", doubts=self._ask({"ask": "doubts", "after": after}), **shown)
