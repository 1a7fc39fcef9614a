"""The last decisions, kept so that "why did this call ring 102?" has an answer the next day.

They are written behind the calls' back, and bounded in number and age.
"""

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bridge.config.loading import Config
from bridge.config.sections import Decisions
from bridge.lookup.decision import Decision, Outcome
from bridge.observability.decision_table import DecisionTable, KeptDecision, Sought
from bridge.observability.logs import REQUEST_ID
from bridge.sdk.deadline import Clock
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.secrets import Redaction
from bridge.storage.forgotten import Forgotten, hashed
from bridge.storage.write_behind import Terms, WriteBehind

_MOST_UNWRITTEN = 10_000
_MOMENT, _PAUSE = 0.5, 10.0


def sought_in(config: Config, number: PhoneNumber) -> Sought:
    """Return how a caller may stand in the file, under each key that is valid by now."""
    keys = (key.get_secret_value().encode() for key in config.settings.api_keys)
    return Sought(tuple(hashed(number.e164, key) for key in keys), (number.masked, number.e164))


class _Heard(NamedTuple):
    at: float
    request_id: str
    decision: Decision
    seconds: float


class DecisionLog:
    """Keeps decisions in the file at `path`, none of who is `forgotten` from before that.

    Callers are hashed with the key of `forgotten`, if they are.
    A file that cannot be used is tried again after `pause` seconds.
    """

    def __init__(
        self,
        settings: Decisions,
        path: Path,
        forgotten: Forgotten,
        redaction: Redaction,
        wall_clock: Clock = time.time,
        *,
        pause: float = _PAUSE,
    ) -> None:
        self._forgotten = forgotten
        self._settings = settings
        self._redaction = redaction
        self._wall_clock = wall_clock
        self._behind: WriteBehind[_Heard, DecisionTable] = WriteBehind(
            path,
            DecisionTable,
            self._write,
            Terms("decisions are not kept", _MOST_UNWRITTEN, _MOMENT, pause, pause),
        )

    @property
    def trouble(self) -> str:
        """Why nothing is kept just now, or nothing if it is."""
        return self._behind.trouble

    def hear(self, decision: Decision, seconds: float) -> None:
        """Take note of a decision that took so many seconds, without waiting for anything.

        Not of one about a wrong key: those cost nobody anything to make, and would push the calls out.
        """
        if decision.outcome is Outcome.UNAUTHORIZED:
            return
        self._behind.hear(_Heard(self._wall_clock(), REQUEST_ID.get(), decision, seconds))

    def start(self) -> None:
        """Begin to write, in a thread of its own."""
        self._behind.start(math.inf)

    def close(self) -> None:
        """Write what is left, waiting no longer than two seconds."""
        self._behind.close()

    def _write(self, table: DecisionTable, news: Sequence[_Heard]) -> None:
        oldest = self._wall_clock() - self._settings.max_age
        table.write(lambda: self._to_keep(news), self._settings.keep, oldest)

    def _to_keep(self, news: Sequence[_Heard]) -> Iterator[KeptDecision]:
        self._forgotten.look()
        for one in news:
            call = one.decision.call
            if not (call and self._forgotten.was_before(call.caller, one.at - one.seconds)):
                yield self._kept(one)

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
                return caller.masked, hashed(caller.e164, self._forgotten.key)
            case _:
                return caller.masked, ""
