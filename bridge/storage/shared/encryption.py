"""How what is shared is kept from who can read the server: contents are encrypted, and names are hashed.

Callers' numbers are few enough to be tried out one by one, so their hash has a key (RFC 2104). Contents are encrypted
and bound to their name and time (AES-GCM, NIST SP 800-38D): what was damaged, exchanged or planted counts for nothing.
Every key comes from the first of `api_keys`, made costly to guess (scrypt, RFC 7914), and from what the connector is
told.
"""

import hashlib
import hmac
import os
from functools import lru_cache
from typing import Any

_COST = {"n": 2**14, "r": 8, "p": 1}
_SALT = b"omi-bridge: what is shared"
_NONCE = 12  # bytes


class Encryption:
    """The names and contents of one connector, whose `identity` is as in `bridge.config.identity`."""

    def __init__(self, secret: str, identity: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an extra

        self._cipher: Any = AESGCM
        master = _master(secret)
        text = identity.encode("utf-8", "surrogatepass")
        self._names = hmac.digest(master, b"names " + text, "sha256")
        self._contents = hmac.digest(master, b"contents " + text, "sha256")

    def name(self, name: str) -> str:
        """Return what stands for a name in a key."""
        return hmac.digest(self._names, name.encode(), "sha256")[:16].hex()

    def close(self, name: str, stamp: int, content: bytes) -> bytes:
        """Return the content of that time, encrypted."""
        nonce = os.urandom(_NONCE)
        sealed: bytes = self._cipher(self._key(name)).encrypt(nonce, content, str(stamp).encode())
        return f"{stamp} ".encode() + nonce + sealed

    def open(self, name: str, sealed: bytes) -> tuple[int, bytes] | None:
        """Return a content and its time, or None if it is not what was written under this name."""
        stamp, _, rest = sealed.partition(b" ")
        try:
            content: bytes = self._cipher(self._key(name)).decrypt(rest[:_NONCE], rest[_NONCE:], stamp)
            return int(stamp), content
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not ours
            return None

    def _key(self, name: str) -> bytes:
        return hmac.digest(self._contents, name.encode(), "sha256")


@lru_cache(maxsize=4)
def _master(secret: str) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=_SALT, dklen=32, **_COST)
