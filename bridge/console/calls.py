"""The page of the recent calls, which a script of ours keeps up to date while somebody looks at it."""

import time

from flask import Blueprint, render_template, request

from bridge.console.audit import ToldLately, tell
from bridge.console.forms import CallsForm
from bridge.console.pages import Ask
from bridge.console.words import OUTCOMES
from bridge.insight.client import CALLS_SOUGHT_BY, AnswerRefused
from bridge.sdk.deadline import Clock

REFRESHES = "X-Refresh"
"""The header by which our script says that nobody has asked anew."""

_BUSY = "busy"


class CallsPage:
    """Shows what `ask` answers; `clock` is monotonic."""

    def __init__(self, ask: Ask, clock: Clock = time.monotonic) -> None:
        self._ask = ask
        self._told = ToldLately(clock)

    def blueprint(self) -> Blueprint:
        """Make the route."""
        blueprint = Blueprint("calls", __name__)
        blueprint.add_url_rule("/calls", view_func=self.calls, methods=["GET", "POST"])
        return blueprint

    def calls(self) -> str:
        """Show the recent calls, or those that are looked for."""
        form, is_refresh = CallsForm(), REFRESHES in request.headers
        wanted = {name: form[name].data or "" for name in CALLS_SOUGHT_BY} if form.validate_on_submit() else {}
        found, refused = None, ""
        try:
            found = self._ask({"ask": "calls", **wanted, **({"refresh": True} if is_refresh else {})})
        except AnswerRefused as refusal:
            if is_refresh and str(refusal) == _BUSY:
                raise
            refused = str(refusal)
        is_told = self._told.was_told((request.remote_addr, *wanted.items()))
        if not (is_refresh and is_told):
            number = wanted.get("number")
            tell("looks at the calls%s", f", those of the number …{number[-3:]}" if number else "")
        return render_template("calls.html", form=form, found=found, refused=refused, outcomes=OUTCOMES)
