"""How a message gets out over HTTP, to a webhook; e-mail is in `mail`, the sign of life in `ping`.

Each way of sending takes a message and a deadline, which holds for all of it. What does not arrive raises NotSent, in
words that say what to do; nobody else's error leaves this room.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from bridge.alerts.message import Message
from bridge.config.alerts import PLACEHOLDER, Webhook
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import BridgeError, SourceError
from bridge.sdk.http import HttpClient, HttpSettings, Request, Response, Tls, refuse_failure

LIMIT = 30.0
"""Seconds that sending may take altogether. Mail servers let a stranger wait for long before they greet him."""

_SHOWN = 200
_LARGEST_ANSWER = 100_000


class NotSent(BridgeError):
    """A message did not get out. The message says why and what to do; it holds no secret."""


class Receipt(NamedTuple):
    """What came back. `problem` says what of it still needs somebody, though the message is out."""

    told: str
    problem: str = ""


class Channel(Protocol):
    """A way to send messages."""

    def send(self, message: Message, deadline: Deadline) -> Receipt:
        """Send it. Raises NotSent."""


class AlertMeter(Protocol):
    """Counts what becomes of messages and pings, by channel."""

    def alert_sent(self, channel: str) -> None:
        """Count one that is out."""

    def alert_failed(self, channel: str) -> None:
        """Count an attempt that failed."""

    def alerts_waiting(self, channel: str, count: int) -> None:
        """Say how many are still to be sent."""


class NoMeter:
    """Counts nothing."""

    def alert_sent(self, channel: str) -> None:
        """Count nothing."""

    alert_failed = alert_sent

    def alerts_waiting(self, channel: str, count: int) -> None:
        """Say nothing."""


def one_line(said: bytes) -> str:
    """Return the beginning of what a server says, as it may stand in a log."""
    text = " ".join(said[: 4 * _SHOWN].decode("utf-8", "replace").split())
    return "".join(character if character.isprintable() else " " for character in text)[:_SHOWN]


class _AlertHttp(HttpSettings):
    """The settings of an HTTP client for alerts."""

    address_key = "url"


class WebhookChannel:
    """Posts messages as JSON."""

    def __init__(self, settings: Webhook) -> None:
        self._settings = settings

    def send(self, message: Message, deadline: Deadline) -> Receipt:
        """Send it. Raises NotSent."""
        content = message.as_json()
        body = content if self._settings.body is None else _filled(self._settings.body, content)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        headers |= {name: value.get_secret_value() for name, value in self._settings.headers.items()}
        request = Request(
            "POST",
            self._settings.url.get_secret_value(),
            headers=headers,
            body=json.dumps(body, ensure_ascii=False).encode(),
        )
        response = exchange(request, self._settings.tls, deadline)
        if said := _refusal(response):
            raise NotSent(f"{response.host} answered {response.status}, but refuses: {said}")
        return Receipt(f"{response.host} answered {response.status}")


def exchange(request: Request, tls: Tls, deadline: Deadline) -> Response:
    """Send the request, and return an answer that is none of failure. Raises NotSent."""
    client = HttpClient(_AlertHttp(tls=tls, max_response_size=_LARGEST_ANSWER))
    try:
        response = client.send(request, deadline)
        refuse_failure(response, allowed=range(400, 500))
    except SourceError as error:
        raise NotSent(str(error)) from None
    finally:
        client.close()
    if response.status >= 400:  # noqa: PLR2004 - RFC 9110, section 15.5
        raise NotSent(f"{response.host} answered {response.status}: {_advice(response)}")
    return response


def _advice(response: Response) -> str:
    match response.status:
        case 401 | 403 | 407:
            advice = "is the token right, in 'url' or 'headers'?"
        case 404 | 405 | 410:
            advice = "is 'url' right, and does what it names still exist?"
        case 408 | 425 | 429:
            advice = "too many messages just now"
        case _:
            advice = "does the receiver take this JSON? 'body' says what it gets"
    said = one_line(response.body)
    shown = said if said and not said.startswith("<") else ""
    return f"{advice}{f' It says: {shown}' if shown else ''}"


def _refusal(response: Response) -> str:
    """Return what a receiver says that refuses with a good status, as several chats do."""
    try:
        said = json.loads(response.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    refused = said.get("ok") is False or said.get("success") is False
    refused = refused or any(said.get(name) not in (None, False, 0, "", "0", {}, []) for name in ("error", "errcode"))
    return one_line(response.body) if refused else ""


def _filled(template: Any, content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Put the message into what the admin wrote, text by text, so that no sign of it can break the JSON."""
    if isinstance(template, str):
        return PLACEHOLDER.sub(lambda found: str(content[found[1]]), template)
    if isinstance(template, Mapping):
        return {key: _filled(value, content) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, content) for value in template]
    return template
