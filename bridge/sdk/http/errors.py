"""The one border at which the errors of requests, urllib3, http.client, ssl and the system become ours.

Their own messages quote addresses, headers and pieces of the answer, all of which may hold secrets. So nothing of
them is passed on: the message is the host's name and a reason in our own words.
"""

import http.client
import socket
import ssl
import zlib
from collections.abc import Iterator

import requests
import urllib3.exceptions

from bridge.sdk.errors import SourceError, SourceUnavailable, UnexpectedAnswer

LIBRARY_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
    zlib.error,
)
"""Everything that sending a request and reading its answer can raise."""

_NOT_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
"""What OpenSSL makes, in its different versions, of an answer that is no TLS record."""

_REASONS: tuple[tuple[tuple[type[BaseException], ...], type[SourceError], str], ...] = (
    (
        (requests.exceptions.InvalidProxyURL,),
        UnexpectedAnswer,
        "the proxy that the environment names for {host} cannot be used: its address must start with http:// or https://",
    ),
    (
        (TimeoutError, urllib3.exceptions.TimeoutError),
        SourceUnavailable,
        "{host} did not answer in time",
    ),
    ((socket.gaierror,), SourceUnavailable, "the name of {host} cannot be resolved"),
    (
        (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead),
        SourceUnavailable,
        "{host} closed the connection in mid-answer",
    ),
    ((ConnectionRefusedError,), SourceUnavailable, "{host} refuses the connection"),
    (
        (http.client.RemoteDisconnected, ConnectionResetError, ConnectionAbortedError, BrokenPipeError),
        SourceUnavailable,
        "{host} closed the connection without a complete answer",
    ),
    (
        (urllib3.exceptions.InvalidHeader, http.client.HTTPException),
        UnexpectedAnswer,
        "{host} answered something that is not HTTP",
    ),
    (
        (requests.exceptions.InvalidURL, urllib3.exceptions.LocationParseError, UnicodeError),
        UnexpectedAnswer,
        "the request to {host} cannot be written: its address holds what may not stand there",
    ),
)
"""What the causes mean, the first that fits: kinds, our error, our words."""


def explain(error: BaseException, host: str) -> SourceError:
    """Return what a library's error means, in words that hold no secret."""
    causes = tuple(_causes(error))
    if any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes):
        host = f"the proxy to {host}"
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, TimeoutError):
            return SourceUnavailable(_tls_failure(host, cause))
    for kinds, meaning, words in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return meaning(words.format(host=host))
    system = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.errno), None)
    return SourceUnavailable(f"{host} cannot be reached" + (f": {system}" if system else ""))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that it was made of; the libraries keep their causes in several places."""
    seen: set[int] = set()
    ahead: list[object] = [error]
    while ahead:
        cause = ahead.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            ahead += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _tls_failure(host: str, cause: ssl.SSLError) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not trusted ({cause.verify_message}): is tls.ca_file needed?"
    if cause.reason in _NOT_TLS:
        return f"no TLS connection to {host}: it does not speak TLS: is it http://?"
    return f"no TLS connection to {host}: {cause.reason or 'it was cut off'}"
