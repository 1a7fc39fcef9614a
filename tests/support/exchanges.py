"""What a recorded case expects to be asked and has answered, compared with what really comes over the wire."""

import json
import threading
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from tests.support.descriptions import Description
from tests.support.servers import Asked, Reply

_ABSENT = "nothing"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expect(_Part):
    """A request. Of `query` and `headers` only what is named is compared (null: must not be there); bodies wholly."""

    method: Literal["GET", "POST"]
    path: str
    host: str | None = None
    query: dict[str, Any] = {}
    headers: dict[str, str | None] = {}
    body: Any = Field(default=None, alias="json")
    form: dict[str, Any] | None = None


class Answer(_Part):
    """What is answered: JSON or a text."""

    status: int = 200
    headers: dict[str, str] = {}
    body: Any = Field(default=None, alias="json")
    text: str | None = None

    def reply(self) -> Reply:
        """Return it as the server sends it."""
        kind = "application/json" if self.text is None else "text/plain"
        empty = self.text is None and "body" not in self.model_fields_set
        text = "" if empty else json.dumps(self.body) if self.text is None else self.text
        return Reply(text.encode(), self.status, tuple({"Content-Type": kind, **self.headers}.items()))


class Exchange(_Part):
    """A request and its answer; `when` tells whether it belongs to the call or comes before it.

    `beside` says that it may come before the one that is written above it, because both are asked at the same time.
    """

    expect: Expect
    answer: Answer
    when: Literal["open", "call"] = "call"
    beside: bool = False


class Received:
    """A request as it came, the addresses of our servers in it turned back to those that they stand for."""

    def __init__(self, asked: Asked, host: str, there: Mapping[str, str]) -> None:
        self._there = there
        parts = urlsplit(asked.path)
        self.method = asked.method
        self.host = urlsplit(host).netloc
        self.path = unquote(parts.path)
        self.query = self._fields(parts.query)
        self.headers = {name.lower(): self._back(value) for name, value in asked.headers.items()}
        kind = self.headers.get("content-type", "")
        text = asked.body.decode()
        self.form = self._fields(text) if "form-urlencoded" in kind else None
        self.json = self._back(json.loads(text)) if text and self.form is None else None

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path}"

    def _fields(self, text: str) -> dict[str, Any]:
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            found.setdefault(name, []).append(self._back(value))
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

    def _back(self, data: Any) -> Any:
        if isinstance(data, str):
            for ours, theirs in self._there.items():
                data = data.replace(ours, theirs)
            return data
        if isinstance(data, dict):
            return {key: self._back(value) for key, value in data.items()}
        return [self._back(value) for value in data] if isinstance(data, list) else data

    def differences(self, expect: Expect) -> Iterator[str]:
        """Say in words where it is not what was expected."""
        for what, wanted, came in (
            ("method", expect.method, self.method),
            ("host", expect.host or self.host, self.host),
            ("path", expect.path, self.path),
            *((f"query.{name}", _texts(value), self.query.get(name)) for name, value in expect.query.items()),
            *((f"header {name}", value, self.headers.get(name.lower())) for name, value in expect.headers.items()),
            *([("json", expect.body, self.json)] if expect.body is not None else []),
            *([("form", {key: _texts(value) for key, value in expect.form.items()}, self.form)] if expect.form else []),
        ):
            if wanted != came:
                yield f"  {what}: expected {_shown(wanted)}\n  {what}:      got {_shown(came)}"


def _shown(value: object) -> str:
    return _ABSENT if value is None else json.dumps(value, ensure_ascii=False)


def _texts(value: object) -> Any:
    """Return a parameter as it is sent."""
    if isinstance(value, list):
        found = [_texts(item) for item in value]
        return found[0] if len(found) == 1 else found
    return value if value is None or isinstance(value, str) else json.dumps(value)


class Script:
    """Answers requests by the exchanges of a case and notes in `problems` what does not go by them."""

    def __init__(self, opening: list[Exchange], calling: list[Exchange], description: Description | None) -> None:
        self.problems: list[str] = []
        self._opening = opening
        self._unused = list(opening)
        self._calling = list(calling)
        self._is_open = False
        self._description = description
        self._lock = threading.Lock()

    def reply(self, received: Received) -> Reply:
        """Answer a request."""
        with self._lock:
            if self._description:
                self.problems += self._description.faults(received)
            exchange = self._exchange(received)
            return exchange.answer.reply() if exchange else Reply(b"unexpected", 500)

    def _exchange(self, received: Received) -> Exchange | None:
        for exchange in self._next() if self._is_open else ():
            if not list(received.differences(exchange.expect)):
                self._calling.remove(exchange)
                return exchange
        for exchange in [*self._unused, *self._opening]:
            if not list(received.differences(exchange.expect)):
                if exchange in self._unused:
                    self._unused.remove(exchange)
                return exchange
        expected = self._calling[:1] if self._is_open else self._unused
        told = [line for exchange in expected for line in received.differences(exchange.expect)]
        self.problems += [f"unexpected request: {received} {_shown(received.query)}", *told]
        return None

    def _next(self) -> list[Exchange]:
        """Return the exchanges of the call of which any may come now."""
        return self._calling[:1] + list(takewhile(lambda exchange: exchange.beside, self._calling[1:]))

    def opened(self) -> None:
        """Take what comes from now on for requests of the call."""
        with self._lock:
            self._is_open = True

    def ended(self) -> None:
        """Note what was never asked."""
        with self._lock:
            for exchange in [*self._unused, *self._calling]:
                self.problems.append(f"not asked: {exchange.expect.method} {exchange.expect.path}")
