"""Hiding secrets in what the rest connector tells: those of its settings, live tokens, and what is called a secret."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from urllib.parse import parse_qsl, quote

from bridge.sdk import MASK, Redaction, secrets_in
from bridge.sdk.http import Request
from bridge.sdk.http.address import full_url
from connectors.rest.auth.login import Login
from connectors.rest.config.config import RestConfig
from connectors.rest.templates.request import RequestTemplate
from connectors.rest.templates.template import Template

_SECRET_NAME = re.compile(r"key|token|secret|pass|pwd|auth|sign|session|sid|hook", re.IGNORECASE)
_NO_SECRET = re.compile(
    r"user|login|name|mail|account|client_?id|grant|scope|type|method|service|database|db|jsonrpc", re.IGNORECASE
)
_SECRET_HEADER = re.compile(r"authorization|cookie|key|token|secret|password", re.IGNORECASE)
_KEY = re.compile(r"(?=.*\d)\S{8,}|\S{20,}")
"""What is no word: others stand under such a name as well, `key: phone`."""

_XML_TEXT = re.compile(r"(<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>)([^<]+)(</)")
_XML_ATTRIBUTE = re.compile(r"""(\s(?:[\w.-]+:)?([\w.-]+)\s*=\s*["'])([^"'<]*)(["'])""")


class Mask:
    """Knows the secrets of a connector: those of its settings, and the tokens that `live` returns at the moment.

    Whoever signs in `is_signing_in`: there a password may stand under any name, and only what is known to be none is
    shown.
    """

    def __init__(self, config: RestConfig, live: Callable[[], Iterable[str]], *, is_signing_in: bool = False) -> None:
        self._config = config
        self._fixed = frozenset((*secrets_in(config), *_secret_headers(config), *_secret_texts(config)))
        self._live = live
        self._is_signing_in = is_signing_in

    def signing_in(self) -> "Mask":
        """Return what masks the request that signs in."""
        return Mask(self._config, self._live, is_signing_in=True)

    def text(self, text: str) -> str:
        """Return the text with every known secret replaced."""
        return Redaction(self._fixed.union(self._live()))(text)

    def url(self, request: Request, unsigned: Request) -> str:
        """Return the address as it is sent, without what the authentication put into its query."""
        hidden = {name for name, value in request.query if (name, value) not in unsigned.query}
        return self.address(full_url(request), {quote(name, safe="") for name in hidden})

    def address(self, url: str, hidden: Collection[str] = ()) -> str:
        """Return the address without the values of parameters that are hidden, or whose names tell a secret."""
        base, mark, query = url.partition("?")
        pairs = [pair.partition("=") for pair in query.split("&")]
        shown = [
            f"{key}{sign}{MASK if sign and (key in hidden or self._hides(key)) else value}"
            for key, sign, value in pairs
        ]
        return self.text(base + mark + "&".join(shown))

    def body(self, request: Request) -> str:
        """Return the body as it is sent, as text, without its secrets; the values of keys that tell one, too."""
        text = (request.body or b"").decode(errors="replace")
        if text.startswith("<"):
            return self._xml(text)
        try:
            return json.dumps(self._data(json.loads(text)), ensure_ascii=False)
        except ValueError:
            pairs = parse_qsl(text, keep_blank_values=True)
            return "&".join(f"{key}={self._value(key, value)}" for key, value in pairs)

    def _xml(self, text: str) -> str:
        """Return XML without the texts of elements and attributes whose names tell a secret."""

        def shown(found: re.Match[str]) -> str:
            begin, name, value, end = found.groups()
            return f"{begin}{MASK if self._hides(name) else value}{end}"

        return self.text(_XML_ATTRIBUTE.sub(shown, _XML_TEXT.sub(shown, text)))

    def _data(self, data: object) -> object:
        if isinstance(data, dict):
            return {self.text(key): self._value(key, value) for key, value in data.items()}
        if isinstance(data, list):
            return [self._data(value) for value in data]
        return self.text(data) if isinstance(data, str) else data

    def _value(self, key: str, value: object) -> object:
        if isinstance(value, list) and self._hides(key):
            return [self._value(key, one) for one in value]
        return MASK if isinstance(value, str) and self._hides(key) else self._data(value)

    def _hides(self, key: str) -> bool:
        is_secret = _SECRET_NAME.search(key) is not None
        return is_secret or (self._is_signing_in and not _NO_SECRET.search(key))


def _requests(config: RestConfig) -> Iterator[RequestTemplate]:
    """Give every request of the configuration."""
    yield from (*config.steps, *config.listing)
    if config.users:
        yield config.users
    if isinstance(config.auth, Login):
        yield config.auth.request
        if config.auth.challenge:
            yield config.auth.challenge


def _secret_texts(config: RestConfig) -> Iterator[str]:
    """Find what looks like a credential and is written as it is into a query or a body, under a name that tells one."""
    for request in _requests(config):
        for name, text in request.constants():
            if _SECRET_HEADER.search(name) and _KEY.fullmatch(text):
                yield text


def _secret_headers(config: RestConfig) -> Iterator[str]:
    """Find credentials that are written as they are into a header whose name tells what it holds."""
    written = [config.headers, *(request.headers for request in _requests(config))]
    if isinstance(config.auth, Login):
        written.append(config.auth.headers)
    for name, template in (header for headers in written for header in headers.items()):
        if template.is_constant and _SECRET_HEADER.search(name):
            yield from _forms(template)


def _forms(template: Template) -> Iterator[str]:
    """Return the value, and of it what stands behind a word such as Bearer, or behind the name of a cookie."""
    text = template.render({}).strip()
    yield text
    yield text.partition(" ")[2].strip()
    for cookie in text.split(";"):
        yield cookie.partition("=")[2].strip()
