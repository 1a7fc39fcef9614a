"""When the certificates of servers end, as they have shown them: noted at each handshake, without asking anybody."""

import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple
from weakref import WeakSet

from bridge.sdk.deadline import Clock

_DAY, _NEAR = 86_400.0, 14  # whoever renews by itself does so earlier
_SOURCE: ContextVar[str] = ContextVar("source", default="")
_known: "WeakSet[Certificates]" = WeakSet()
_lock = threading.Lock()


class ShownCertificate(NamedTuple):
    """When the certificate of the `host` ends, and when that was shown, in seconds since 1970; which `source` asked."""

    source: str
    host: str
    ends: float
    at: float

    def days_left(self, now: float) -> int:
        """Return how many whole days it is still valid, less than 0 once it has ended."""
        return int((self.ends - now) // _DAY)

    def is_near(self, now: float) -> bool:
        """Tell whether its end has to be seen to."""
        return self.days_left(now) < _NEAR


class Certificates:
    """Those that one client has seen; they are its source's, in whose name it was made."""

    def __init__(self, wall_clock: Clock = time.time) -> None:
        self._source = _SOURCE.get()
        self._wall_clock = wall_clock
        self._shown: dict[str, ShownCertificate] = {}
        with _lock:
            _known.add(self)

    def note(self, host: str, certificate: Mapping[str, Any] | None) -> None:
        """Take note of what a server has shown; one that was not checked has nothing in it."""
        ends = (certificate or {}).get("notAfter")
        if ends:
            self._shown[host] = ShownCertificate(self._source, host, ssl.cert_time_to_seconds(ends), self._wall_clock())

    def forget(self) -> None:
        """Tell of them no more: the client is closed."""
        with _lock:
            _known.discard(self)

    def shown(self) -> list[ShownCertificate]:
        """Return what is known."""
        return list(self._shown.values())


@contextmanager
def in_the_name_of(source: str) -> Iterator[None]:
    """Let the clients that are made in the block be those of a source."""
    token = _SOURCE.set(source)
    try:
        yield
    finally:
        _SOURCE.reset(token)


def all_shown() -> list[ShownCertificate]:
    """Return what all open clients of this process know, of those that are a source's."""
    with _lock:
        known = list(_known)
    return [one for certificates in known for one in certificates.shown() if one.source]
