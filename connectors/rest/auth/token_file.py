"""The refresh token, which some servers replace at each use: the newest has to survive a restart.

It is written to a file of its own, whole or not at all, readable by its owner only. A lock beside it is held around
each renewal, so that two processes never use up the same single-use token. The file remembers (as a hash) the token
of the configuration that it descends from: one that an admin puts there anew wins over it. Instances on other machines
learn the token from the shared memory, if there is one, at each renewal and with each access token that they take over:
a shared memory may forget, and a spent token that is sent again may make the server lock everybody out. Of several
tokens the one that was replaced most often is the newest.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from bridge.sdk import BackgroundLoop, Deadline, Shared, SourceUnavailable, Wait
from bridge.sdk.files import ForeignFileError, obstacle, replace_file

log = logging.getLogger(__name__)

BEGINS = b'{"refresh_token": '
"""How such a file begins."""

_LOCK_POLL = 0.05
_PAUSE = 10.0  # seconds between attempts to write what could not be written
_PATIENCE = 1.0  # seconds for the file of a token that was taken over; it is in memory before
_REMEDY = ": let the service's user write into its folder, and see that no folder has this name"
_SHARED_AS = "refresh-token"
_SHARED_FOR = 366 * 86400.0  # seconds


class RefreshTokenStore:
    """The newest refresh token: in memory, on disk if there is a `file`, and with other instances if they share.

    What cannot be written is tried again in the background; `wait` is how that waits, a test gives its own.
    """

    def __init__(self, configured: str, file: Path | None, wait: Wait | None = None) -> None:
        self._configured = configured
        self._origin = hashlib.sha256(configured.encode()).hexdigest()
        self._file = file
        self._token = configured
        self._on_disk: str | None = None
        self._serial = 0
        self._shared = Shared()
        self._shared_serial = 0
        self.trouble = _told(file, why + _REMEDY) if file and (why := obstacle(file)) else ""
        """Why the file cannot be written and what to do, or nothing; told from the first look on."""
        self._failures = 0
        self._again = BackgroundLoop("token-file", self._try_again, wait=wait)

    def share(self, shared: Shared) -> None:
        """Learn from other instances which token is the newest, and tell them."""
        self._shared = shared

    @property
    def token(self) -> str:
        """The newest token that this process knows of."""
        return self._token

    @property
    def serial(self) -> int:
        """How often the token of the configuration has been replaced."""
        return self._serial

    @contextlib.contextmanager
    def renewing(self, deadline: Deadline) -> Iterator[str]:
        """Give the token to use, and nobody else, in any process, meanwhile.

        Raises SourceUnavailable if another process does not finish in time.
        """
        with contextlib.ExitStack() as held:
            if self._file is not None:
                held.enter_context(self._locked(self._file, deadline))
                self._read(self._file)
            self._learn()
            yield self._token
            self._save()

    def replace(self, token: str) -> None:
        """Take over the token that the server issued in place of the last one."""
        if self._file is None and self._token == self._configured:
            log.warning("the server replaces the refresh token: without auth.token_file a restart needs a new one")
        self._token, self._serial = token, self._serial + 1
        self._save()

    def close(self) -> None:
        """Try no more to write what could not be written."""
        self._again.close()

    def take_over(self, token: str, serial: int) -> None:
        """Take over the token that another instance got, if it is the newest; put it where the others look for it."""
        if serial < max(1, self._serial):
            return
        self._token, self._serial = token, serial
        with contextlib.suppress(SourceUnavailable), self.renewing(Deadline.after(_PATIENCE)):
            pass  # what is known is saved at the end

    def _read(self, file: Path) -> None:
        """Take over what another process, or this one before a restart, has written."""
        try:
            data = json.loads(file.read_bytes())
            token, serial, descends_from = data["refresh_token"], int(data.get("serial", 1)), data["descends_from"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            log.error("auth.token_file cannot be read; the refresh token of the configuration is used: %s", file)  # noqa: TRY400 - a traceback may quote the file
            return
        if descends_from == self._origin and isinstance(token, str) and token and serial > self._serial:
            self._token, self._serial = token, serial
            self._on_disk = token

    def _learn(self) -> None:
        """Take over what another instance has told."""
        known = self._shared.get(_SHARED_AS)
        try:
            token, serial = json.loads(known.content) if known else ("", 0)
        except (ValueError, TypeError):
            return
        self._shared_serial = serial if known and known.age < _SHARED_FOR else 0
        if serial > self._serial:
            self._token, self._serial = token, serial

    def _save(self) -> None:
        """Tell the token if it is newer than what is known elsewhere; a failure is made good at the next renewal."""
        if self._serial > self._shared_serial:
            self._shared.put(_SHARED_AS, json.dumps([self._token, self._serial]).encode(), _SHARED_FOR, wait=True)
        if self._file is None or self._token in {self._configured, self._on_disk}:
            return
        data = {"refresh_token": self._token, "serial": self._serial, "descends_from": self._origin}
        try:
            replace_file(self._file, json.dumps(data).encode(), begins=BEGINS)
        except OSError as error:
            self._fail(self._file, error)
        else:
            self._on_disk = self._token
            self._mend()

    @contextlib.contextmanager
    def _locked(self, file: Path, deadline: Deadline) -> Iterator[None]:
        try:
            lock = os.open(f"{file}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._fail(file, error)  # another process may renew meanwhile
            yield
            return
        try:
            while not _taken(lock):
                if deadline.expired():
                    raise SourceUnavailable("another process holds the refresh token for too long")
                time.sleep(min(_LOCK_POLL, deadline.remaining()))
            yield
        finally:
            os.close(lock)  # gives up the lock

    def _fail(self, file: Path, error: OSError) -> None:
        """Say once why the file cannot be written, and go on trying."""
        found = obstacle(file)
        says_what_to_do = isinstance(error, ForeignFileError) and not found
        why = found or error.strerror or str(error)
        told = _told(file, why if says_what_to_do else why + _REMEDY)
        if told != self.trouble or not self._failures:
            log.error("%s", told)
        self.trouble = told
        self._failures += 1
        self._again.start(_PAUSE)

    def _mend(self) -> None:
        if self.trouble:
            log.info("auth.token_file can be written again: %s", self._file)
        self.trouble = ""

    def _try_again(self) -> float:
        """Write what could not be written; return after how many seconds to look again."""
        if self._file and self.trouble:
            failures = self._failures
            with contextlib.suppress(SourceUnavailable), self.renewing(Deadline.after(_PATIENCE)):
                pass  # what is known is saved at the end
            if self._failures == failures and not obstacle(self._file):
                self._mend()
        return _PAUSE


def _told(file: Path, why: str) -> str:
    return (
        f"auth.token_file: {file} cannot be written: {why}; "
        "else the service needs a new refresh token once it is started again"
    )


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
