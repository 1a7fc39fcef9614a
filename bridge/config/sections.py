"""The sections of the configuration as an admin writes them: every key of the core, its default and its meaning.

`alerts` and `extensions` have modules of their own.

The descriptions feed the JSON Schema, the error messages and a test that looks for every key in the documents.
"""

from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bridge.config.alerts import Alerts
from bridge.config.console import Console
from bridge.config.extensions import Extensions
from bridge.config.values import (
    OMICALL_WAITS,
    Allowed,
    ApiKey,
    Bind,
    ExtensionNumbers,
    KeyPrefix,
    Proxies,
    RedisUrl,
    Section,
    UrlPath,
    Workers,
)
from bridge.sdk.disk.own_file import DatabaseOf
from bridge.sdk.settings import (
    Duration,
    DurationOrNone,
    LocalPath,
    OneOrMore,
    Region,
    Text,
    Written,
    located,
    parse_network,
)

REMEMBERED, DECIDED, READ_AHEAD = 0x6F6D6962, 0x6F6D6964, 0x6F6D6973  # "omib", "omid", "omis"
"""What tells our databases from others': https://sqlite.org/pragma.html#pragma_application_id."""

FORGOTTEN_BEGINS = b'{"forgotten": '
"""How the file begins that says which callers were forgotten."""

PURGED_BEGINS = b"omi-bridge purges 1\n"
"""How the file begins that says what was purged."""

_LONGEST_UNASKED = 60.0
_SIDE_FILES = ("-wal", "-shm", "-journal")
_THIS_MACHINE = [parse_network("127.0.0.0/8"), parse_network("::1")]


def _each_has_a_name(written: object) -> object:
    if isinstance(written, list) or (isinstance(written, dict) and isinstance(written.get("type"), str)):
        raise ValueError(  # noqa: TRY004 - pydantic takes only ValueError for a complaint
            "each connector needs a name of your own, without a dash: 'crm:', and its keys below, indented"
        )
    return written


class Decisions(Section):
    """What is kept of the last calls, for `omi-bridge decisions`."""

    path: Annotated[LocalPath | None, Written(DatabaseOf(DECIDED), _SIDE_FILES)] = Field(
        default=None,
        description="The file; decisions.sqlite in $STATE_DIRECTORY, or beside the configuration, if left out.",
    )
    keep: int = Field(default=10_000, ge=1, le=10_000_000, description="How many calls are kept, the newest.")
    max_age: Duration = Field(default=7 * 86400.0, description="How long a call is kept.")
    callers: Literal["masked", "hashed", "full"] = Field(
        default="masked",
        description="How callers are written: their last three digits; these and a hash, for --caller; or whole.",
    )


class Server(Section):
    """How the service listens, and how long it may take."""

    bind: Bind = Field(default="127.0.0.1:8080", description="Address and port to listen on.")
    path: UrlPath = Field(default="/get_owner_contact_by_phone", description="Path of the endpoint that OMICall asks.")
    deadline: Duration = Field(
        default=1.8, lt=OMICALL_WAITS, description="Every answer leaves within this time. OMICall hangs up after 2 s."
    )
    hedge_after: Duration = Field(
        default=0.6,
        description="If a connector has not answered after this time, the next of the route is asked as well.",
    )
    workers: Workers = Field(
        default="auto",
        validate_default=True,
        description="Processes, or auto: as many as this machine has processors, four at most.",
    )
    threads: int = Field(default=64, ge=2, le=1000, description="Calls that one process serves at the same time.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important messages that are logged."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="One line of text, or one JSON object.")
    decisions: Decisions = Field(default=Decisions(), description="What is kept of the last calls.")
    trusted_proxies: Proxies = Field(
        default=_THIS_MACHINE, description="Where proxies stand whose word on a client's address counts."
    )
    allow: Allowed = Field(default=[], description="Networks that requests may come from. Every network, if left out.")


class Phone(Section):
    """How telephone numbers are read."""

    region: Region = Field(default="VN", description="Country of numbers that come without one.")


class Cache(Section):
    """How long an answer of a connector is remembered."""

    ttl: Duration = Field(default=600.0, description="How long the owners of a caller are remembered.")
    negative_ttl: Duration = Field(default=60.0, description="How long it is remembered that nobody owns a caller.")
    stale_ttl: Duration = Field(
        default=86400.0,
        description="How long past its ttl an owner is still used if the source fails or is late.",
    )
    stale_while_revalidate: DurationOrNone | None = Field(
        default=None,
        description="How long past its ttl an owner is told at once, while he is asked for again in the background; 0 "
        "turns it off. If left out: as long as ttl, 1m at most. Never longer than stale_ttl.",
    )
    refresh_ahead: Duration | None = Field(
        default=None,
        description="Who calls in this last part of the ttl is asked for again in the background; off if left out.",
    )
    max_entries: int = Field(
        default=100_000, ge=1, le=10_000_000, description="Callers remembered per connector; the oldest make room."
    )
    path: Annotated[LocalPath | None, Written(DatabaseOf(REMEMBERED), _SIDE_FILES)] = Field(
        default=None, description="A file in which owners are remembered through a restart; none if left out."
    )
    backend: Literal["memory", "redis"] = Field(
        default="memory", description="Whether each process remembers for itself, or all share it over a Redis."
    )
    url: RedisUrl | None = Field(
        default=None, description="The Redis or Valkey: redis://, rediss:// (TLS) or unix://; for `backend: redis`."
    )
    prefix: KeyPrefix = Field(default="omi-bridge", description="What every key in the Redis begins with.")

    @property
    def revalidating(self) -> float:
        """For how many seconds past its ttl an owner is told without waiting for the source."""
        written = self.stale_while_revalidate
        return min(min(self.ttl, _LONGEST_UNASKED) if written is None else written, self.stale_ttl)

    @model_validator(mode="after")
    def _has_what_the_backend_needs(self) -> Self:
        if self.backend == "memory" and self.url:
            raise ValueError("'url' is of no use without 'backend: redis'")
        if self.backend == "redis" and not self.url:
            raise ValueError("'backend: redis' needs 'url', such as redis://127.0.0.1:6379")
        if self.backend == "redis" and not all(map(find_spec, ("redis", "cryptography"))):
            raise ValueError(
                "'backend: redis' needs packages more: in the folder of omi-bridge: make install EXTRAS=redis "
                "(for a service: docs/deploy.md, step 2)"
            )
        return self


class Route(Section):
    """Which connectors answer for which hotlines."""

    hotlines: Annotated[list[Text], OneOrMore()] = Field(
        default=[], description="Numbers dialled, in any spelling. None: every hotline."
    )
    connectors: Annotated[list[Text], OneOrMore()] = Field(
        min_length=1, description="Names of connectors in order of priority."
    )


class KnownCustomer(Section):
    """A customer of whom is known who looks after them: what has to come when they call."""

    caller: Text = Field(description="The customer's number, as they call.")
    hotline: Text | None = Field(default=None, description="The number that they dial, if routes tell hotlines apart.")
    extensions: ExtensionNumbers | None = Field(
        default=None, description="The extensions that must come, in ringing order; [] if nobody must come."
    )
    owners: Annotated[list[Text], OneOrMore()] | None = Field(
        default=None, description="Instead: the owners that must come, by e-mail, id, login or name, in any order."
    )

    @model_validator(mode="after")
    def _says_what_must_come(self) -> Self:
        if (self.extensions is None) == (self.owners is None):
            raise ValueError(
                "has to say what must come: either extensions: [101], or owners: [lan@congty.example], "
                "or extensions: [] if nobody must come"
            )
        if self.owners == []:
            raise located(("owners",), "is empty: if nobody must come, write extensions: [] instead")
        return self


class Settings(Section):
    """The whole file as it is written; the connectors' own settings are checked by their own models."""

    api_keys: list[ApiKey] = Field(min_length=1, description="Keys that OMICall may present as X-API-KEY.")
    server: Server = Field(default=Server(), description="Listening and timing.")
    phone: Phone = Field(default=Phone(), description="Reading telephone numbers.")
    cache: Cache = Field(default=Cache(), description="Remembering answers.")
    connectors: Annotated[dict[str, dict[str, Any]], BeforeValidator(_each_has_a_name)] = Field(
        min_length=1, description="Sources of owners, each with a name."
    )
    routes: list[Route] = Field(default=[], description="Which connectors answer for which hotline.")
    extensions: Extensions = Field(default=Extensions(), description="Which extension belongs to which owner.")
    expect: list[KnownCustomer] = Field(
        default=[], description="Known customers and what must come when they call: check and reloads ask for them."
    )
    alerts: Alerts | None = Field(default=None, description="Who is told when something is wrong, and how.")
    purge_keys: Annotated[list[ApiKey], OneOrMore()] = Field(
        default=[],
        description="Keys with which a CRM may tell that an owner has changed: POST /owner_changed. Off if left out.",
    )
    console: Console | None = Field(default=None, description="The pages for admins: `omi-bridge console`.")

    @model_validator(mode="after")
    def _keeps_keys_apart(self) -> Self:
        for number, key in enumerate(self.purge_keys):
            if key in self.api_keys:
                told = "is OMICall's key as well: make one that the CRM alone gets, with: openssl rand -hex 32"
                raise located(("purge_keys", number), told)
        return self
