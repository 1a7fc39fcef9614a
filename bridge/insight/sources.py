"""How each source does, for a page that people read: all that the service knows without asking any of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any, Protocol

from pydantic import SecretStr

from bridge.insight.client import AnswerRefused
from bridge.insight.line_mask import LineMask
from bridge.insight.seen import SeenByAll
from bridge.insight.turns import take_turn
from bridge.lookup.guard import Guard
from bridge.sdk.connector import Attention, ConnectorConfig
from bridge.sdk.http.certificates import ShownCertificate
from bridge.sdk.http.client import HttpSettings
from bridge.sdk.shared import Turns
from bridge.service import Service

PER_MINUTE = 6
"""How many trials by hand a minute, of all sources together: a refusal may be counted at the CRM."""

_MOST_LINES = 20

Page = Callable[[], Mapping[str, Any]]
"""Gives what `/healthz` shows, which all processes say together."""


class KnowsCalls(Protocol):
    """Knows of the calls that came to this machine."""

    def last_refused(self) -> Mapping[str, float]:
        """Return how many seconds ago a call was last refused, by why."""

    def last_key(self, keys: Sequence[bytes]) -> int | None:
        """Return which of the keys the last call had, the first being 1; 0 if it is none of them, None if none came."""


class Sources:
    """Tells of the service that is in force, as all processes see it; `turns` count their trials by hand."""

    def __init__(
        self,
        current: Callable[[], Service],
        page: Page,
        mask: LineMask,
        turns: Turns,
        seen: SeenByAll,
        incoming: KnowsCalls,
    ) -> None:
        self._current = current
        self._page = page
        self._mask = mask
        self._turns = turns
        self._seen = seen
        self._incoming = incoming

    def answer(self, _question: Mapping[str, object]) -> Mapping[str, object]:
        """Return what `/healthz` shows, and the state of each connector and each list of extensions."""
        service, page = self._current(), self._page()
        self._seen.look(page["troubles"])
        slips, seen = self._seen.read(), service.snapshot(0)
        return {
            **page,
            "last_key": self._incoming.last_key(service.api_keys),
            "keys": len(service.api_keys),
            "deadline": service.deadline,
            "connectors": [
                {
                    **self._connector(guard, service, seen.ages.get(guard.name)),
                    **self._seen_of(guard.name, f"connector {guard.name}", slips, service.answers()[guard.name].age()),
                    "remembered": [slip["remembered"].get(guard.name, 0) for slip in slips],
                }
                for guard in seen.connectors
            ],
            "lists": [
                {"name": name, "age": round(age), **self._seen_of(name, name, slips)}
                for name, age in seen.ages.items()
                if name.startswith("extensions.")
            ],
            "without_extension": seen.without_extension,
        }

    def try_now(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        """Try the source `name` once, if it is left alone. Raises AnswerRefused: `well`, `try-often` or `no-trial`."""
        guard = self._current().guards.get(str(question.get("name")))
        if guard is None or not guard.is_left_alone:
            raise AnswerRefused("well")
        take_turn(self._turns, PER_MINUTE, "try-often")
        if not guard.try_now():
            raise AnswerRefused("no-trial")
        return {"name": guard.name}

    def _connector(self, guard: Guard, service: Service, age: float | None) -> Mapping[str, object]:
        counted = guard.read_ahead.snapshot.counted() if guard.read_ahead else None
        return {
            "name": guard.name,
            "type": str(service.config.sources[guard.name].written.get("type", "")),
            "left_alone": guard.is_left_alone,
            "in_flight": guard.in_flight_anywhere,
            "max_in_flight": guard.connector.config.max_in_flight,
            "age": None if age is None else round(age),
            "doubted": bool(guard.connector.kept.doubted),
            "read_ahead": counted,
            "tls": _tls_of(guard.connector.config),
            "report": list(self._report(guard)),
        }

    def _seen_of(
        self, name: str, part: str, slips: Sequence[Mapping[str, Any]], answered: float = inf
    ) -> Mapping[str, object]:
        """Return what the processes have seen of a source or a list, which is a `part` of what may be in trouble.

        It has `answered` so many seconds ago.
        """
        now = time.time()
        failures = [slip["failures"][part] for slip in slips if part in slip["failures"]]
        rows = [slip["rows"][name] for slip in slips if name in slip["rows"]]
        shown = {one.host: one for one in sorted(_shown(slips), key=lambda one: one.at) if one.source == name}
        at, kind, words = max(failures, default=(0.0, "", ""))
        failure = {
            "at": _local(at),
            "kind": kind,
            "words": self._mask(words),
            "answered_since": answered < now - at,
        }
        return {
            "failure": failure if failures else None,
            "rows": max(rows, key=lambda one: one[1] is not None, default=None),
            "certificates": [
                {
                    "host": one.host,
                    "ends": _local(one.ends),
                    "days": one.days_left(now),
                    "is_near": one.is_near(now),
                    "at": _local(one.at),
                }
                for _, one in sorted(shown.items())
            ],
        }

    def _report(self, guard: Guard) -> Iterator[Mapping[str, object]]:
        for line in guard.report()[:_MOST_LINES]:
            yield {"text": self._mask(line), "attention": isinstance(line, Attention)}


def _shown(slips: Sequence[Mapping[str, Any]]) -> list[ShownCertificate]:
    """Return the certificates that the processes have seen."""
    return [ShownCertificate(*one) for slip in slips for one in slip["certificates"]]


def _tls_of(config: ConnectorConfig) -> str:
    """Return `https` if a source is asked so, `unchecked` if whoever answers is believed, nothing if neither."""
    key = config.address_key if isinstance(config, HttpSettings) else "url"
    address = getattr(config, key, None)
    text = address.get_secret_value() if isinstance(address, SecretStr) else str(address or "")
    if not text.lower().startswith("https://"):
        return ""
    tls = getattr(config, "tls", None)
    return "https" if tls is None or tls.verify else "unchecked"


def _local(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")
