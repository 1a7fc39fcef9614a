"""A message: what is said to people, in plain text, and to programs, in JSON. docs/alerts.md has each field.

It is made once, when something changes, and says the times at which things happened, however late it is sent.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

_LONGEST_SUBJECT = 120
_LONGEST_WORDS = 400
_LONGEST_TEXT = 1900
"""Characters; a message of Discord has 2000 at most, one of Telegram 4096."""
_LATE = 120.0
_CHANNELS = "alerts."
_OUTSIDE = ("api_keys", "server.", _CHANNELS)
"""Parts of which no source knows anything: what `check --online` asks is of no help with them."""


class Kind(StrEnum):
    """What is said of a part."""

    BEGAN = "began"
    AGAIN = "again"
    OVER = "over"
    PASSED = "passed"
    STILL = "still"


@dataclass(frozen=True, slots=True)
class Change:
    """What is said of one part: in trouble `since`, and `until`, if it is over; it came back `times` meanwhile."""

    kind: Kind
    part: str
    words: str
    since: float
    until: float | None = None
    times: int = 0

    def lines(self) -> str:
        """Say it to people."""
        words = _cut(self.words, _LONGEST_WORDS)
        went = f"It went and came {self.times} times." if self.times > 1 else "It went and came back."
        often = f"\n  {went}" if self.times else ""
        if self.until is None:
            again = " (again)" if self.kind is Kind.AGAIN else ""
            return f"{self.part}{again}: {words}\n  Since {spoken(self.since)}.{often}"
        ended = f"in trouble from {spoken(self.since)} to {spoken(self.until)}"
        return f"{self.part}: well again, {ended}: {words}{often}"

    def as_json(self) -> dict[str, Any]:
        """Say it to programs."""
        return {
            "change": self.kind.value,
            "part": self.part,
            "reason": self.words,
            "since": written(self.since),
            "until": None if self.until is None else written(self.until),
            "times": self.times,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """What happened `at` a moment on a machine; `changes` are news, `others` was known before and goes on."""

    id: str
    at: float
    host: str
    file: str
    status: str
    changes: Sequence[Change]
    others: Sequence[Change] = ()
    sent_at: float | None = None

    @property
    def is_late(self) -> bool:
        """Whether it is sent long after it was made."""
        return self.sent_at is not None and self.sent_at - self.at > _LATE

    def sent(self, now: float) -> "Message":
        """Return it as it is sent at that moment."""
        return replace(self, sent_at=now)

    @property
    def subject(self) -> str:
        """Say it in one line."""
        if self.status == "test":
            return f"omi-bridge on {self.host}: a test"
        parts = ", ".join(one.part for one in self.changes)
        match self.status, any(one.until is None for one in self.changes):
            case "ok", _:
                told = f"well again: {parts}"
            case _, True:
                told = f"degraded: {parts}"
            case _:
                told = f"still degraded, well again: {parts}"
        return _cut(f"omi-bridge on {self.host}: {told}", _LONGEST_SUBJECT)

    @property
    def text(self) -> str:
        """Say it in several lines."""
        said = [f"{self.subject}\n{self.file}, {spoken(self.at)}"]
        if self.status == "test":
            return f"{said[0]}\n\nThis message was asked for with: omi-bridge check --alerts. Nothing is wrong."
        said += [one.lines() for one in self.changes]
        said += [f"Still: {one.lines()}" for one in self.others]
        end = [f"What to do: {self._remedy()}"] if self._remedy() else []
        if self.is_late:
            end.insert(0, f"This could not be sent before {spoken(self.sent_at or self.at)}.")
        ending = "".join(f"\n\n{line}" for line in end)
        return _cut("\n\n".join(said), _LONGEST_TEXT - len(ending)) + ending

    def _remedy(self) -> str:
        """Return the command that shows more, nothing where the words themselves say all that is to be done."""
        parts = [one.part for one in (*self.changes, *self.others) if one.until is None]
        if any(not part.startswith(_OUTSIDE) for part in parts):
            return f"omi-bridge check --online -c {self.file}"
        if any(part.startswith(_CHANNELS) for part in parts):
            return f"omi-bridge check --alerts -c {self.file}"
        return ""

    def as_json(self) -> dict[str, Any]:
        """Say it to programs."""
        return {
            "id": self.id,
            "status": self.status,
            "subject": self.subject,
            "text": self.text,
            "host": self.host,
            "file": self.file,
            "at": written(self.at),
            "sent_at": written(self.sent_at or self.at),
            "changes": [one.as_json() for one in self.changes],
            "troubles": [one.as_json() for one in (*self.changes, *self.others) if one.until is None],
        }


def new_id() -> str:
    """Return what a message is known by: a receiver that gets it twice can tell."""
    return secrets.token_hex(8)


def restored(kept: Mapping[str, Any]) -> Message:
    """Return a message that was kept as `dataclasses.asdict` gives it. Raises TypeError, KeyError or ValueError."""
    changes, others = (
        tuple(Change(**{**one, "kind": Kind(one["kind"])}) for one in kept[name]) for name in ("changes", "others")
    )
    return Message(**{**kept, "changes": changes, "others": others})


def written(moment: float) -> str:
    """Return a moment as programs read it, in local time with its offset (RFC 3339)."""
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")


def spoken(moment: float) -> str:
    """Return a moment as people read it, in local time with its offset."""
    local = datetime.fromtimestamp(moment).astimezone().isoformat(" ", "seconds")
    return f"{local[:-6]} {local[-6:]}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
