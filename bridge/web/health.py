"""`/healthz`: whether the service is well, and if not, why. `/readyz`: whether its start is over, and if not, why.

`/healthz` answers 200 as long as it answers at all: a source in trouble makes the service degraded, not dead. What is
remembered is still answered, and a restart would only forget it. `/readyz` answers 503 until the start is over, so that
calls go to another instance meanwhile. Nothing here waits for anything.
"""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify

Parts = Callable[[], Mapping[str, str]]


def health(troubles: Parts, waited_for: Parts) -> Blueprint:
    """Make the pages.

    `troubles` says for each part that is not well why not, in the words of the log; `waited_for` for each part that the
    start waits for what it is doing.
    """
    blueprint = Blueprint("health", __name__)

    def healthz() -> Response:
        found = troubles()
        return _page({"status": "degraded" if found else "ok", "troubles": found}, 200)

    def readyz() -> Response:
        found = waited_for()
        return _page({"status": "starting" if found else "ready", "waiting_for": found}, 503 if found else 200)

    blueprint.add_url_rule("/healthz", view_func=healthz, methods=["GET"], provide_automatic_options=False)
    blueprint.add_url_rule("/readyz", view_func=readyz, methods=["GET"], provide_automatic_options=False)
    return blueprint


def _page(content: Mapping[str, object], status: int) -> Response:
    response = jsonify(content)
    response.status_code = status
    response.cache_control.no_store = True
    return response
