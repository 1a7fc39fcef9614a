"""Which callers were forgotten, and when: so that no process brings back what it knew, or was about to learn.

`omi-bridge forget` runs beside the service, whose processes remember for themselves, and maybe beside other machines'.
So it writes here first and deletes second. Each process looks once a second, and within each transaction in which it
writes a caller down: whoever writes later than the deletion has learnt of it by then. The file, and the Redis if the
instances share one, hold a keyed hash and a time for each caller, no number, and each entry for a day: whatever was
under way has ended by then.
"""

import fcntl
import hashlib
import hmac
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from bridge.config.sections import FORGOTTEN_BEGINS
from bridge.sdk.deadline import Clock
from bridge.sdk.disk.replaced_file import replace_file
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.shared import Shared
from bridge.sdk.threads.background import BackgroundLoop, Wait

_log = logging.getLogger(__name__)

_EVERY = 1.0  # seconds
_UNAWARE = 3.0
"""Seconds after which every process has learnt of it: what one of them wrote within them may be from before."""
_KEPT_FOR = 86400.0
_LARGEST_FILE = 16 * 1024 * 1024
_SHARED_AS = "callers"

Matches = Callable[[str], bool]
"""Tells whether a number, in E.164, is one that is to be forgotten."""


class Remembers(Protocol):
    """Whoever remembers callers in this process."""

    def forget(self, matches: Matches) -> None:
        """Remember nothing of them any more."""


def hashed(caller: str, key: bytes) -> str:
    """Return what stands for a number in a file: equal for the same caller, and of no use without the key."""
    return hmac.new(key, caller.encode("ascii"), hashlib.sha256).hexdigest()


class Forgotten:
    """The callers in the file at `path`, in none if there is no path; safe to use from many threads."""

    def __init__(
        self,
        path: Path | None = None,
        key: bytes = b"",
        *,
        clock: Clock = time.monotonic,
        wall_clock: Clock = time.time,
    ) -> None:
        self.path = path
        self.key = key
        self.shared = Shared()
        """What the instances of the service tell each other."""
        self.clock, self.wall_clock = clock, wall_clock
        self._since: dict[str, float] = {}  # when it was said, in seconds of the wall clock
        self._learnt: dict[str, float] = {}  # when this process learnt of it, in seconds of `clock`
        self._looks: tuple[int, int, int] | None = None
        self._lock = threading.RLock()
        self._listeners: WeakSet[Remembers] = WeakSet()
        self._loop: BackgroundLoop | None = None

    def start(self, *, wait: Wait | None = None) -> None:
        """Look once a second from now on, in a thread of its own."""
        if self._loop is None:
            self._loop = BackgroundLoop("look-who-is-forgotten", self._round, wait=wait)
            self._loop.start()

    def close(self) -> None:
        """Look no more."""
        if self._loop:
            self._loop.close()

    def join(self, listener: Remembers) -> None:
        """Have somebody told whom to forget, for as long as he lives."""
        self._listeners.add(listener)

    def learnt(self, caller: PhoneNumber) -> float | None:
        """Return when this process learnt that a caller is forgotten, in seconds of `clock`; None if he is not.

        What was asked before may not be used, nor written down.
        """
        return self._learnt.get(hashed(caller.e164, self.key)) if self._learnt else None

    def may_stay(self, caller: PhoneNumber, stored_at: float) -> bool:
        """Tell whether what was stored at a time of the wall clock was learnt after the caller was forgotten."""
        since = self._since.get(hashed(caller.e164, self.key)) if self._since else None
        return since is None or stored_at > since + _UNAWARE

    def was_before(self, caller: PhoneNumber, began_at: float) -> bool:
        """Tell whether a call that began at a time of the wall clock came before its caller was forgotten."""
        since = self._since.get(hashed(caller.e164, self.key)) if self._since else None
        return since is not None and began_at <= since

    def look(self) -> None:
        """Learn what stands in the file by now. What cannot be read is left as it was known."""
        if self.path is None:
            return
        with self._lock:
            try:
                seen = self.path.stat()
                looks = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
                if looks != self._looks:
                    self._learn(_read(self.path))
                    self._looks = looks
            except FileNotFoundError:
                return
            except OSError as error:
                _log.warning("who is forgotten cannot be read in %s: %s", self.path, error.strerror or error)

    def look_around(self) -> None:
        """Learn what the other instances of the service were told, too."""
        self.look()
        if known := self.shared.get(_SHARED_AS):
            now = self.wall_clock()
            self._learn({digest: now - known.age - age for digest, age in _ages(known.content).items()})

    def forget(self, caller: PhoneNumber) -> None:
        """Tell every process of this machine, and the other instances if they share a memory. Raises OSError."""
        digest, now = hashed(caller.e164, self.key), self.wall_clock()
        if self.path:
            with _alone(self.path):
                known = {one: at for one, at in _read(self.path).items() if now - at < _KEPT_FOR}
                text = json.dumps({"forgotten": known | {digest: now}})
                replace_file(self.path, text.encode(), begins=FORGOTTEN_BEGINS)
                self.path.chmod(0o644)  # whoever runs the command need not be the service's user
        with self.shared.lock(_SHARED_AS, _EVERY):
            shared = self.shared.get(_SHARED_AS)
            ages = {one: age + shared.age for one, age in _ages(shared.content).items()} if shared else {}
            recent = {one: age for one, age in ages.items() if age < _KEPT_FOR} | {digest: 0.0}
            self.shared.put(_SHARED_AS, json.dumps({"ages": recent}).encode(), _KEPT_FOR, wait=True)
        self._learn({digest: now})

    def _round(self) -> float:
        self.look_around()
        return _EVERY

    def _learn(self, found: Mapping[str, float]) -> None:
        """Take over what is new, and have everybody forget it."""
        with self._lock:
            now = self.wall_clock()
            new = {
                digest: at
                for digest, at in found.items()
                if now - at < _KEPT_FOR and at > self._since.get(digest, -1.0) + _UNAWARE
            }
            if not new:
                return
            self._since |= new
            self._learnt |= dict.fromkeys(new, self.clock())
        key = self.key
        for listener in list(self._listeners):
            listener.forget(lambda number: hashed(number, key) in new)


def _read(path: Path) -> dict[str, float]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST_FILE))["forgotten"]
        return {str(digest): float(at) for digest, at in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _ages(content: bytes) -> dict[str, float]:
    try:
        return {str(digest): float(age) for digest, age in json.loads(content)["ages"].items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep out whoever else forgets a caller at this moment. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
