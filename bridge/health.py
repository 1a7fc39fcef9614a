"""`/healthz`: whether the service is well, and if not, why. It answers 200 as long as it answers at all.

A source in trouble makes the service degraded, not dead: what is remembered is still answered, and a restart would only
forget it. Nothing here waits for anything.
"""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify


def health(troubles: Callable[[], Mapping[str, str]]) -> Blueprint:
    """Make the page; `troubles` says for each part that is not well why not, in the words of the log."""
    blueprint = Blueprint("health", __name__)

    def answer() -> Response:
        found = troubles()
        response = jsonify({"status": "degraded" if found else "ok", "troubles": found})
        response.cache_control.no_store = True
        return response

    blueprint.add_url_rule("/healthz", view_func=answer, methods=["GET"], provide_automatic_options=False)
    return blueprint
