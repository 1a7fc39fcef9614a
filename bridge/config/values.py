"""What the core's sections of the configuration are made of: a section itself, and the kinds of values in it."""

import re
from datetime import date, datetime
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, WithJsonSchema

from bridge.config.cores import parse_workers
from bridge.config.moments import parse_moment
from bridge.sdk.meant_extensions import what_was_meant
from bridge.sdk.settings import Network, OneOrMore, Text, located, refuse_unfilled
from bridge.sdk.words import canonical

_BIND = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})", re.ASCII)
_LAST_PORT = 65535
_PATH = re.compile(r"/[A-Za-z0-9._~/-]*", re.ASCII)
_EXTENSION = re.compile(r"[0-9]+", re.ASCII)
_KEY = re.compile(r"[!-~]+")
OMICALL_WAITS = 2.0
"""Seconds that OMICall waits for an answer, from its first packet on."""

OWN_PAGES = frozenset(("/healthz", "/readyz", "/metrics"))
"""What is asked for without a key, by whoever watches the service."""
PURGE_PATH = "/owner_changed"
"""What a CRM tells that something has changed."""
_TAKEN = OWN_PAGES | {PURGE_PATH}
_SEVERAL_OWNERS = re.compile(r"@[^\s@]*[\s,;/|&]+[^\s@]+@")
_PREFIX = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)
_DATABASE = re.compile(r"(/[0-9]{0,5})?", re.ASCII)
_REDIS_OPTIONS = {"redis": set[str](), "rediss": {"ssl_ca_certs"}, "unix": {"db"}}
"""Of the options that redis-py reads from an address only these may stand in it: limits of time are ours.

Source: https://redis.readthedocs.io/en/stable/connections.html#redis.Redis.from_url
"""


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, and errors never repeat a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)


def is_this_machine(host: str) -> bool:
    """Tell whether what goes to this host never leaves the machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _bind(text: str) -> str:
    found = _BIND.fullmatch(text)
    if not found or not 0 < int(found["port"]) <= _LAST_PORT:
        raise ValueError("has to be HOST:PORT, such as 127.0.0.1:8080")
    return text


def _url_path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError("has to be a path that starts with '/', without '?', blanks or accents")
    if text.rstrip("/") in _TAKEN:
        raise ValueError(f"is a page of the service itself, as {', '.join(sorted(_TAKEN))} are: choose another path")
    return text


def _key(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    refuse_unfilled(text)
    if not text:
        raise ValueError("is empty: a key has at least two characters")
    if text != text.strip():
        raise ValueError("begins or ends with a blank or a line break, which belongs to no key: take it out")
    if not text.isascii():
        raise ValueError("holds a character that no header can carry, such as an accent or a curly quotation mark")
    if not _KEY.fullmatch(text):
        raise ValueError("holds a blank or a line break: a key is one word")
    if len(text) == 1:
        raise ValueError("is a single character, which anybody guesses: make a long one, with: openssl rand -hex 32")
    return secret


def _somebody(networks: list[Network]) -> list[Network]:
    if not networks:
        raise ValueError("names nobody, and nobody would be allowed: name networks, or leave it out to allow everybody")
    return networks


def _not_everybody(networks: list[Network]) -> list[Network]:
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("would trust everybody, who could then claim any address: name the proxies alone")
    return networks


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError("consists of letters, digits and . _ : -")
    return text


def _extension(text: str) -> str:
    if not _EXTENSION.fullmatch(text):
        meant = what_was_meant(text, lambda several: f"[{', '.join(several)}]")
        raise ValueError(f"an extension consists of digits{meant and f': {meant}'}")
    return text


def _one_owner(key: str) -> str:
    if _SEVERAL_OWNERS.search(key):
        raise ValueError("names several owners: write a line for each")
    return key


def _one_line_for_one_mailbox(entries: dict[str, list[str]]) -> dict[str, list[str]]:
    """Refuse what would ring at both places: `lan@…` and `LAN@…` are one person, ids of other capitals are not."""
    known: dict[str, list[str]] = {}
    for key, extensions in entries.items():
        if "@" in key and known.setdefault(canonical(key), extensions) != extensions:
            raise located((key,), "stands here twice, in other capitals and with another extension: keep one line")
    return entries


def _moment(value: object) -> date | datetime | object:
    return value if isinstance(value, date) else parse_moment(str(value))


def _redis_url(secret: SecretStr) -> SecretStr:
    try:
        url = urlsplit(secret.get_secret_value())
        complete: object = bool(url.hostname) and url.port != 0 and _DATABASE.fullmatch(url.path)
    except ValueError:  # no port is that
        raise ValueError("its port is no number") from None
    if url.scheme == "unix":
        complete = not url.netloc and url.path.startswith("/")
    if url.scheme not in _REDIS_OPTIONS or not complete or url.fragment:
        raise ValueError(
            "has to be redis://[USER:PASSWORD@]HOST[:PORT][/NUMBER], or rediss:// for TLS, or unix:///PATH"
        )
    if set(parse_qs(url.query, keep_blank_values=True)) - _REDIS_OPTIONS[url.scheme]:
        raise ValueError("knows one option only: ?ssl_ca_certs=FILE with rediss://, ?db=NUMBER with unix://")
    return secret


def _workers(value: object) -> object:
    if isinstance(value, str) and value != "auto" and not value.isdigit():
        raise ValueError("write how many processes there shall be, 1 to 64, or auto")
    return parse_workers(value)


Bind = Annotated[str, AfterValidator(_bind)]
"""An address and a port to listen on."""

Workers = Annotated[
    int,
    BeforeValidator(_workers),
    Field(ge=1, le=64),
    WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": 64}]}),
]
"""A number of processes, which may be written as auto."""

UrlPath = Annotated[str, AfterValidator(_url_path)]
"""The path of a page."""

ApiKey = Annotated[SecretStr, AfterValidator(_key)]
"""A key that a header can carry."""

Proxies = Annotated[list[Network], OneOrMore(), AfterValidator(_not_everybody)]
"""Networks of proxies whose word counts."""

KeyPrefix = Annotated[str, AfterValidator(_prefix)]
"""What every key in a Redis begins with."""

Allowed = Annotated[list[Network], OneOrMore(), AfterValidator(_somebody)]
"""Networks that requests may come from."""

ExtensionNumbers = Annotated[list[Annotated[str, AfterValidator(_extension)]], OneOrMore()]
"""The extensions of one owner, none for who has none on purpose."""

Moment = Annotated[
    date | datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "examples": ["2026-12-01", "01/12/2026", "2026-12-01 13:30"]}),
]
"""A day, or a day with a time, in the local time of the machine."""

InlineExtensions = Annotated[
    dict[Annotated[Text, AfterValidator(_one_owner)], ExtensionNumbers], AfterValidator(_one_line_for_one_mailbox)
]
"""Owners and their extensions, as they stand in the configuration itself."""

RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
"""Where a Redis or a Valkey is: `redis://`, `rediss://` (TLS) or `unix://`; it may hold a password."""
