"""`/metrics`: the figures in Prometheus' text format. Nothing here waits for a source.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Callable

from flask import Blueprint, Response

_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


def metrics_page(figures: Callable[[], bytes]) -> Blueprint:
    """Make the page; `figures` gives the text."""
    blueprint = Blueprint("metrics", __name__)

    def answer() -> Response:
        return Response(figures(), content_type=_FORMAT, headers={"Cache-Control": "no-store"})

    blueprint.add_url_rule("/metrics", view_func=answer, methods=["GET"], provide_automatic_options=False)
    return blueprint
