"""Requests that are answered before the endpoint: from a network that may not, for another path, with another method.

Such a request may be OMICall's, with one letter wrong, and then nothing rings as it should: so each is told in the log,
with what should stand there instead, and counted. Paths are shown without what may be a customer's number. The answer
has no body, for OMICall would read a text as an extension.
"""

import logging
import re
from collections.abc import Callable, Iterable

from flask import Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from bridge.config.values import OWN_PAGES, PURGE_PATH
from bridge.observability.logs import REQUEST_ID
from bridge.sdk.suggestion import nearest
from bridge.service import Service
from bridge.web.access import AccessControl
from bridge.web.endpoint import client, request_id, values
from bridge.web.incoming import Incoming, Refusal

_log = logging.getLogger(__name__)

_SLASHES = re.compile("/{2,}")
_MAY_BE_A_NUMBER = re.compile(r"[0-9](?:[ .()-]{0,2}[0-9]){4,}")
_LONGEST_SHOWN, _LONGEST_COMPARED = 100, 200


class Refusals:
    """Answers what is not for the endpoint at `path`; `count` is told why, in one word of `metrics.REFUSED`."""

    def __init__(
        self, path: str, current: Callable[[], Service], incoming: Incoming, count: Callable[[str], None]
    ) -> None:
        self._path = path
        self._current = current
        self._incoming = incoming
        self._count = count

    def turn_away(self) -> Response | None:
        """Turn away, before anything else, whoever asks from a network that may not."""
        access = AccessControl(self._current())
        if access.is_open_to_all():
            return None
        asker = client(access, request.environ)
        if access.admits(asker, request.path):
            return None
        _log.warning("server.allow does not name %s: turned away", asker)
        self._note("network", Refusal.NETWORK)
        return _empty(403, [("X-Bridge-Outcome", "unauthorized")])

    def answer(self, error: Exception) -> Response:
        """Answer an error that Flask or the endpoint raised, and tell of it."""
        response = _empty(500)
        token = REQUEST_ID.set(response.headers["X-Request-ID"])
        try:
            if isinstance(error, HTTPException):
                response.status_code = error.code or 500
                self._tell(error, response)
            else:
                self._count("bug")
                _log.error("a bug of omi-bridge", exc_info=error)
        finally:
            REQUEST_ID.reset(token)
        return response

    def _tell(self, error: HTTPException, response: Response) -> None:
        access = AccessControl(self._current())
        asker = client(access, request.environ)
        if isinstance(error, NotFound):
            self._note("path", Refusal.PATH)
            _log.warning("404 for %s: there is no %s%s", asker, _shown(request.path), self._instead())
        elif isinstance(error, MethodNotAllowed):
            self._note("method")
            response.headers["Allow"] = "GET"
            _log.warning("405 for %s: %s %s: write GET", asker, _shown(request.method), _shown(request.path))
        else:
            self._note("malformed")
            _log.warning("%d for %s: %s", response.status_code, asker, _shown(request.path))

    def _note(self, word: str, refusal: Refusal | None = None) -> None:
        self._count(word)
        if refusal and values(request.environ, "phoneNumber"):
            self._incoming.refused(refusal)

    def _instead(self) -> str:
        """Say what the path should be, if it can be told whether somebody meant it."""
        meant = meant_path(request.path, (self._path, PURGE_PATH, *sorted(OWN_PAGES)))
        if meant is None and values(request.environ, "phoneNumber"):
            meant = self._path
        return f", the path is {meant}" if meant else ""


def meant_path(asked: str, known: Iterable[str]) -> str | None:
    """Return which of the `known` paths somebody meant who wrote it with slashes, capitals or a slip of his own."""
    if len(asked) > _LONGEST_COMPARED:
        return None
    by_form = {_form(path): path for path in known}
    written = _form(asked)
    ends_so = (form for form in by_form if form != "/" and written.endswith(form))
    form = written if written in by_form else next(ends_so, None) or nearest(written, by_form)
    return by_form[form] if form else None


def _form(path: str) -> str:
    return _SLASHES.sub("/", path.strip()).rstrip("/").casefold() or "/"


def _shown(text: str) -> str:
    hidden = _MAY_BE_A_NUMBER.sub(lambda number: f"...{number[0][-3:]}", text)
    more = "..." if len(hidden) > _LONGEST_SHOWN else ""
    return ascii(hidden[:_LONGEST_SHOWN])[1:-1] + more


def _empty(status: int, headers: Iterable[tuple[str, str]] = ()) -> Response:
    made = request_id(request.headers.get("X-Request-ID", ""))
    always = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), ("X-Request-ID", made)]
    return Response(status=status, headers=[*always, *headers])
