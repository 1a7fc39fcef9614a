"""Who may come in: from which networks, with which keys.

`judge` looks at a request before it costs a thread, but only while there is a reason to: networks are chosen, or
somebody sends wrong keys. It turns away nobody whom the endpoint would answer: a right key is never kept waiting,
wherever it comes from. The endpoint asks the same questions again; what is here is sooner, not instead.
"""

import hmac
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Protocol

from bridge.client_address import Address, Network, client_address, is_in
from bridge.wrong_keys import WrongKeys

_log = logging.getLogger(__name__)

PAGES = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is asked for without a key, by whoever watches the service."""


class Rules(Protocol):
    """What the configuration in force says of it; looked up anew for every request."""

    @property
    def api_keys(self) -> Sequence[bytes]:
        """Return the keys of which one has to be presented."""

    @property
    def trusted_proxies(self) -> Sequence[Network]:
        """Return where proxies stand whose word counts."""

    @property
    def allow(self) -> Sequence[Network]:
        """Return where requests may come from; nothing for everywhere."""


class Verdict(Enum):
    """What becomes of a request that has just come."""

    COME_IN = auto()
    FORBIDDEN = auto()
    ANSWERED_LATE = auto()


class Door:
    """Judges requests under the rules in force, and keeps in mind who sent wrong keys."""

    def __init__(self, rules: Callable[[], Rules], wrong_keys: WrongKeys | None = None) -> None:
        self._rules = rules
        self._wrong_keys = wrong_keys or WrongKeys()

    def client(self, peer: str, forwarded: Iterable[str]) -> Address:
        """Return whose request it is; `forwarded` are the values of X-Forwarded-For."""
        return client_address(peer, forwarded, self._rules().trusted_proxies)

    def is_a_proxy(self, peer: Address) -> bool:
        """Tell whether many clients may stand behind this address."""
        return is_in(peer, self._rules().trusted_proxies)

    def is_open_to_all(self) -> bool:
        """Tell whether requests may come from every network."""
        return not self._rules().allow

    def admits(self, client: Address, path: str) -> bool:
        """Tell whether the client's network may ask for `path`; this machine may always ask for the pages."""
        if self.is_open_to_all() or is_in(client, self._rules().allow) or (path in PAGES and client.is_loopback):
            return True
        _log.warning("server.allow does not name %s: turned away", client)
        return False

    def knows(self, key: bytes) -> bool:
        """Compare with every key, each in constant time, so that the answer's time tells nothing about any of them."""
        matches = [hmac.compare_digest(key, known) for known in self._rules().api_keys]
        return any(matches)

    def note_wrong_key(self, client: Address) -> None:
        """Keep in mind that a wrong key came from there."""
        self._wrong_keys.note(client)

    def judge(self, peer: str, head: bytes) -> Verdict:
        """Decide on a request by its head: the request line and the header fields, as they came."""
        watched = self._wrong_keys.has_offenders()
        if not watched and self.is_open_to_all():
            return Verdict.COME_IN
        request_line, *fields = head.split(b"\r\n")
        path = request_line.split(b" ", 2)[1:2]
        asked_for = path[0].partition(b"?")[0].decode("latin-1") if path else ""
        client = self.client(peer, (value.decode("latin-1") for value in _values(fields, b"x-forwarded-for")))
        if not self.admits(client, asked_for):
            return Verdict.FORBIDDEN
        if not watched or asked_for in PAGES or not self._wrong_keys.are_too_many(client):
            return Verdict.COME_IN
        if self.knows(b",".join(_values(fields, b"x-api-key"))):
            return Verdict.COME_IN
        self.note_wrong_key(client)
        return Verdict.ANSWERED_LATE


def _values(fields: Iterable[bytes], name: bytes) -> Iterator[bytes]:
    """Give the values of the header fields of this name."""
    for field in fields:
        found, colon, value = field.partition(b":")
        if colon and found.lower() == name:
            yield value.strip(b" \t")
