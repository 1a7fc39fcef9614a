"""The section `alerts` as an admin writes it: who is told when something is wrong, and how.

What would only fail at the first alarm, at 3 in the morning, is refused here: an address that is none, a password that
would go in the clear, a word in the body that stands for nothing.
"""

import re
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator

from bridge.config.values import Section, is_this_machine
from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.http.address import origin
from bridge.sdk.http.client import Tls
from bridge.sdk.secrets import Credential, HeaderCredential, Password
from bridge.sdk.settings import Duration, LocalPath, OneOrMore, Text

PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
"""Where something of the message is put into a webhook's `body`."""

WORDS = ("id", "status", "subject", "text", "host", "at")
"""What may stand in a placeholder: fields of the message as the documented JSON has them."""

_HEADER = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9a-fA-F:.]+\]?", re.ASCII)
_SEVERAL = re.compile(r'@[^"]*[,;]')
_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_IMPLICIT = 465


def _address(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError("has to be a complete address that begins with https://")
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ValueError("holds a password before the host's name: a webhook takes it in 'headers', as Authorization")
    try:
        origin(url)
    except UnexpectedAnswer:
        raise ValueError(
            "has to be a complete address, such as https://chat.example/hooks/1, without blanks, # and steps '..'"
        ) from None
    return secret


def _header_names(written: object) -> object:
    if isinstance(written, dict) and not all(_HEADER.fullmatch(str(name)) for name in written):
        raise ValueError(
            'a name of a header has letters, digits and -: write Authorization: "Bearer ${ALERT_TOKEN}", with a blank '
            "after the colon"
        )
    return written


def _mailbox(text: str) -> str:
    if _SEVERAL.search(text):
        raise ValueError("names several addresses: write one an entry, as in [it@congty.example, lan@congty.example]")
    _, address = parseaddr(text)
    user, at, host = address.rpartition("@")
    if not (user and at and host) or any(character in "\r\n" for character in text) or " " in address:
        raise ValueError("has to be an e-mail address, such as it@congty.example or IT <it@congty.example>")
    if not address.isascii():
        raise ValueError("holds a letter with an accent within the address: write it without, a domain as xn--…")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("has to be the name of a mail server alone, such as smtp.gmail.com: its port is 'port'")
    return text.strip("[]")


def _template(body: dict[str, Any]) -> dict[str, Any]:
    for text in _texts(body):
        for word in PLACEHOLDER.findall(text):
            if word not in WORDS:
                raise ValueError(f"'{{{{ {word} }}}}' stands for nothing: known here: {', '.join(WORDS)}")
    if not any(PLACEHOLDER.search(text) for text in _texts(body)):
        raise ValueError("tells nothing of what is wrong: put {{ text }} where the message has to stand")
    return body


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, Mapping)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


SecretUrl = Annotated[
    Credential,
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "examples": ["https://chat.example/hooks/1"]}),
]
"""An address that is as secret as a password: whoever knows it may use it."""

Mailbox = Annotated[str, AfterValidator(_mailbox)]
"""An e-mail address, with a name before it or without."""


class Webhook(Section):
    """A message goes to an address as JSON."""

    url: SecretUrl = Field(description="Where the message is sent, with POST.")
    headers: Annotated[dict[str, HeaderCredential], BeforeValidator(_header_names)] = Field(
        default={}, description="Headers that are sent with it, such as Authorization."
    )
    body: Annotated[dict[str, Any], AfterValidator(_template)] | None = Field(
        default=None, description="What is sent instead of the usual JSON, with {{ text }} where the message stands."
    )
    tls: Tls = Field(default=Tls(), description="Whom to trust over https: ca_file, verify.")


class Email(Section):
    """A message goes to mailboxes over SMTP."""

    host: Annotated[Text, AfterValidator(_host)] = Field(description="The mail server, such as smtp.gmail.com.")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="Its port; 587 with starttls, 465 with implicit, 25 with none."
    )
    tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls", description="How the connection is encrypted: after a word, from its start, or not at all."
    )
    ca_file: LocalPath | None = Field(
        default=None, description="Certificates (PEM) of the authorities to trust instead of the usual ones."
    )
    user: Text | None = Field(default=None, description="The user's name; nobody signs in if it is left out.")
    password: Password | None = Field(default=None, description="The password, or an app password.")
    sender: Mailbox = Field(alias="from", description="Who sends it.")
    to: Annotated[list[Mailbox], OneOrMore()] = Field(min_length=1, max_length=50, description="Who gets it.")

    @property
    def port_in_use(self) -> int:
        """The port, also where none is written."""
        return self.port or _PORTS[self.tls]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("'user' and 'password' belong together: write both, or none")
        if self.tls == "none" and self.password and not is_this_machine(self.host):
            raise ValueError("'tls: none' would send the password in the clear: write starttls or implicit")
        if self.tls == "starttls" and self.port == _IMPLICIT:
            raise ValueError(f"port {_IMPLICIT} is encrypted from the start: write 'tls: implicit'")
        return self


class Ping(Section):
    """A sign of life goes to whoever raises the alarm when it is missing."""

    url: SecretUrl = Field(description="The address that is asked, as healthchecks.io gives it.")
    every: Duration = Field(default=60.0, ge=10.0, description="How often.")
    tls: Tls = Field(default=Tls(), description="Whom to trust over https: ca_file, verify.")

    @model_validator(mode="after")
    def _is_the_bare_address(self) -> Self:
        path = self.url.get_secret_value().partition("?")[0].rstrip("/")
        if path.endswith(("/fail", "/start", "/log")):
            raise ValueError("'url' has to be the bare address: /fail is added by itself when something is wrong")
        return self


class Alerts(Section):
    """Who is told when something is wrong, and how."""

    patience: Duration = Field(
        default=60.0, alias="for", description="How long something has to be wrong before anybody is told."
    )
    webhook: Webhook | None = Field(default=None, description="A message as JSON to an address.")
    email: Email | None = Field(default=None, description="A message by e-mail.")
    ping: Ping | None = Field(default=None, description="A sign of life, whose absence raises the alarm elsewhere.")

    @model_validator(mode="after")
    def _tells_somebody(self) -> Self:
        if not (self.webhook or self.email or self.ping):
            raise ValueError("tells nobody: write webhook, email or ping, or leave it out")
        return self
