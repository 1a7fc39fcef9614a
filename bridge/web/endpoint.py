"""The owner endpoint: OMICall's question comes in, extensions go out, and HTTP ends here.

Whatever happens, the body is extensions or empty: OMICall would read an error text as an extension. What happened
stands in headers and in the log.

It is a WSGI application (PEP 3333). Flask's routes lead to it, and a plain question is handed to it ahead of them: to
find one route among four costs Flask as much time as all else that a remembered call needs.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Request

from bridge.lookup.decision import Decision, Outcome
from bridge.observability.logs import REQUEST_ID
from bridge.sdk.deadline import Deadline
from bridge.service import Service
from bridge.web.access import AccessControl
from bridge.web.client_address import Address
from bridge.web.incoming import Incoming, Refusal

_log = logging.getLogger(__name__)

ARRIVED: ContextVar[float] = ContextVar("arrived", default=0.0)
"""When the request that this thread serves arrived, in seconds of `time.monotonic`; 0 where no server says so."""

_SANE_REQUEST_ID = re.compile(r"[!-~]{1,64}")
_STATUS = {Outcome.BAD_REQUEST: "400 BAD REQUEST", Outcome.UNAUTHORIZED: "401 UNAUTHORIZED"}
_AMPERSAND = re.compile(r"^(?:amp;)+")
_BODY = re.compile(r"([0-9]+(:[0-9]+)*)?", re.ASCII)
_PLAIN_QUERY = re.compile(r"[\w=&+.:-]*", re.ASCII)


Listener = Callable[[Decision, float], None]
"""Is told each decision and after how many seconds it was made; must not wait."""


class OwnerEndpoint:
    """The endpoint at `path`, answered by the service in force, which `current` gives anew for every call.

    A slash at the end of the path changes nothing. `look` sees each request whose key was right.
    """

    def __init__(
        self,
        path: str,
        current: Callable[[], Service],
        incoming: Incoming,
        listeners: Sequence[Listener] = (),
        look: Callable[[WSGIEnvironment], None] = lambda _: None,
    ) -> None:
        self._paths = frozenset({path.rstrip("/") or "/", f"{path.rstrip('/')}/"})
        self._current = current
        self._incoming = incoming
        self._look = look
        self._listeners = listeners

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a question."""
        arrived = ARRIVED.get() or time.monotonic()
        known_as = request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        token = REQUEST_ID.set(known_as)
        try:
            service = self._current()
            decision = _decide(service, environ, arrived, self._incoming)
            seconds = time.monotonic() - arrived
            _tell(decision, seconds, service.deadline / 2)
            for listener in self._listeners:
                _tell_other(listener, decision, seconds)
            if decision.outcome not in _STATUS:
                _tell_other(self._look, environ)
        finally:
            REQUEST_ID.reset(token)
        body = decision.body if _BODY.fullmatch(decision.body) else ""
        start_response(_STATUS.get(decision.outcome, "200 OK"), _headers(decision, known_as, len(body)))
        return [body.encode("ascii")]

    def blueprint(self) -> Blueprint:
        """Make the routes that lead here."""
        blueprint = Blueprint("owner", __name__)
        for path in self._paths:
            blueprint.add_url_rule(path, view_func=self._view, methods=["GET"], provide_automatic_options=False)
        return blueprint

    def ahead_of(self, routes: WSGIApplication) -> WSGIApplication:
        """Make an application that leaves all to `routes` but what they would let in, and lead here."""

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            is_question = environ.get("PATH_INFO") in self._paths and environ["REQUEST_METHOD"] == "GET"
            if is_question and self._admits(environ):
                return self(environ, start_response)
            return routes(environ, start_response)

        return application

    def _admits(self, environ: WSGIEnvironment) -> bool:
        access = AccessControl(self._current())
        return access.is_open_to_all() or access.admits(client(access, environ), environ["PATH_INFO"])

    def _view(self) -> ResponseReturnValue:
        if request.method != "GET":  # Flask offers HEAD wherever it offers GET
            raise MethodNotAllowed
        return self


def _decide(service: Service, environ: WSGIEnvironment, arrived: float, incoming: Incoming) -> Decision:
    access = AccessControl(service)
    try:
        given, hotlines = values(environ, "phoneNumber"), values(environ, "sipNumber")
        key = environ.get("HTTP_X_API_KEY", "").encode("latin-1", "replace")
        if not access.knows(key):
            asker = client(access, environ)
            decision = Decision(Outcome.UNAUTHORIZED, reason=f"{'a wrong' if key else 'no'} key from {asker}")
            if given:
                incoming.refused(Refusal.WRONG_KEY if key else Refusal.NO_KEY)
        elif not given:
            decision = Decision(Outcome.BAD_REQUEST, reason="phoneNumber is missing")
        else:
            incoming.accept(key)
            deadline = Deadline(arrived + service.deadline)
            decision = service.lookup.answer(given, hotlines, deadline)
    except Exception:  # noqa: BLE001 - no caller may see our bugs
        _log.exception("a bug of omi-bridge")
        decision = Decision(Outcome.UNAVAILABLE, reason="a bug of omi-bridge")
    return decision


def values(environ: WSGIEnvironment, name: str) -> list[str]:
    """Return what a parameter of the request holds each time that it is given and not empty.

    Also behind an `&` that was written as HTML.
    """
    query = environ.get("QUERY_STRING", "")
    if _PLAIN_QUERY.fullmatch(query):  # as Werkzeug would, in a tenth of the time
        pairs: Iterable[tuple[str, str]] = (_pair(text) for text in query.replace("+", " ").split("&"))
    else:
        pairs = ((_AMPERSAND.sub("", key), value) for key, value in Request(environ).args.items(multi=True))
    return [value for key, value in pairs if value and key == name]


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


def client(access: AccessControl, environ: WSGIEnvironment) -> Address:
    """Return the address of whoever asks."""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR")
    return access.client(environ.get("REMOTE_ADDR") or "", [] if forwarded is None else [forwarded])


def request_id(given: str) -> str:
    """Return the id of a request: what it said itself, if that can stand in a log line and a header."""
    return given if _SANE_REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def _tell(decision: Decision, seconds: float, slow: float) -> None:
    """Write one line for the call, and another one that says what was slow if it took longer than `slow` seconds."""
    call = decision.call
    said = {
        "outcome": decision.outcome.value,
        "caller": call.caller.masked if call else "-",
        "hotline": call.hotline.e164 if call and call.hotline else "-",
        "answer": decision.freshness or "-",
        "connector": decision.connector or "-",
        "ms": round(seconds * 1000, 1),
        "reason": decision.reason,
    }
    _log.info(
        "%(outcome)s caller=%(caller)s hotline=%(hotline)s answer=%(answer)s connector=%(connector)s ms=%(ms)s"
        + (" reason=%(reason)s" if decision.reason else ""),
        said,
        extra={"fields": said},
    )
    if seconds > slow:
        _log.warning("a slow call, %.2f s: %s", seconds, "; ".join(decision.because()) or "it waited to be served")


def _tell_other(hear: Callable[..., object], *what: object) -> None:
    """Tell whoever listens; what goes wrong there costs no call its answer."""
    try:
        hear(*what)
    except Exception:  # noqa: BLE001 - whatever it is, the caller is answered
        _log.exception("a bug of omi-bridge")


def _headers(decision: Decision, known_as: str, length: int) -> list[tuple[str, str]]:
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Bridge-Outcome", decision.outcome.value),
        ("X-Request-ID", known_as),
        ("Content-Length", str(length)),
    ]
    if decision.freshness:
        headers.append(("X-Bridge-Answer", decision.freshness.value))
    return headers
