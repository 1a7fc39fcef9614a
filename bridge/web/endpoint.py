"""The owner endpoint: OMICall's question comes in, extensions go out, and Flask ends here.

Whatever happens, the body is extensions or empty: OMICall would read an error text as an extension. What happened
stands in headers and in the log.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

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
_STATUS = {Outcome.BAD_REQUEST: 400, Outcome.UNAUTHORIZED: 401}
_AMPERSAND = re.compile(r"^(?:amp;)+")
_BODY = re.compile(r"([0-9]+(:[0-9]+)*)?", re.ASCII)


Listener = Callable[[Decision, float], None]
"""Is told each decision and after how many seconds it was made; must not wait."""


def owner_endpoint(
    path: str, current: Callable[[], Service], incoming: Incoming, listeners: Sequence[Listener] = ()
) -> Blueprint:
    """Make the endpoint at `path`, answered by the service in force, which `current` gives anew for every call.

    A slash at the end of the path changes nothing.
    """
    blueprint = Blueprint("owner", __name__)

    def answer() -> Response:
        if request.method != "GET":  # Flask offers HEAD wherever it offers GET
            raise MethodNotAllowed
        arrived = ARRIVED.get() or time.monotonic()
        known_as = request_id(request.headers.get("X-Request-ID", ""))
        token = REQUEST_ID.set(known_as)
        try:
            service = current()
            decision = _decide(service, arrived, incoming)
            seconds = time.monotonic() - arrived
            _tell(decision, seconds, service.deadline / 2)
            _hand_on(decision, seconds, listeners)
            return _response(decision, known_as, _STATUS.get(decision.outcome, 200))
        finally:
            REQUEST_ID.reset(token)

    for written in {path.rstrip("/") or "/", f"{path.rstrip('/')}/"}:
        blueprint.add_url_rule(written, view_func=answer, methods=["GET"], provide_automatic_options=False)
    return blueprint


def _decide(service: Service, arrived: float, incoming: Incoming) -> Decision:
    given, hotlines = ([text for text in values(name) if text] for name in ("phoneNumber", "sipNumber"))
    access = AccessControl(service)
    try:
        key = request.headers.get("X-API-KEY", "").encode("latin-1", "replace")
        if not access.knows(key):
            decision = Decision(Outcome.UNAUTHORIZED, reason=f"{'a wrong' if key else 'no'} key from {client(access)}")
            if given:
                incoming.refused(Refusal.WRONG_KEY if key else Refusal.NO_KEY)
        elif not given:
            decision = Decision(Outcome.BAD_REQUEST, reason="phoneNumber is missing")
        else:
            incoming.accepted.note()
            deadline = Deadline(arrived + service.deadline)
            decision = service.lookup.answer(given, hotlines, deadline)
    except Exception:  # noqa: BLE001 - no caller may see our bugs
        _log.exception("a bug of omi-bridge")
        decision = Decision(Outcome.UNAVAILABLE, reason="a bug of omi-bridge")
    return decision


def values(name: str) -> list[str]:
    """Return what a parameter of the request holds each time that it is given, also behind an `&` written as HTML."""
    return [value for key, value in request.args.items(multi=True) if _AMPERSAND.sub("", key) == name]


def client(access: AccessControl) -> Address:
    """Return the address of whoever asks."""
    return access.client(request.remote_addr or "", request.headers.getlist("X-Forwarded-For"))


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


def _hand_on(decision: Decision, seconds: float, listeners: Sequence[Listener]) -> None:
    """Tell whoever listens; what goes wrong there costs no call its answer."""
    for listener in listeners:
        try:
            listener(decision, seconds)
        except Exception:  # noqa: BLE001 - whatever it is, the caller is answered
            _log.exception("a bug of omi-bridge")


def _response(decision: Decision, known_as: str, status: int) -> Response:
    body = decision.body if _BODY.fullmatch(decision.body) else ""
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Bridge-Outcome", decision.outcome.value),
        ("X-Request-ID", known_as),
    ]
    if decision.freshness:
        headers.append(("X-Bridge-Answer", decision.freshness.value))
    return Response(body, status, headers)
