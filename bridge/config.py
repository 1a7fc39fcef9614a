"""The configuration: strict, typed, and wrong only with a place and a remedy.

`load_config` reads the file, fills in `${…}`, validates the core's sections here and each connector's section with the
connector's own model, and reports all problems at once.
"""

import os
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from bridge.connector import AnyConnector, ConnectorConfig
from bridge.document import Document, read_document
from bridge.errors import ConfigError, Problem
from bridge.interpolation import Interpolation
from bridge.redaction import Redaction, secrets_in
from bridge.registry import connector_class
from bridge.routes import RouteRule, read_routes
from bridge.sections import Phone, Route, Settings
from bridge.validation import problems_of

_CONNECTOR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """A connector as the configuration names it; equal to another if what is written is the same, `${…}` filled in."""

    name: str
    connector: type[AnyConnector]
    config: ConnectorConfig = field(compare=False)
    written: Mapping[str, object] = field(repr=False)
    region: str = "VN"


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that can be used. `secrets` are all values that no log and no explanation may show."""

    file: Path
    settings: Settings
    sources: Mapping[str, Source]
    routes: tuple[RouteRule, ...]
    secrets: frozenset[str]
    overrides: Mapping[str, object]

    @property
    def decisions_file(self) -> Path:
        """Where the last decisions are kept."""
        return self.settings.server.decisions.path or state_directory(self.file) / "decisions.sqlite"


def state_directory(file: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where files are kept whose place the configuration leaves open: what systemd says, else beside `file`.

    Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#RuntimeDirectory=
    """
    return Path(environment.get("STATE_DIRECTORY") or file.absolute().parent)


NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})
"""Nothing on the command line counts instead of what is written."""


def load_config(
    file: Path, environment: Mapping[str, str] = os.environ, overrides: Mapping[str, object] = NO_OVERRIDES
) -> Config:
    """Read and check `file`; raises ConfigError with every problem found.

    `overrides` are keys of the section `server` that count instead of what is written there.
    """
    interpolation = Interpolation(environment, file.absolute().parent)
    document = read_document(file, interpolation.fill)
    document.override("server", overrides)
    found: list[Problem] = []
    settings = _settings(document, found)
    region = (settings.phone if settings else Phone()).region
    sources = dict(_sources(document, region, found))
    routes = _routes(document, region, found)
    problems = _in_order([*document.problems, *found])
    if problems or settings is None:
        masked = Redaction(interpolation.secrets)
        raise ConfigError([replace(one, key=masked(one.key), message=masked(one.message)) for one in problems])
    secrets = {
        *interpolation.secrets,
        *secrets_in(settings),
        *secrets_in([source.config for source in sources.values()]),
    }
    return Config(file, settings, sources, routes, frozenset(filter(None, secrets)), overrides)


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    """Sort by place; of several at one place the first found is the cause of the others."""
    first: dict[tuple[int, int, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.line, problem.column, problem.key), problem)
    return [first[place] for place in sorted(first)]


def _settings(document: Document, problems: list[Problem]) -> Settings | None:
    try:
        return Settings.model_validate(document.data, context={"directory": document.directory})
    except ValidationError as error:
        problems += problems_of(error, Settings, document, ())
        return None


def _sources(document: Document, region: str, problems: list[Problem]) -> Iterator[tuple[str, Source]]:
    connectors = document.data.get("connectors") if isinstance(document.data, dict) else None
    for name, written in connectors.items() if isinstance(connectors, dict) else ():
        if not _CONNECTOR_NAME.fullmatch(name):
            message = "a connector's name has letters, digits, - and _"
            problems.append(document.problem(("connectors", name), message, at_key=True))
        if isinstance(written, dict):  # if it is not, the model of the whole file says so
            source = _source(document, region, name, written, problems)
            if source is not None:
                yield name, source


def _source(
    document: Document, region: str, name: str, written: Mapping[str, object], problems: list[Problem]
) -> Source | None:
    path = ("connectors", name)
    type_name = written.get("type")
    if not isinstance(type_name, str):
        message = "is missing: what kind of connector it is, such as csv or rest"
        problems.append(document.problem((*path, "type"), message))
        return None
    try:
        found = connector_class(type_name, document.directory)
    except ValueError as error:
        problems.append(document.problem((*path, "type"), str(error)))
        return None
    own = {key: value for key, value in written.items() if key != "type"}
    context = {"directory": document.directory, "region": region}
    try:
        config = found.Config.model_validate(own, context=context)
        _try_out(found, config)
    except ValidationError as error:
        problems += problems_of(error, found.Config, document, path)
        return None
    except BaseException as error:  # noqa: BLE001 - a stranger's code, which may even call sys.exit()
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        message = f"connector type {type_name} has a bug: {type(error).__name__} in {place}: {error}"
        problems.append(document.problem((*path, "type"), message))
        return None
    return Source(name, found, config, written, region)


def _try_out(connector: type[AnyConnector], config: ConnectorConfig) -> None:
    """Make a connector and throw it away: one that cannot be made is better known now than when it is needed."""
    made = connector(config)
    if getattr(made, "config", None) is not config:
        raise TypeError("__init__ has to call super().__init__(config)")
    if not isinstance(config.timeout, float) or not isinstance(config.max_in_flight, int):
        raise TypeError("its Config gives timeout or max_in_flight another meaning")


def _routes(document: Document, region: str, problems: list[Problem]) -> tuple[RouteRule, ...]:
    """Read the routes, if they are well-formed, even where the rest of the file is not."""
    written = document.data if isinstance(document.data, dict) else {}
    connectors = written.get("connectors")
    names = tuple(connectors) if isinstance(connectors, dict) else ()
    try:
        routes = TypeAdapter(list[Route]).validate_python(written.get("routes", []))
    except ValidationError:
        return ()  # the model of the whole file says why
    rules, found = read_routes(routes, names, region, document)
    problems += found
    return rules
