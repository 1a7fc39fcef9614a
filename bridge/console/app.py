"""The Flask application of the console: pages rendered here, in the reader's language, with nothing from elsewhere."""

import secrets
import time
from datetime import datetime, timedelta

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, format_datetime, format_timedelta
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from bridge.config.console import Console
from bridge.console.calls import CallsPage
from bridge.console.configuration import ConfigurationPage
from bridge.console.door import Door, SessionsOverTls
from bridge.console.files import FilesPage
from bridge.console.languages import chosen_language
from bridge.console.looking import PER_MINUTE, FileLooker
from bridge.console.pages import Ask, ConsolePages
from bridge.console.set_up import SetUpPage
from bridge.console.upkeep import UpkeepPage
from bridge.console.uploads import TAKES_A_FILE, ConsoleRequest, hear_out
from bridge.console.words import MEANINGS, in_words
from bridge.insight.client import AnswerRefused, ServiceSlow
from bridge.local.address import ServiceUnreachable
from bridge.sdk.deadline import Clock
from bridge.sdk.shared import Turns


def create_app(settings: Console, ask: Ask, clock: Clock = time.time, looker: FileLooker | None = None) -> Flask:
    """Make the WSGI application; sessions end with it, for their key is made here and kept nowhere."""
    app = Flask("bridge.console")
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME="omi_bridge_console",
        SESSION_COOKIE_SAMESITE="Strict",
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # a proxy may leave out the Referer; the token is what counts
        BABEL_DEFAULT_LOCALE="en",
    )
    app.session_interface = SessionsOverTls()
    app.request_class = ConsoleRequest
    if settings.proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_prefix=1)  # type: ignore[method-assign]
    Babel(app, locale_selector=chosen_language)
    Bootstrap5(app)
    door = Door(settings, clock)
    app.before_request(door.turn_away)
    app.after_request(door.close_behind)
    CSRFProtect(app)
    app.register_blueprint(door.blueprint())
    app.register_blueprint(ConsolePages(ask).blueprint())
    app.register_blueprint(CallsPage(ask).blueprint())
    app.register_blueprint(ConfigurationPage(ask).blueprint())
    app.register_blueprint(UpkeepPage(ask).blueprint())
    app.register_blueprint(SetUpPage(ask).blueprint())
    app.register_blueprint(FilesPage(ask, looker or FileLooker(Turns(PER_MINUTE, 60.0, clock))).blueprint())
    app.register_error_handler(Exception, _failed)
    app.jinja_env.filters |= {"in_words": in_words, "moment": _moment, "duration": _duration, "meaning": MEANINGS.get}
    app.jinja_env.globals |= {"language": chosen_language, "is_signed_in": door.is_signed_in}
    return app


def _failed(error: Exception) -> ResponseReturnValue:
    """Show what went wrong, in words; of a bug only that it is one, which the log tells."""
    match error:
        case ServiceSlow():
            return render_template("failed.html", why="slow", detail=str(error)), 503
        case ServiceUnreachable():
            return render_template("failed.html", why="unreachable", detail=str(error)), 503
        case AnswerRefused():
            return render_template("failed.html", why=str(error), detail=""), 503
        case CSRFError():
            return render_template("failed.html", why="csrf", detail=""), 400
        case RequestEntityTooLarge() if request.endpoint == TAKES_A_FILE:
            hear_out(request)
            return render_template("failed.html", why="look-large", detail=""), 413
        case HTTPException():
            return render_template("failed.html", why="http", detail=error.name), error.code or 500
    raise error


def _moment(text: str) -> str:
    """Write a moment, given as ISO 8601, as the reader's language does, in local time."""
    moment = datetime.fromisoformat(text)
    return str(format_datetime(moment.replace(tzinfo=None), "dd/MM/yyyy HH:mm:ss", rebase=False))


def _duration(seconds: float) -> str:
    """Write a duration as the reader's language does."""
    return str(format_timedelta(timedelta(seconds=seconds), granularity="second", threshold=1.5))
