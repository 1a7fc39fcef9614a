"""The pages: each asks the service one thing, and shows what came."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from bridge.console.forms import CallsForm, NumberForm
from bridge.console.languages import LANGUAGES
from bridge.console.plots import bars_of, columns_of
from bridge.console.words import MENU, OUTCOMES, support_text
from bridge.insight.client import AnswerRefused

_audit = logging.getLogger("bridge.console.audit")

_TRY_LATER = {"busy", "often", "no-room"}
"""Why a number is not looked up just now, though it may be in a moment."""

_FILTERS = ("number", "owner", "extension", "hotline", "outcome", "day")

Ask = Callable[[Mapping[str, object]], Any]


def pages(ask: Ask) -> Blueprint:
    """Make the pages; `ask` asks the running service."""
    blueprint = Blueprint("pages", __name__)

    def trace() -> ResponseReturnValue:
        form = NumberForm()
        found, refused = None, ""
        if form.validate_on_submit():
            question = {"ask": "trace", "number": form.number.data, "hotline": form.hotline.data or ""}
            try:
                found = ask(question)
            except AnswerRefused as refusal:
                refused = str(refusal)
                if refused not in _TRY_LATER:
                    raise
            seen = f"the caller {found['caller']}" if found else f"a caller: refused, {refused}"
            _audit.info("%s looks up %s", request.remote_addr, seen)
        shown = {"bars": bars_of(found), "support": support_text(found)} if found else {}
        return render_template("trace.html", form=form, found=found, refused=refused, **shown)

    def calls() -> ResponseReturnValue:
        form = CallsForm()
        wanted = {name: form[name].data or "" for name in _FILTERS} if form.validate_on_submit() else {}
        found, refused = None, ""
        try:
            found = ask({"ask": "calls", **wanted})
        except AnswerRefused as refusal:
            refused = str(refusal)
        seen = f", those of the number …{wanted['number'][-3:]}" if wanted.get("number") else ""
        _audit.info("%s looks at the calls%s", request.remote_addr, seen)
        return render_template("calls.html", form=form, found=found, refused=refused, outcomes=OUTCOMES)

    def sources() -> ResponseReturnValue:
        found = ask({"ask": "sources"})
        _audit.info("%s looks at the sources", request.remote_addr)
        return render_template("sources.html", found=found, parts=_by_part(found))

    def figures() -> ResponseReturnValue:
        found = ask({"ask": "figures"})
        _audit.info("%s looks at the figures", request.remote_addr)
        return render_template("figures.html", found=found, columns=columns_of(found["histogram"]))

    views = ((trace, "/", ["GET", "POST"]), (calls, "/calls", ["GET", "POST"]), (sources, "/sources", ["GET"]),
             (figures, "/figures", ["GET"]))  # fmt: skip
    for view, path, methods in views:
        blueprint.add_url_rule(path, view_func=view, methods=methods)
    blueprint.app_context_processor(_of_every_page)
    return blueprint


def _of_every_page() -> dict[str, object]:
    return {"menu": MENU, "languages": LANGUAGES}


def _by_part(found: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the troubles that are no connector's, by their part of the configuration."""
    return {part: why for part, why in found["troubles"].items() if not part.startswith("connector ")}
