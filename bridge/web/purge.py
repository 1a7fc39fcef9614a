"""`POST /owner_changed`: a CRM says that something has changed, and what was learnt of it before answers no more.

It never makes a call wait: a few requests at a time are read, in a body of limited size and for a limited time, and so
many a second are done; whoever sends more is told when to come again. Asking twice is as good as once. The key is one
of `purge_keys`, in a header or in the address: the webhooks of many CRMs have no headers of one's own.
"""

import logging
import math
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from flask import Blueprint, Response, jsonify, request

from bridge.config.values import PURGE_PATH
from bridge.observability.logs import REQUEST_ID
from bridge.sdk.errors import SourceBusy
from bridge.sdk.shared import Turns
from bridge.sdk.threads.timer import Timer
from bridge.service import Service
from bridge.web.access import AccessControl, is_one_of
from bridge.web.endpoint import client, request_id
from bridge.web.purge_request import PurgeRequest, read_purge

_log = logging.getLogger(__name__)

PURGES_A_SECOND = 100
"""How many requests a machine does in a second, whichever of its processes they reach."""

_AT_ONCE, _SHARE_OF_THREADS = 4, 1 / 8
_LARGEST_BODY = 256 * 1024
_PATIENCE = 2.0
"""Seconds that a body may take to arrive."""

_METHODS = ["POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
_SHOWN = 3


class PurgeEndpoint:
    """Answers for the service in force, which `current` gives anew for each request.

    `turns` are those of all processes of the machine, `count` is told what came of a request: a word of
    `metrics.PURGED`. Of the `threads` that answer calls it takes an eighth at most.
    """

    def __init__(
        self, current: Callable[[], Service], turns: Turns, count: Callable[[str], None], threads: int = 64
    ) -> None:
        self._current = current
        self._turns = turns
        self._count = count
        self._places = threading.BoundedSemaphore(max(1, min(_AT_ONCE, int(threads * _SHARE_OF_THREADS))))
        self._timer = Timer("late-purges")

    def blueprint(self) -> Blueprint:
        """Make the route that leads here."""
        blueprint = Blueprint("purge", __name__)
        blueprint.add_url_rule(
            PURGE_PATH, view_func=self._view, methods=_METHODS, strict_slashes=False, provide_automatic_options=False
        )
        return blueprint

    def _view(self) -> Response:
        known_as = request_id(request.headers.get("X-Request-ID", ""))
        token = REQUEST_ID.set(known_as)
        try:
            response = self._answer(self._current())
        finally:
            REQUEST_ID.reset(token)
        response.headers["X-Request-ID"] = known_as
        response.cache_control.no_store = True
        return response

    def _answer(self, service: Service) -> Response:
        asker = client(AccessControl(service), request.environ)
        if not service.purge_keys:
            _log.warning("404 for %s: %s is off as long as purge_keys is not set", asker, PURGE_PATH)
            return _told(404, "off: the configuration has no purge_keys")
        if request.method != "POST":
            response = _told(405, "send a POST")
            response.headers["Allow"] = "POST"
            return response
        if not _knows(service):
            self._count("unauthorized")
            _log.warning("purge refused: no key of purge_keys, from %s", asker)
            return _told(401, "no key of purge_keys came, as the header X-API-KEY or as key= in the address")
        if (wait := self._wait()) > 0 or not self._places.acquire(blocking=False):
            self._count("busy")
            return _later(429, wait, f"more than {PURGES_A_SECOND} requests a second: send again")
        try:
            return self._done(service, str(asker))
        finally:
            self._places.release()

    def _done(self, service: Service, asker: str) -> Response:
        began = time.monotonic()
        body = self._body()
        if body is None or len(body) > _LARGEST_BODY:
            self._count("malformed")
            _log.warning("purge refused: its body is %s, from %s", "late" if body is None else "too long", asker)
            return _told(408, "the body came too late") if body is None else _told(413, "the body is too long")
        try:
            found = read_purge(request.args, body, service.config.settings.phone.region)
        except ValueError as error:
            self._count("malformed")
            _log.warning("purge refused: %s, from %s", error, asker)
            return _told(400, str(error))
        try:
            service.purge(found.purge)
        except (SourceBusy, OSError) as error:
            self._count("failed")
            _log.warning("a purge could not be written down, and is to be sent again: %s", error)
            return _later(503, 1.0, "it could not be written down: send again")
        self._count("done")
        return _tell(found, asker, time.monotonic() - began)

    def _body(self) -> bytes | None:
        """Return the body, as far as it is looked at; None if it does not come in time."""
        connection = request.environ.get("gunicorn.socket")
        end = self._timer.after(_PATIENCE, lambda: _cut(connection)) if connection else None
        try:
            body: bytes = request.environ["wsgi.input"].read(_LARGEST_BODY + 1)
        except OSError:
            return None
        finally:
            is_late = bool(end and end.is_cancelled)
            if end:
                end.cancel()
        return None if is_late else body

    def _wait(self) -> float:
        """Return after how many seconds there is room for one more, 0 if there is now."""
        try:
            return self._turns.book(PURGES_A_SECOND, 0.0)
        except SourceBusy:
            return 1.0


def _knows(service: Service) -> bool:
    given = request.headers.get("X-API-KEY") or request.args.get("key", "")
    return is_one_of(given.encode("utf-8", "replace"), service.purge_keys)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def _tell(found: PurgeRequest, asker: str, seconds: float) -> Response:
    """Answer what was forgotten, and write one line for those who ask later who had it forgotten."""
    purge = found.purge
    counts = {"numbers": len(purge.callers), "owners": len(purge.owners), "records": len(purge.records)}
    masked = sorted(caller.masked for caller in purge.callers)[:_SHOWN]
    said = {**counts, "callers": " ".join(masked) or "-", "unread": found.unread, "client": asker}
    said["ms"] = round(seconds * 1000, 1)
    _log.info(
        "purged numbers=%(numbers)d owners=%(owners)d records=%(records)d callers=%(callers)s unread=%(unread)d "
        "client=%(client)s ms=%(ms)s",
        said,
        extra={"fields": said},
    )
    return jsonify({"forgotten": counts})


def _told(status: int, error: str) -> Response:
    response = jsonify({"error": error})
    response.status_code = status
    return response


def _later(status: int, seconds: float, error: str) -> Response:
    response = _told(status, error)
    response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return response
