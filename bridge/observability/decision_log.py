"""The last decisions, kept so that "why did this call ring 102?" has an answer the next day.

One thread writes; a call only puts its decision into a queue that never blocks, so that a slow, full or broken disk
costs a part of this record and nothing else. It is bounded in number and age.
"""

import atexit
import hashlib
import hmac
import logging
import math
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

from bridge.config.sections import Decisions
from bridge.lookup.decision import Decision, Outcome
from bridge.observability.decision_table import DecisionTable, KeptDecision
from bridge.observability.logs import REQUEST_ID
from bridge.sdk.background import BackgroundLoop
from bridge.sdk.deadline import Clock
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.secrets import Redaction
from bridge.storage.sqlite_file import Damaged, SqliteFile, Unusable

_log = logging.getLogger(__name__)

_MOST_UNWRITTEN = 10_000
_MOMENT, _PAUSE = 0.5, 10.0
_PATIENCE_AT_CLOSE = 2.0


class _Heard(NamedTuple):
    at: float
    request_id: str
    decision: Decision
    seconds: float


class DecisionLog:
    """Keeps decisions in the file at `path`. `key` is what callers are hashed with, if they are.

    A file that cannot be used is tried again after `pause` seconds.
    """

    def __init__(
        self,
        settings: Decisions,
        path: Path,
        key: bytes,
        redaction: Redaction,
        wall_clock: Clock = time.time,
        *,
        pause: float = _PAUSE,
    ) -> None:
        self.trouble = ""
        """Why nothing is kept just now, or nothing if it is."""
        self._settings = settings
        self._path = path
        self._key = key
        self._redaction = redaction
        self._wall_clock = wall_clock
        self._pause = pause
        self._file = SqliteFile(path, DecisionTable)
        self._heard: deque[_Heard] = deque(maxlen=_MOST_UNWRITTEN)
        self._loop = BackgroundLoop("decisions", self._round, gather=_MOMENT, at_end=self._end)

    def hear(self, decision: Decision, seconds: float) -> None:
        """Take note of a decision that took so many seconds, without waiting for anything.

        Not of one about a wrong key: those cost nobody anything to make, and would push the calls out.
        """
        if decision.outcome is Outcome.UNAUTHORIZED:
            return
        self._heard.append(_Heard(self._wall_clock(), REQUEST_ID.get(), decision, seconds))
        if not self.trouble:
            self._loop.wake()

    def start(self) -> None:
        """Begin to write, in a thread of its own."""
        self._loop.start(math.inf)
        atexit.register(self.close)

    def close(self) -> None:
        """Write what is left, waiting no longer than two seconds."""
        atexit.unregister(self.close)
        self._loop.close(_PATIENCE_AT_CLOSE)

    def _round(self) -> float:
        self._try()
        return self._pause if self.trouble else math.inf  # in trouble it is tried again without a call, too

    def _end(self) -> None:
        self._try()
        self._file.close()

    def _try(self) -> None:
        """Write what was heard; if the file cannot be used, say so once, and keep the newest for the next time."""
        heard = [self._heard.popleft() for _ in range(len(self._heard))]
        try:
            try:
                self._write(heard)
            except Damaged as damage:
                aside = self._file.set_aside()
                _log.warning("%s is damaged (%s): moved to %s, and a new one is begun", self._path, damage, aside)
                self._write(heard)
        except Unusable as error:
            self._file.close()
            self._heard.extendleft(reversed(heard[-(_MOST_UNWRITTEN - len(self._heard)) :]))
            self._complain(f"{self._path}: {error}")
        except Exception as error:  # noqa: BLE001 - not even a bug may end the writing for good
            self._file.close()
            _log.exception("a bug of omi-bridge")
            self._complain(f"{self._path}: a bug of omi-bridge: {type(error).__name__}")
        else:
            if self.trouble:
                _log.info("decisions are kept again")
            self.trouble = ""

    def _write(self, heard: list[_Heard]) -> None:
        with self._file.table() as table:
            oldest = self._wall_clock() - self._settings.max_age
            table.write([self._kept(one) for one in heard], self._settings.keep, oldest)

    def _complain(self, trouble: str) -> None:
        if trouble != self.trouble:
            _log.warning("decisions are not kept: %s", trouble)
        self.trouble = trouble

    def _kept(self, heard: _Heard) -> KeptDecision:
        decision = heard.decision
        call = decision.call
        written, digest = self._caller(call.caller) if call else ("", "")
        return KeptDecision(
            heard.at,
            heard.request_id,
            written,
            digest,
            call.hotline.e164 if call and call.hotline else "",
            decision.outcome,
            decision.body,
            decision.freshness or "",
            decision.connector or "",
            round(heard.seconds * 1000, 1),
            [self._redaction(line) for line in decision.because()],
        )

    def _caller(self, caller: PhoneNumber) -> tuple[str, str]:
        match self._settings.callers:
            case "full":
                return caller.e164, ""
            case "hashed":
                return caller.masked, hashed(caller, self._key)
            case _:
                return caller.masked, ""


def hashed(caller: PhoneNumber, key: bytes) -> str:
    """Return what stands for a caller in the file: equal for the same caller, and of no use without the key."""
    return hmac.new(key, caller.e164.encode("ascii"), hashlib.sha256).hexdigest()
