"""A CRM made for tests: real HTTP on a socket of this machine, which answers well until it is told to misbehave."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from bridge.sdk.phone.number import PhoneNumber
from bridge.testing.scripted_server import Connection, ScriptedServer
from bridge.testing.scripted_server import answer as written

_BETWEEN_TEXTS = re.compile(r"[\[\]{}<>\"',;:&=\r\n]+")
"""Stands between the numbers of a list, and in none of them."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as the CRM received it. `path` is decoded, the names of `headers` are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    raw: bytes = field(repr=False)

    @classmethod
    def read(cls, raw: bytes) -> "ReceivedRequest":
        """Take a request apart."""
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, *_ = [*first.split(" "), "", ""]
        parts = urlsplit(target)
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method, unquote_plus(parts.path), query, headers, body, raw)

    def names(self, number: PhoneNumber) -> bool:
        """Tell whether the number stands somewhere in the request, in whatever spelling."""
        texts = _BETWEEN_TEXTS.split(unquote_plus(self.raw.decode("latin-1")))
        digits = [re.sub("[^0-9]", "", text) for text in texts]
        return any(form.removeprefix("+") in one for one in digits for form in number.forms)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not simply JSON with the status 200. Without `body` it is `json`."""

    status: int = 200
    json: object = None
    body: bytes | None = None
    headers: tuple[str, ...] = ("Content-Type: application/json",)

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return json.dumps(self.json).encode() if self.body is None else self.body


Script = Callable[[Connection, ReceivedRequest], object]
"""What the CRM does about one request."""


def reply_of(said: object) -> Reply:
    """Return a reply: the one that was given, or the given JSON."""
    return said if isinstance(said, Reply) else Reply(json=said)


class FakeCrm:
    """Answers each request by `answer`, which returns JSON or a `Reply`. Used with `with`."""

    def __init__(self, answer: Callable[[ReceivedRequest], object], port: int = 0) -> None:
        self.asked: list[ReceivedRequest] = []
        self.script: Script = self.answer
        """What is done about each request from now on."""
        self._answer = answer
        self._server = ScriptedServer(self._serve, port=port)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, traceback)

    def reply(self, request: ReceivedRequest) -> Reply:
        """Return what a healthy CRM answers."""
        return reply_of(self._answer(request))

    def answer(self, connection: Connection, request: ReceivedRequest) -> None:
        """Answer as a healthy CRM does."""
        send(connection, self.reply(request))

    def misbehaving(self, script: Script, *, first: int = 0, last: int | None = None) -> Script:
        """Return a script that follows another from the request number `first` on, whenever the same path is asked.

        Counted from 0 and from now, up to number `last` if that is given. Other paths go on to be answered well, such
        as that of new tokens.
        """
        numbers = count()
        paths: list[str] = []

        def chosen(connection: Connection, request: ReceivedRequest) -> None:
            number = next(numbers)
            if number == first:
                paths.append(request.path)
            wrong = request.path in paths and (last is None or number <= last)
            (script if wrong else self.answer)(connection, request)

        return chosen

    def _serve(self, connection: Connection) -> None:
        while raw := connection.read_request():
            request = ReceivedRequest.read(raw)
            self.asked.append(request)
            self.script(connection, request)


def sending(said: object) -> Script:
    """Return a script: this is the answer, a `Reply` or JSON, or what a function of the request makes of it."""
    return lambda connection, request: send(connection, reply_of(said(request) if callable(said) else said))


def send(connection: Connection, reply: Reply) -> None:
    """Send a whole answer."""
    connection.send(written(reply.content, f"{reply.status} Status", reply.headers))
