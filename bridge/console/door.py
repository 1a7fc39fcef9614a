"""Who may see the pages: signed in with the console's own password, by a name that the console knows itself by.

The password is tried so many times a minute altogether, whoever tries: it has no user's name, and an address says
little behind a proxy. One is tried at a time, for the hash that makes guessing slow takes 32 MB. A browser gets
everything from here, runs no script but ours, and shows us in nobody's frame.
"""

import logging
import re
import threading
import time
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from werkzeug.security import check_password_hash

from bridge.config.console import Console
from bridge.console.forms import LanguageForm, SignInForm
from bridge.console.sessions import Sessions
from bridge.console.uploads import TAKES_A_FILE, hear_out
from bridge.sdk.deadline import Clock

_audit = logging.getLogger("bridge.console.audit")

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*", re.ASCII)
_OPEN = {"door.sign_in", "door.choose_language", "static", "bootstrap.static"}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_REFRESHED = {"calls.calls"}
"""The pages whose script may ask us, and nobody else, for the page once more."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SessionsOverTls(SecureCookieSessionInterface):
    """Cookies that go back over TLS alone, where they were given over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's own signature
        """Tell whether the browser has come over TLS."""
        return request.is_secure


class Door:
    """Lets in who knows the password, for as long as `settings` say; `clock` is the wall's."""

    def __init__(self, settings: Console, clock: Clock = time.time) -> None:
        self._settings = settings
        self._sessions = Sessions(settings.session, clock)
        self._one_at_a_time = threading.Lock()

    def blueprint(self) -> Blueprint:
        """Make the pages for signing in and out, and for choosing a language."""
        blueprint = Blueprint("door", __name__)
        blueprint.add_url_rule("/sign-in", view_func=self.sign_in, methods=["GET", "POST"])
        blueprint.add_url_rule("/sign-out", view_func=self.sign_out, methods=["POST"])
        blueprint.add_url_rule("/language", view_func=self.choose_language, methods=["POST"])
        return blueprint

    def turn_away(self) -> ResponseReturnValue | None:
        """Answer who may not come in: under a name that is not ours at all, or without having signed in."""
        asked = _HOST.fullmatch(request.host.lower())
        if asked is None or asked["name"] not in self._settings.hosts:
            _audit.warning("%s asks for the host %r, which is none of console.hosts", _who(), request.host[:64])
            return _refused("this host is none of console.hosts")
        if not _PREFIX.fullmatch(request.root_path):
            _audit.warning("%s comes with X-Forwarded-Prefix: %r, which is no path", _who(), request.root_path[:64])
            return _refused("X-Forwarded-Prefix is no path")
        if request.endpoint in _OPEN or self.is_signed_in():
            return None
        if request.endpoint == TAKES_A_FILE and _browser():  # who was signed in is told that he is not any more
            hear_out(request)
        for_later = request.full_path if request.method == "GET" and request.endpoint else None
        return redirect(url_for("door.sign_in", next=for_later))

    def is_signed_in(self) -> bool:
        """Tell whether whoever asks has signed in."""
        return self._sessions.is_open(_browser())

    @staticmethod
    def close_behind(response: Response) -> Response:
        """Tell the browser what the page may do, and to keep nothing of it but what everybody may have."""
        response.headers.extend(_HEADERS)
        asks = "; connect-src 'self'" if request.endpoint in _REFRESHED else ""
        response.headers["Content-Security-Policy"] = _POLICY + asks
        if request.endpoint not in {"static", "bootstrap.static"}:
            response.cache_control.no_store = True
        return response

    def sign_in(self) -> ResponseReturnValue:
        """Ask for the password, and judge it."""
        form = SignInForm()
        wrong, status = "", 200
        if form.validate_on_submit():
            wrong, status = self._judged(form.password.data)
            if not wrong:
                self._let_in()
                return redirect(_own_page(request.args.get("next", "")))
        return render_template("sign_in.html", form=form, wrong=wrong), status

    def sign_out(self) -> ResponseReturnValue:
        """End the session."""
        self._sessions.end(_browser())
        _audit.info("%s signs out", _who())
        return redirect(url_for("door.sign_in"))

    @staticmethod
    def choose_language() -> ResponseReturnValue:
        """Go on in another language, on the page where that was chosen."""
        form = LanguageForm()
        if not form.validate_on_submit():
            abort(400)
        session["language"] = form.language.data
        return redirect(_own_page(form.page.data or ""))

    def _judged(self, password: str) -> tuple[str, int]:
        """Say what is wrong with a password, nothing if it is right, and the answer's status."""
        with self._one_at_a_time:
            if not self._sessions.may_try(_browser()):
                _audit.warning("%s tries to sign in too often", _who())
                return "throttled", 429
            if check_password_hash(self._settings.password.get_secret_value(), password):
                return "", 200
            self._sessions.was_wrong(_browser())
        _audit.warning("%s tries to sign in with a wrong password", _who())
        return "password", 403

    def _let_in(self) -> None:
        language = session.get("language")
        session.clear()
        with self._one_at_a_time:
            session["browser"] = self._sessions.begin()
        if language:
            session["language"] = language
        _audit.info("%s signs in", _who())


def _own_page(page: str) -> str:
    """Return the page if it is one of ours, else the first: nobody is led elsewhere by a link."""
    parts = urlsplit(page)
    is_path = page.startswith("/") and not page.startswith("//") and not parts.netloc and "\\" not in page
    is_ours = is_path and page.isprintable()  # no header can carry a line break
    return request.root_path + page if is_ours else url_for("pages.trace")


def _refused(why: str) -> Response:
    return Response(f"{why}\n", 400, content_type="text/plain; charset=utf-8")


def _browser() -> str:
    return str(session.get("browser", ""))


def _who() -> str:
    return request.remote_addr or "somebody"
