"""Who may come in: from which networks, with which keys."""

import hmac
from collections.abc import Iterable

from bridge.config.values import OWN_PAGES
from bridge.service import Service
from bridge.web.client_address import Address, client_address, is_in


class AccessControl:
    """Judges one request under the rules of the service that answers it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def client(self, peer: str, forwarded: Iterable[str]) -> Address:
        """Return whose request it is; `forwarded` are the values of X-Forwarded-For."""
        return client_address(peer, forwarded, self._service.trusted_proxies)

    def is_open_to_all(self) -> bool:
        """Tell whether requests may come from every network."""
        return not self._service.allow

    def admits(self, client: Address, path: str) -> bool:
        """Tell whether the client's network may ask for `path`; this machine may always ask for the pages."""
        if self.is_open_to_all() or is_in(client, self._service.allow):
            return True
        return path.rstrip("/") in OWN_PAGES and client.is_loopback

    def knows(self, key: bytes) -> bool:
        """Tell whether it is OMICall's; the answer's time tells nothing about any of the keys."""
        return is_one_of(key, self._service.api_keys)


def is_one_of(key: bytes, known: Iterable[bytes]) -> bool:
    """Compare a key with all that are known, each in constant time."""
    matches = [hmac.compare_digest(key, one) for one in known]
    return any(matches)
