"""The least that WSGI and Flask can do: answers without any work, for comparison."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

app = Flask(__name__)


@app.get("/get_owner_contact_by_phone")
def answer() -> str:
    return "101"


def wsgi(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "3")])
    return [b"101"]
