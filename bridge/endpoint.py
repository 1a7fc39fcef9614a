"""The owner endpoint: OMICall's question comes in, extensions go out, and Flask ends here.

Whatever happens, the body is extensions or empty: OMICall would read an error text as an extension. What happened
stands in headers and in the log.
"""

import hmac
import logging
import random
import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Protocol

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from bridge.deadline import Deadline
from bridge.logs import REQUEST_ID
from bridge.lookup import Decision, Lookup, Outcome

_log = logging.getLogger(__name__)

ARRIVED: ContextVar[float] = ContextVar("arrived", default=0.0)
"""When the request that this thread serves arrived, in seconds of `time.monotonic`; 0 where no server says so."""

_SANE_REQUEST_ID = re.compile(r"[ -~]{1,64}")
_STATUS = {Outcome.BAD_REQUEST: 400, Outcome.UNAUTHORIZED: 401}
_BODY = re.compile(r"([0-9]+(:[0-9]+)*)?", re.ASCII)


class Desk(Protocol):
    """What the endpoint needs to know of the configuration in force; looked up anew for every call."""

    api_keys: tuple[bytes, ...]
    lookup: Lookup
    deadline: float


class CurrentDesk(Protocol):
    """Gives the desk in force."""

    def __call__(self) -> Desk:
        """Return it."""


def owner_endpoint(path: str, current: CurrentDesk) -> Blueprint:
    """Make the endpoint at `path`."""
    blueprint = Blueprint("owner", __name__)

    def answer() -> Response:
        if request.method != "GET":  # Flask offers HEAD wherever it offers GET
            raise MethodNotAllowed
        arrived = ARRIVED.get() or time.monotonic()
        request_id = _request_id(request.headers.get("X-Request-ID", ""))
        token = REQUEST_ID.set(request_id)
        try:
            return _response(_decide(current(), arrived), request_id)
        finally:
            REQUEST_ID.reset(token)

    blueprint.add_url_rule(path, view_func=answer, methods=["GET"], provide_automatic_options=False)
    return blueprint


def _decide(desk: Desk, arrived: float) -> Decision:
    asked = request.args
    given = asked.getlist("phoneNumber")
    try:
        if not _known_key(request.headers.get("X-API-KEY", ""), desk.api_keys):
            decision = Decision(Outcome.UNAUTHORIZED)
        elif not any(given):
            decision = Decision(Outcome.BAD_REQUEST, reason="phoneNumber is missing")
        else:
            deadline = Deadline(arrived + desk.deadline)
            decision = desk.lookup.answer(given, asked.get("sipNumber", ""), deadline)
    except Exception:  # noqa: BLE001 - no caller may see our bugs
        _log.exception("a bug of omi-bridge")
        decision = Decision(Outcome.UNAVAILABLE, reason="a bug of omi-bridge")
    _tell(decision, arrived)
    return decision


def _known_key(given: str, keys: Iterable[bytes]) -> bool:
    """Compare with every key, each in constant time, so that the answer's time tells nothing about any of them."""
    presented = given.encode("latin-1", "replace")
    matches = [hmac.compare_digest(presented, key) for key in keys]
    return any(matches)


def _request_id(given: str) -> str:
    return given if _SANE_REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def _tell(decision: Decision, arrived: float) -> None:
    _log.info(
        "%s caller=%s answer=%s connector=%s ms=%.1f%s",
        decision.outcome,
        decision.caller or "-",
        decision.freshness or "-",
        decision.connector or "-",
        (time.monotonic() - arrived) * 1000,
        f" reason={decision.reason}" if decision.reason else "",
    )


def _response(decision: Decision, request_id: str) -> Response:
    body = decision.body if _BODY.fullmatch(decision.body) else ""
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Bridge-Outcome", decision.outcome.value),
        ("X-Request-ID", request_id),
    ]
    if decision.freshness:
        headers.append(("X-Bridge-Answer", decision.freshness.value))
    return Response(body, _STATUS.get(decision.outcome, 200), headers)
