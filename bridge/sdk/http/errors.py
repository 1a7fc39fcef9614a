"""The one border at which the errors of urllib3, http.client, ssl and the system become ours.

Their own messages quote addresses, headers and pieces of the answer, all of which may hold secrets. So nothing of
them is passed on: the message is the host's name and a reason in our own words.
"""

import http.client
import socket
import ssl
import zlib
from collections.abc import Iterator

import urllib3.exceptions
from requests.exceptions import InvalidProxyURL

from bridge.sdk.errors import SourceError, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http.address import Origin
from bridge.sdk.http.environment import ProxyChoice

LIBRARY_ERRORS = (
    InvalidProxyURL,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
    zlib.error,
)
"""Everything that sending a request and reading its answer can raise."""

_NOT_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
"""What OpenSSL makes, in its different versions, of an answer that is no TLS record."""

_TLS_ALERT = "\x15\x03"
_CUT_OFF = (http.client.RemoteDisconnected, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_OTHER_SCHEME = {"http": ": if it wants TLS, write https://", "https": ": if it does not speak TLS, write http://"}
"""What may be wrong where a server cuts a connection off without a byte."""

_CERTIFICATE_ADVICE = {
    9: "it is not valid yet: is the clock of this machine right?",
    10: "it has to be renewed there; is the clock of this machine right?",
    62: "it is made out to another name: is the address right?",
    64: "it is made out to another address: write the name instead",
}
"""By OpenSSL's codes: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/."""

_REASONS: tuple[tuple[tuple[type[BaseException], ...], type[SourceError], str], ...] = (
    (
        (InvalidProxyURL,),
        UnexpectedAnswer,
        "{host} cannot be used: it has to be like http://HOST:PORT or https://HOST:PORT",
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
        _CUT_OFF,
        SourceUnavailable,
        "{host} closed the connection without a complete answer",
    ),
    (
        (urllib3.exceptions.InvalidHeader, http.client.HTTPException),
        UnexpectedAnswer,
        "{host} answered something that is not HTTP",
    ),
    (
        (urllib3.exceptions.LocationParseError, UnicodeError),
        UnexpectedAnswer,
        "the request to {host} cannot be written: its address holds what may not stand there",
    ),
)
"""What the causes mean, the first that fits: kinds, our error, our words."""


def explain(error: BaseException, place: Origin, proxy: ProxyChoice, *, silent: bool) -> SourceError:
    """Return what a library's error means, in words that hold no secret.

    `silent` tells that not a byte has come.
    """
    hint = _OTHER_SCHEME[place.scheme] if silent else ""
    causes = tuple(_causes(error))
    of_the_proxy = (urllib3.exceptions.ProxyError, InvalidProxyURL)
    if proxy.address and any(isinstance(cause, of_the_proxy) for cause in causes):
        host = f"the proxy {proxy.name} to {place.host}, which {proxy.variable} names,"
    else:
        host = f"{place.host}{proxy.through}"
    if any(isinstance(cause, http.client.BadStatusLine) and str(cause).startswith(_TLS_ALERT) for cause in causes):
        return UnexpectedAnswer(f"{host} speaks TLS at this port: write https:// instead of http://")
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, TimeoutError):
            return SourceUnavailable(_tls_failure(host, cause, hint))
    for kinds, meaning, words in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return meaning(words.format(host=host) + (hint if kinds is _CUT_OFF else ""))
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


def _tls_failure(host: str, cause: ssl.SSLError, hint: str) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        advice = _CERTIFICATE_ADVICE.get(cause.verify_code, "is tls.ca_file needed?")
        return f"the certificate of {host} is not trusted ({cause.verify_message}): {advice}"
    if cause.reason in _NOT_TLS:
        return f"no TLS connection to {host}: it does not speak TLS: is it http://?"
    if isinstance(cause, ssl.SSLEOFError):
        return f"no TLS connection to {host}: it ended the connection{hint}"
    return f"no TLS connection to {host}: {cause.reason or 'it was cut off'}"
