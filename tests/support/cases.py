"""The recorded cases of a preset: what it has to ask, what is answered, whom it finds. Files: `tests/presets/*.yaml`.

A case is played through the real connector against a real server on this machine: every address of the completed
configuration is turned to a server of ours, one for each host, and what comes over the wire is turned back before it
is compared. Requests of the call come in order; those that are made at `open` come in any order, and may come again.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceError
from connectors.presets.connector import PresetConfig
from connectors.rest.connector import RestConnector
from tests.support.descriptions import Description
from tests.support.exchanges import Exchange, Received, Script
from tests.support.reading_ahead import owners_read_ahead
from tests.support.servers import HttpServer

_HOST = re.compile(r"https?://[^/]+")

NEEDED = (
    "found",
    "nobody",
    "no_owner",
    "two_owners",
    "owner_left",
    "authentication_failed",
    "too_many_requests",
    "pre_2018",
)
"""The cases that every preset has."""

SINCE = 1_700_000_000.0
"""The time that recorded requests for changes name, in seconds since 1970."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Case(_Part):
    """One call: `owners` are whom it finds, or `fails` is the reason of the error. `note` is for whoever reads it.

    `by` is what finds them: asking for the caller, reading all customers, or reading what has changed since `SINCE`.
    """

    caller: str
    hotline: str | None = None
    settings: dict[str, Any] = {}
    open: list[Exchange] | None = None
    exchanges: list[Exchange] = []
    owners: list[Annotated[Owner, BeforeValidator(lambda written: Owner(**written))]] | None = None
    fails: Literal["rejected", "unavailable", "unexpected-answer"] | None = None
    by: Literal["call", "list", "changes"] = "call"
    note: str = ""


class Cases(_Part):
    """A file of cases. `settings` are what an admin would write, `open` is asked before each call."""

    source: str = Field(min_length=10)
    settings: dict[str, Any]
    open: list[Exchange] = []
    cases: dict[str, Case]


@cache
def read_cases(file: Path) -> Cases:
    """Read a file of cases."""
    return Cases.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


def play(connector: type[RestConnector], cases: Cases, name: str, description: Description | None) -> list[str]:
    """Play a case and return what went otherwise than it says, in words."""
    case = cases.cases[name]
    early = [one for one in case.exchanges if one.when == "open"]
    opening = early or (cases.open if case.open is None else case.open)
    script = Script(opening, [one for one in case.exchanges if one.when == "call"], description)
    assert issubclass(connector.Config, PresetConfig)
    snapshot: dict[str, Any] = {} if case.by == "call" else {"snapshot": {"every": "10m"}}
    whole = connector.Config.preset.complete({**cases.settings, **case.settings, **snapshot})
    with ExitStack() as servers:
        there: dict[str, str] = {}
        for host in sorted(set(hosts_of(whole))):
            server = servers.enter_context(HttpServer(lambda asked, at=host: script.reply(Received(asked, at, there))))
            there[server.url] = host
        here = {host: url for url, host in there.items()}
        made = connector(connector.Config.model_validate(turned(whole, here)))
        try:
            found = _asked(made, case, script)
        finally:
            made.close()
    expected = case.fails or case.owners
    problems = [] if found == expected else [f"expected {expected}, got {found}"]
    return [*script.problems, *problems, *_other_records(found, case)]


def _other_records(found: list[Owner] | str, case: Case) -> list[str]:
    """Say which owners stand in other records than the case says, where it says so."""
    pairs = zip(found if isinstance(found, list) else (), case.owners or (), strict=False)
    told = [(one.record, expected.record) for one, expected in pairs if expected.record]
    return [f"expected the record {expected}, got {got}" for got, expected in told if got != expected]


def _asked(connector: RestConnector, case: Case, script: Script) -> list[Owner] | str:
    lines: list[str] = []
    try:
        connector.open()
        script.opened()
        owners = _owners(connector, case, lines)
    except SourceError as error:
        lines.append(str(error))
        script.opened()
        return _ended(error.reason, case, script, lines)
    return _ended(owners, case, script, lines)


def _owners(connector: RestConnector, case: Case, lines: list[str]) -> list[Owner]:
    caller, hotline = PhoneNumber.parse(case.caller), PhoneNumber.parse(case.hotline) if case.hotline else None
    if case.by == "call":
        return list(connector.find_owners(Call(caller, hotline, lines.append), Deadline.after(5)))
    return owners_read_ahead(connector, caller, SINCE if case.by == "changes" else None) or []


def _ended(found: list[Owner] | str, case: Case, script: Script, lines: list[str]) -> list[Owner] | str:
    script.ended()
    if script.problems or found != (case.fails or case.owners):
        script.problems += ["what the connector says:", *lines]
    return found


def hosts_of(data: object) -> Iterator[str]:
    """Find every host in the texts of the configuration."""
    if isinstance(data, str):
        yield from _HOST.findall(data)
    elif isinstance(data, (dict, list)):
        for value in data.values() if isinstance(data, dict) else data:
            yield from hosts_of(value)


def turned(data: Any, hosts: dict[str, str]) -> Any:
    """Return the configuration with every address turned to a server of ours."""
    if isinstance(data, str):
        return _HOST.sub(lambda found: hosts[found[0]], data)
    if isinstance(data, dict):
        return {key: turned(value, hosts) for key, value in data.items()}
    if isinstance(data, list):
        return [turned(value, hosts) for value in data]
    return data
