"""The page on which a customers' file is looked at without being kept: what would be read of it, and what would not."""

from flask import Blueprint, render_template

from bridge.console.audit import tell
from bridge.console.forms import FileForm
from bridge.console.looking import FileLooker
from bridge.console.pages import Ask
from bridge.console.uploads import LARGEST_FILE, shown_name
from bridge.insight.client import AnswerRefused
from bridge.sdk.disk.file_kind import TEXTS, WORKBOOKS

_REFUSED = {"look-busy", "look-often", "look-time", "look-memory"}
_TYPED = ("sheet", "phone", "owner")


class FilesPage:
    """Shows what `looker` finds; the service is asked by `ask` for its country alone."""

    def __init__(self, ask: Ask, looker: FileLooker) -> None:
        self._ask = ask
        self._looker = looker

    def blueprint(self) -> Blueprint:
        """Make the route, and what the form needs wherever it is shown."""
        blueprint = Blueprint("files", __name__)
        blueprint.add_url_rule("/set-up/file", view_func=self.look, methods=["GET", "POST"])
        blueprint.app_context_processor(_of_the_form)
        return blueprint

    def look(self) -> str:
        """Look at the file that was sent, or show the form for one."""
        form = FileForm()
        if not form.is_submitted():
            return render_template("file.html", form=form)
        if not form.validate():
            return render_template("file.html", form=form, refused="no-file")
        sent = form.file.data
        size = sent.stream.seek(0, 2)
        name = shown_name(sent.filename)
        typed = {key: (form[key].data or "").strip() for key in _TYPED}
        region = self._ask({"ask": "region"})["region"]
        try:
            found = self._looker.look(sent.stream, {"name": name, "region": region, **typed})
        except AnswerRefused as refusal:
            tell("looks at the file %s of %d bytes, refused: %s", name, size, refusal)
            if str(refusal) not in _REFUSED:
                raise
            return render_template("file.html", form=form, refused=str(refusal))
        tell("looks at the file %s of %d bytes", name, size)
        return render_template("file.html", form=form, found=found, name=name)


def _of_the_form() -> dict[str, object]:
    return {"largest_file": LARGEST_FILE, "endings": (*TEXTS, *WORKBOOKS)}
