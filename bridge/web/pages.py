"""`/healthz`, `/readyz` and `/metrics`: what watchers of the service see. Nothing here waits for anything.

`/healthz` answers 200 as long as it answers at all: a source in trouble makes the service degraded, not dead. What is
remembered is still answered, and a restart would only forget it. `/readyz` answers 503 until the start is over, so that
calls go to another instance meanwhile. `/metrics` has the figures in Prometheus' text format.
Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import time
from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify

from bridge.sdk.deadline import Clock

_LONGEST_START = 30.0
_METHODS = ["GET", "HEAD", "OPTIONS"]
"""Load balancers ask by any of them: OPTIONS is what HAProxy sends unless told otherwise. All get the same status."""
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Readiness:
    """Asks `waited_for`, until it names nothing any more, what the start still waits for, by part.

    Once over, the start stays over: a reload answers from what it keeps. And it is over after half a minute in any
    case, because a source that hangs must not keep an instance away from calls that others can answer.
    """

    def __init__(self, waited_for: Callable[[], Mapping[str, str]], clock: Clock = time.monotonic) -> None:
        self._waited_for = waited_for
        self._clock = clock
        self._end = clock() + _LONGEST_START
        self._is_over = False

    def waited_for(self) -> Mapping[str, str]:
        """Return what is still waited for, nothing once the start is over."""
        if self._is_over:
            return {}
        found = self._waited_for()
        self._is_over = not found or self._clock() >= self._end
        return {} if self._is_over else found


def pages(health: Callable[[], Mapping[str, object]], readiness: Readiness, figures: Callable[[], bytes]) -> Blueprint:
    """Make the pages: `health` gives the content of the first, `figures` the text of the metrics."""
    blueprint = Blueprint("pages", __name__)

    def healthz() -> Response:
        return _page(health(), 200)

    def readyz() -> Response:
        found = readiness.waited_for()
        return _page({"status": "starting" if found else "ready", "waiting_for": found}, 503 if found else 200)

    def metrics() -> Response:
        return Response(figures(), content_type=_METRICS, headers={"Cache-Control": "no-store"})

    for path, answer in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        blueprint.add_url_rule(path, view_func=answer, methods=_METHODS, strict_slashes=False)
    return blueprint


def _page(content: Mapping[str, object], status: int) -> Response:
    response = jsonify(content)
    response.status_code = status
    response.cache_control.no_store = True
    return response
