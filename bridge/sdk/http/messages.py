"""A request and its answer, as the rest connector sees them: plain values without a connection behind them.

They may hold secrets anywhere (a key in the path, a token in a header, a password in a body), so their `repr` shows
nothing of it.
"""

import codecs
import json
import math
import re
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from email.utils import parsedate_to_datetime

from requests.structures import CaseInsensitiveDict

from bridge.sdk.errors import SourceRejected, SourceUnavailable, UnexpectedAnswer

_HALF = re.compile("[\ud800-\udfff]")
_LONGEST_PAUSE = 3600.0
_MOST_CONTAINERS, _CHARACTERS_PER_CONTAINER = 100_000, 20
_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "unicode_escape"}
"""Encodings of Python's own that are of no use for a text, and endless work for a large one."""

_LONGEST_HEADER = 200
_GOOD = range(200, 300)
_REDIRECTS = range(300, 400)
_TRY_LATER = {408, 425, 429}
_SIGN_IN = {401, 403, 407}
_NOT_THERE = {404, 410}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is to be sent. `url` is absolute, its path encoded, and has no query: that is `query`.

    `once` forbids sending it twice, as when it uses up a single-use token: it gets a new connection of its own.
    `goes_anywhere` lets a redirect to another host be followed, over https alone and without any credential: a file may
    lie elsewhere than where it is asked for. `signed_with` is the token that the authentication put in, for finding out
    later whether it is still the current.
    """

    method: str
    url: str = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    once: bool = False
    goes_anywhere: bool = False
    signed_with: object = field(default=None, repr=False, compare=False)

    def signed(self, token: object) -> "Request":
        """Return the same request, remembering which token is in it."""
        return replace(self, signed_with=token)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status. `headers` are found in any case of letters; `body` is uncompressed.

    `host` is where it came from, for messages; `redirects` are the addresses to which the request was sent on.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=CaseInsensitiveDict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    host: str = "the source"
    redirects: tuple[str, ...] = field(default=(), repr=False)

    def json(self, *, broken_values: bool = False) -> object:
        """Return the body's JSON: UTF-8, or UTF-16/32 if it says so itself (RFC 8259, section 8.1, and older).

        Where it is neither, the charset of Content-Type counts. With `broken_values`, bytes that are no characters are
        left in the texts as halves of characters (`surrogateescape`), and numbers that are none or beyond all bounds as
        floats that are not finite: whoever takes a text has to look at `is_broken`, a number at `math.isfinite`.
        Raises UnexpectedAnswer for anything else: no text, no JSON, endless nesting.
        """
        try:
            text = self.text("surrogateescape" if broken_values else "strict")
            self._refuse_countless(text)
            data: object = (
                json.loads(text, parse_int=_whole)
                if broken_values
                else json.loads(text, parse_constant=_finite, parse_float=_finite)
            )
        except RecursionError:
            problem = "JSON that is nested too deeply"
        except ValueError as error:
            problem = _what_instead(self.body, error)
        else:
            return data
        raise UnexpectedAnswer(f"{self.host} answered {self.status} with {problem}")

    def _refuse_countless(self, text: str) -> None:
        """Raise UnexpectedAnswer for so many lists and objects that making them would take too long.

        Such signs within texts count as well: nobody writes so many.
        """
        most = max(_MOST_CONTAINERS, len(text) // _CHARACTERS_PER_CONTAINER)
        if len(text) > most and (count := text.count("[") + text.count("{")) > most:
            raise UnexpectedAnswer(f"{self.host} answered {self.status} with {count} lists and objects: {most} at most")

    def text(self, errors: str = "strict", declared: str = "") -> str:
        """Return the body as text; `declared` is the charset that it says itself, where Content-Type says none.

        Many a server declares ISO-8859-1 without meaning it, and by that charset any bytes are a text: so bytes that
        are UTF-8 are UTF-8, whatever is declared. Raises UnicodeDecodeError as `bytes.decode` does with these errors.
        """
        encoding = json.detect_encoding(self.body)
        try:
            return self.body.decode(encoding)
        except UnicodeDecodeError:
            charset = _charset(self.headers.get("Content-Type", "")) or _known_charset(declared) or encoding
            return self.body.decode(charset, errors)


def is_broken(text: str) -> bool:
    """Tell whether a text holds halves of characters: bytes that were none, or one that JSON wrote in half."""
    return _HALF.search(text) is not None


def with_replacements(text: str) -> str:
    """Return a text for people to read: what was no character is U+FFFD. Never to be compared with anything."""
    return _HALF.sub("\ufffd", text)


def _charset(content_type: str) -> str:
    """Return the charset that a Content-Type declares, if Python knows it as one of texts."""
    message = Message()
    message["Content-Type"] = content_type[:_LONGEST_HEADER]
    return _known_charset(str(message.get_param("charset") or ""))


def _known_charset(name: str) -> str:
    """Return the name of a charset, nothing if Python does not know it as one of texts."""
    try:
        b" ".decode(name, "ignore")
        is_none = codecs.lookup(name).name.replace("-", "_") in _NO_CHARSETS
    except (LookupError, ValueError):
        return ""
    return "" if is_none else name


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


def _whole(number: str) -> int | float:
    """Return a whole number; one of more digits than Python reads is beyond all bounds."""
    try:
        return int(number)
    except ValueError:
        return float(number)


def _what_instead(body: bytes, error: ValueError) -> str:
    """Say what the body is, without showing any of it."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "an empty body, not JSON"
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        return "an HTML page, not JSON: is the address right, or is it a login page?"
    if start.startswith(b"<"):
        return "XML or HTML, not JSON"
    if isinstance(error, UnicodeError):
        return "bytes that are not UTF-8, not JSON"
    if isinstance(error, json.JSONDecodeError):
        return f"a body that is not JSON from its byte {error.pos} of {len(body)} on"
    return "JSON with a number that is not one or is far too large"


def refuse_failure(
    response: Response,
    allowed: Container[int] = (),
    wall_clock: Callable[[], float] = time.time,
    *,
    tells_why: bool = True,
) -> None:
    """Raise the SourceError that the answer's status means, unless it is 2xx or one of those allowed.

    Without `tells_why` it says how to see the source's own words for its refusal.
    """
    status, host = response.status, response.host
    if status in _GOOD or status in allowed:
        return
    if status in _TRY_LATER or status >= 500:  # noqa: PLR2004 - RFC 9110, section 15.6
        pause = retry_after(response.headers, wall_clock)
        raise SourceUnavailable(f"{host} answered {status}", retry_after=pause)
    if status in _SIGN_IN:
        raise SourceRejected(f"{host} answered {status}: are the credentials right, and do they have the rights?")
    if status in _NOT_THERE:
        advice = f"is the address right? If it means that nobody is found, add nobody_status: [{status}]"
        raise UnexpectedAnswer(f"{host} answered {status}: {advice}")
    if status in _REDIRECTS:
        raise UnexpectedAnswer(f"{host} answered {status}, a redirect that is not followed: is the address right?")
    advice = "look at method, path, query and json of this step"
    if not tells_why:
        advice += "; error_message: … shows the CRM's own words"
    raise SourceRejected(f"{host} answered {status}: the CRM refuses the request: {advice}")


def retry_after(headers: Mapping[str, str], wall_clock: Callable[[], float] = time.time) -> float | None:
    """Return the seconds for which the answer asks to be left alone, at most an hour; None if it asks nothing.

    Both forms of RFC 9110, section 10.2.3: seconds, and a date, which is compared with the wall clock.
    """
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text) if text[:1].isdigit() or text[:1] == "-" else _seconds_until(text, wall_clock)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None


def _seconds_until(date: str, wall_clock: Callable[[], float]) -> float:
    return parsedate_to_datetime(date).timestamp() - wall_clock()
