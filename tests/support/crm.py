"""A CRM for tests: a real HTTP server that answers JSON by path and records what it is asked."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import yaml

from bridge.sdk import Call, Deadline, Owner, PhoneNumber
from connectors.rest.config.config import RestConfig
from connectors.rest.connector import RestConnector
from tests.support.servers import Asked, HttpServer, Reply


@dataclass(frozen=True)
class Question:
    """A request as the CRM got it. `path` is as it came over the wire, without the query."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The body's form fields."""
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass(frozen=True)
class Says:
    """An answer that is not simply JSON with status 200."""

    body: object = None
    status: int = 200
    raw: bytes | None = None
    headers: tuple[tuple[str, str], ...] = field(default_factory=tuple)


Script = Any
"""What a path answers: JSON, `Says`, or a function of the `Question` that returns either."""


class Crm:
    """Answers each path (that behind `/api/`) by its script, 404 elsewhere. Used with `with`."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self.scripts = scripts
        self.elsewhere: Script = Says(status=404)
        self.asked: list[Question] = []
        self._server = HttpServer(self._reply)
        self.url = f"{self._server.url}/api"
        self.host = self._server.host

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, traceback)

    def script(self, said: Script) -> None:
        """Answer every path like this from now on, and forget what was asked."""
        self.scripts = {}
        self.elsewhere = said
        self.asked.clear()

    def _reply(self, asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        headers = {name.lower(): value for name, value in asked.headers.items()}
        query = parse_qsl(parts.query, keep_blank_values=True)
        question = Question(asked.method, parts.path, query, headers, asked.body)
        self.asked.append(question)
        said = self.scripts.get(parts.path.removeprefix("/api/"), self.elsewhere)
        said = said(question) if callable(said) else said
        if not isinstance(said, Says):
            said = Says(said)
        body = json.dumps(said.body).encode() if said.raw is None else said.raw
        return Reply(body, said.status, (("Content-Type", "application/json"), *said.headers))


def in_turn(*said: Script) -> Callable[[Question], Script]:
    """Return a script that gives the answers one after the other, the last one again and again."""
    left = list(said)
    return lambda _question: left.pop(0) if len(left) > 1 else left[0]


def config(text: str, base_url: str = "https://crm.example/api") -> RestConfig:
    """Read the settings of a rest connector from YAML."""
    return RestConfig.model_validate({"base_url": base_url, **yaml.safe_load(text)})


@dataclass
class Lookup:
    """What came of a lookup: the owners, and the lines of explanation."""

    owners: list[Owner]
    lines: list[str]


def lookup(crm: Crm, text: str, caller: str = "0901234567", hotline: str | None = None) -> Lookup:
    """Ask a connector with these settings once, explained. Raises SourceError."""
    lines: list[str] = []
    call = Call(PhoneNumber.parse(caller), PhoneNumber.parse(hotline) if hotline else None, lines.append)
    connector = RestConnector(config(text, crm.url))
    try:
        return Lookup(list(connector.find_owners(call, Deadline.after(5))), lines)
    finally:
        connector.close()


def owners(crm: Crm, text: str, caller: str = "0901234567", hotline: str | None = None) -> list[Owner]:
    """Return the owners that a connector with these settings finds, without explanation. Raises SourceError."""
    call = Call(PhoneNumber.parse(caller), PhoneNumber.parse(hotline) if hotline else None)
    connector = RestConnector(config(text, crm.url))
    try:
        return list(connector.find_owners(call, Deadline.after(5)))
    finally:
        connector.close()
