"""HTTP with a total deadline and a total size. Import from here; `client` is the only door to the network."""

from bridge.sdk.http.client import HttpClient, HttpSettings, Tls
from bridge.sdk.http.messages import Request, Response, is_broken, refuse_failure, retry_after, with_replacements
from bridge.sdk.http.repeats import Repeats

__all__ = [
    "HttpClient",
    "HttpSettings",
    "Repeats",
    "Request",
    "Response",
    "Tls",
    "is_broken",
    "refuse_failure",
    "retry_after",
    "with_replacements",
]
