"""What comes in from OMICall: when the last call was accepted, and whether its calls are being refused.

Only a request with a `phoneNumber` counts: what scans the internet has none. One may be a slip of somebody who tries
it out, so three in a row are needed, with none accepted in between. They may be a day apart, for a small company may
have three calls a day, and all of them would be refused. No time ends the trouble, only a call that is accepted: that
nobody calls at night does not mean that OMICall has the right key by now.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import inf

from bridge.storage.machine import MachineMemory

_IN_A_ROW = 3
_WITHIN = 86_400.0
_SECOND = 1.0


class Refusal(StrEnum):
    """Why a call was refused."""

    NO_KEY = "no-key"
    WRONG_KEY = "wrong-key"
    NETWORK = "network"
    PATH = "path"


_PLACES = {
    Refusal.NO_KEY: "api_keys",
    Refusal.WRONG_KEY: "api_keys",
    Refusal.NETWORK: "server.allow",
    Refusal.PATH: "server.path",
}
_WORDS = {
    Refusal.NO_KEY: "came without a key: have OMICall send one of api_keys as the header X-API-KEY",
    Refusal.WRONG_KEY: "came with a key that is not in api_keys: enter the same key here and in OMICall",
    Refusal.NETWORK: "came from a network that server.allow does not name: the log tells the address; add it there if "
    "it is OMICall's, or your proxy's to server.trusted_proxies",
    Refusal.PATH: "asked for another path than {path}: the log tells which; correct the address in OMICall, or "
    "server.path",
}


class Incoming:
    """The calls that came to this machine, whichever of its processes took them; `path` is the endpoint's."""

    def __init__(self, memory: MachineMemory, path: str) -> None:
        self._path = path
        self.accepted = memory.moments("calls accepted")
        """When a call was last answered, with whatever outcome, because its key was right."""
        self._keys = memory.figures("key of the last call", 1)
        self._noted_key, self._note_again = b"", 0.0
        self._refused = {why: memory.moments(f"calls refused: {why}", _IN_A_ROW) for why in Refusal}

    def accept(self, key: bytes) -> None:
        """Take note of a call that is answered, and of its key: of one that stays the same, once a second."""
        now = time.monotonic()
        if key != self._noted_key or now >= self._note_again:  # another process may have had another one meanwhile
            self._noted_key, self._note_again = key, now + _SECOND
            self._keys.add(_mark(key))
        self.accepted.note()

    def last_key(self, keys: Sequence[bytes]) -> int | None:
        """Return which of the keys the last call had, the first being 1; 0 if it is none of them, None if none came."""
        known = self._keys.all()
        return next((place for place, key in enumerate(keys, 1) if _mark(key) in known), 0) if known else None

    def refused(self, why: Refusal) -> None:
        """Take note of a request with a `phoneNumber` that was turned away."""
        self._refused[why].note()

    def last_refused(self) -> Mapping[str, float]:
        """Return how many seconds ago a call was last refused, by why, of those that were."""
        ages = {why.value: moments.age() for why, moments in self._refused.items()}
        return {why: age for why, age in ages.items() if age < inf}

    def troubles(self) -> Mapping[str, str]:
        """Say for each place of the configuration that keeps OMICall's calls out how it does, and what to do."""
        found: dict[str, list[str]] = {}
        for why, moments in self._refused.items():
            first, last = moments.age(_IN_A_ROW - 1), moments.age()
            if first < self.accepted.age() and first - last <= _WITHIN:
                told = f"the last {_IN_A_ROW} calls {_WORDS[why].format(path=self._path)}; none was accepted since"
                found.setdefault(_PLACES[why], []).append(told)
        return {place: "; ".join(told) for place, told in found.items()}


def _mark(key: bytes) -> int:
    """Return by what a key is known again, which is no place in a list: a reload may change that. It fits a float."""
    return int.from_bytes(hashlib.sha256(key).digest()[:6])
