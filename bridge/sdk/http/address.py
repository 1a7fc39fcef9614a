"""Which addresses a request may go to: checked before anything is sent, and again for each redirect."""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.http.messages import Request, Response

_PORTS = {"http": 80, "https": 443}
_LONGEST_NAME = 253  # RFC 1035, section 2.3.4, as text
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\#]")
_FOLLOWED = {301, 302, 303, 307, 308}
_KEEPS_METHOD = {307, 308}
_HARMLESS = {"accept", "if-none-match", "if-modified-since"}
"""Headers that tell another host nothing."""

_UNRESERVED = "!$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a credential is meant for (RFC 6454)."""

    scheme: str
    name: str
    port: int

    @property
    def host(self) -> str:
        """The host as people write it, with its port if that is an unusual one."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"

    def leads_to(self, other: "Origin") -> bool:
        """Tell whether a redirect may go there: the same origin, or the same host with TLS instead of without."""
        upgrade = (self.scheme, self.port, other.scheme, other.port) == ("http", 80, "https", 443)
        return self == other or (upgrade and self.name == other.name)


def origin(url: str) -> Origin:
    """Return where a URL leads. Raises UnexpectedAnswer if it is no complete http(s) address, or an ambiguous one."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        name = port = None
    if not name or len(name) > _LONGEST_NAME or parts.scheme not in _PORTS:
        raise UnexpectedAnswer("the address of a request is not a complete http:// or https:// address")
    if _FORBIDDEN.search(url) or parts.username is not None or parts.password is not None:
        raise UnexpectedAnswer(
            f"the address of a request to {name} holds what may not stand there: a blank, a control character, #, "
            "a backslash, or credentials (they belong under auth:)"
        )
    if any(segment in {".", ".."} for segment in unquote(parts.path).split("/")):
        raise UnexpectedAnswer(f"the path of a request to {name} holds a step '.' or '..'")
    return Origin(parts.scheme, name, port or _PORTS[parts.scheme])


def full_url(request: Request) -> str:
    """Return the address with its query; a blank becomes %20 and a plus %2B, which every server reads alike."""
    if not request.query:
        return request.url
    return request.url + ("&" if "?" in request.url else "?") + urlencode(request.query, quote_via=quote)


def redirected(request: Request, response: Response, key: str) -> Request | None:
    """Return the request that the answer redirects to; None if it is no redirect, or one for somebody else to judge.

    A redirect is followed for GET and HEAD, and for other methods if the status says that the method stays (307, 308).
    `key` is the setting that holds the address.
    Raises UnexpectedAnswer if it leads to another origin: credentials stay with the host they are meant for. One that
    may go anywhere goes there without them, and over https alone: what this machine reaches behind it, such as the
    metadata service of a cloud, speaks plain HTTP.
    """
    place = response.headers.get("Location")
    if response.status not in _FOLLOWED or not place:
        return None
    if request.method not in {"GET", "HEAD"} and response.status not in _KEEPS_METHOD:
        return None
    here = origin(request.url)
    try:
        url = urljoin(full_url(request), quote(place.strip().partition("#")[0], safe=_UNRESERVED, encoding="latin-1"))
    except ValueError:
        raise UnexpectedAnswer(f"{here.host} redirects to something that is no address") from None
    there = origin(url)
    if request.goes_anywhere and there.scheme == "https" and not here.leads_to(there):
        harmless = {name: value for name, value in request.headers.items() if name.lower() in _HARMLESS}
        return Request("GET", url, headers=harmless, goes_anywhere=True)
    if not here.leads_to(there):
        raise UnexpectedAnswer(
            f"{here.host} redirects to {there.scheme}://{there.host}: if that is the right place, write it in {key}"
        )
    return replace(request, url=url, query=(), cookies={**request.cookies, **response.cookies})
