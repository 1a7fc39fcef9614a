"""The configuration: strict, typed, and wrong only with a place and a remedy.

`load_config` reads the file, fills in `${…}`, validates the core's sections here and those of each connector and each
source of extensions with its own model, and reports all problems at once.
"""

import os
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bridge.config.content import Content, ContentReader
from bridge.config.error_messages import problems_of
from bridge.config.expectations import Expectation, read_expectations
from bridge.config.extensions import FILE_LISTS, Extensions, is_an_owner
from bridge.config.interpolation import Interpolation
from bridge.config.plugins import connector_class, extension_class
from bridge.config.routes import RouteRule, read_routes
from bridge.config.sections import FORGOTTEN_BEGINS, PURGED_BEGINS, Decisions, Phone, Route, Settings
from bridge.config.written_files import FileNames
from bridge.config.yaml_document import Document, KeyPath, read_document
from bridge.sdk.connector import AnyConnector, ConnectorConfig
from bridge.sdk.disk.own_file import Beginning
from bridge.sdk.errors import ConfigError, Problem
from bridge.sdk.extension_source import AnyExtensionSource, ExtensionSourceConfig
from bridge.sdk.secrets import Redaction, secrets_in
from bridge.sdk.settings import Written, located, state_file
from bridge.sdk.threads.limit import CONSTRUCTOR_PATIENCE, Hangs, within
from bridge.sdk.words import fold

_Plugin = type[AnyConnector] | type[AnyExtensionSource]

_SETTINGS_PATIENCE = 10.0
_CANNOT_LIST = (
    "this connector cannot list its customers: leave it out, or say how they are listed: with rest by 'list', with sql "
    "by 'list_query'; one that tells hotlines apart has no snapshot"
)
_CONNECTOR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ConfiguredConnector:
    """A connector as the configuration names it; equal to another if what is written is the same, `${…}` filled in."""

    name: str
    connector: type[AnyConnector]
    config: ConnectorConfig = field(compare=False)
    written: Mapping[str, object] = field(repr=False)
    region: str = "VN"
    waits_in: str = field(default="", compare=False)
    """Where its constructor waited when it was tried: a source that hangs is no reason to refuse the file."""


@dataclass(frozen=True, slots=True)
class ConfiguredList:
    """A source of extensions as the configuration names it; equal to another if what is written is the same."""

    name: str
    source: type[AnyExtensionSource]
    config: ExtensionSourceConfig = field(compare=False)
    written: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that can be used. `secrets` are all values that no log and no explanation may show."""

    file: Path
    settings: Settings
    sources: Mapping[str, ConfiguredConnector]
    lists: tuple[ConfiguredList, ...]
    routes: tuple[RouteRule, ...]
    secrets: frozenset[str]
    overrides: Mapping[str, object]
    content: Content = field(repr=False)
    expectations: tuple[Expectation, ...] = ()

    @property
    def decisions_file(self) -> Path:
        """Where the last decisions are kept."""
        return self.settings.server.decisions.path or _decisions_file(self.file)

    @property
    def alerts_file(self) -> Path:
        """Where is kept what was told, so that a restart does not tell it again."""
        return self.file.absolute().parent / state_file("alerts.json")

    @property
    def lists_folder(self) -> Path:
        """Where is kept what lists were when they were last good, and which of them are doubted."""
        return _lists_folder(self.file)

    @property
    def snapshots_folder(self) -> Path:
        """Where the customers are kept that were read ahead."""
        return _snapshots_folder(self.file)

    @property
    def forgotten_file(self) -> Path:
        """Where stands which callers were forgotten, for all processes."""
        return _forgotten_file(self.file)

    @property
    def purged_file(self) -> Path:
        """Where stands what a CRM has had forgotten, for the next start."""
        return _purged_file(self.file)


def _decisions_file(file: Path) -> Path:
    return file.absolute().parent / state_file("decisions.sqlite")


def _lists_folder(file: Path) -> Path:
    return file.absolute().parent / state_file("last-good")


def _snapshots_folder(file: Path) -> Path:
    return file.absolute().parent / state_file("snapshots")


def _forgotten_file(file: Path) -> Path:
    return file.absolute().parent / state_file("forgotten.json")


def _purged_file(file: Path) -> Path:
    return file.absolute().parent / state_file("purged")


NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})
"""Nothing on the command line counts instead of what is written."""


def load_config(
    file: Path,
    environment: Mapping[str, str] = os.environ,
    overrides: Mapping[str, object] = NO_OVERRIDES,
    content: Content | None = None,
) -> Config:
    """Read and check `file`; raises ConfigError with every problem found.

    `overrides` are keys of the section `server` that count instead of what is written there. If a `content` is given,
    that is what counts as read.
    """
    reader = ContentReader(file, environment, content)
    interpolation = Interpolation(reader)
    document = read_document(file, interpolation.fill, reader.document)
    document.override("server", overrides)
    found: list[Problem] = []
    settings = _settings(document, found)
    region = (settings.phone if settings else Phone()).region
    reading = _PluginReader(document, region, found)
    sources = dict(reading.sources())
    lists = tuple(reading.lists())
    routes = reading.routes()
    expectations, wrong = read_expectations(document, region)
    found += wrong
    if settings and not (document.problems or found):
        names = _files_named(document, file, settings, reader)
        for key, plugin in [(("connectors", name), source) for name, source in sources.items()]:
            names.of(plugin.config, key)
        for one in lists:
            names.of(one.config, ("extensions", one.name))
        names.kept_of(
            [*sources, *FILE_LISTS, *(f"extensions.{one.name}" for one in lists)],
            _lists_folder(file),
        )
        for name in [name for name, source in sources.items() if source.config.snapshot]:
            names.snapshot_of(name, _snapshots_folder(file))
        found += names.problems()
    problems = _in_order([*document.problems, *found])
    if problems or settings is None:
        masked = Redaction(interpolation.secrets)
        raise ConfigError([replace(one, key=masked(one.key), message=masked(one.message)) for one in problems])
    secrets = {
        *interpolation.secrets,
        *secrets_in(settings),
        *secrets_in([source.config for source in sources.values()]),
        *secrets_in([source.config for source in lists]),
    }
    return Config(
        file,
        settings,
        sources,
        lists,
        routes,
        frozenset(filter(None, secrets)),
        overrides,
        reader.content,
        expectations,
    )


def load_again(in_force: Config, variables: Mapping[str, str] = MappingProxyType({})) -> Config:
    """Read what stands in the file of a configuration by now, as a reload does; `variables` count first.

    Raises ConfigError with every problem found.
    """
    environment = {**os.environ, **in_force.content.variables, **variables}
    return load_config(in_force.file, environment, in_force.overrides)


def _files_named(document: Document, file: Path, settings: Settings, reader: ContentReader) -> FileNames:
    """Return the files of the core's own sections, and those that the configuration is read from."""
    names = FileNames(document)
    names.read(file, "the configuration itself")
    for name in reader.content.files:
        names.read(reader.directory / name, "the file of a secret")
    if settings.server.decisions.path is None:
        how = next(mark for mark in Decisions.model_fields["path"].metadata if isinstance(mark, Written))
        names.written(_decisions_file(file), ("server", "decisions", "path"), "the file of decisions", how)
    how = Written(Beginning(FORGOTTEN_BEGINS), beside=(".lock",))
    names.written(_forgotten_file(file), (), "the file of who was forgotten", how)
    names.written(_purged_file(file), (), "the file of what was purged", Written(Beginning(PURGED_BEGINS)))
    names.of(settings, ())
    return names


def with_threads(config: Config, threads: int) -> Config:
    """Return the configuration for a process that got so many threads, whatever is written, now and after a reload."""
    server = config.settings.server
    if threads == server.threads:
        return config
    settings = config.settings.model_copy(update={"server": server.model_copy(update={"threads": threads})})
    return replace(config, settings=settings, overrides={**config.overrides, "threads": threads})


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


@dataclass(frozen=True, slots=True)
class _PluginReader:
    """What strangers' models say about their parts of the document; what is wrong goes to `problems`."""

    document: Document
    region: str
    problems: list[Problem]

    def sources(self) -> Iterator[tuple[str, ConfiguredConnector]]:
        """Give the connectors that can be used."""
        for name, written in self._section("connectors").items():
            if not _CONNECTOR_NAME.fullmatch(name):
                told = f"a connector's name has letters without accents, digits, - and _{_plainly(name)}"
                self._wrong(("connectors", name), told, at_key=True)
            if isinstance(written, dict):  # if it is not, the model of the whole file says so
                source = self._source(name, written)
                if source is not None:
                    yield name, source

    def lists(self) -> Iterator[ConfiguredList]:
        """Give the sources of extensions that can be used."""
        own = tuple(Extensions.model_fields)
        for name, written in self._section("extensions").items():
            if name in own or is_an_owner(name, written):  # of which the model of the whole file tells
                continue
            path = ("extensions", name)
            try:
                found = extension_class(name, own)
            except ValueError as error:
                self._wrong(path, str(error), at_key=True)
                continue
            if tried := self._tried(found, written, path, f"source of extensions {name}"):
                yield ConfiguredList(name, found, tried.config, written)

    def routes(self) -> tuple[RouteRule, ...]:
        """Read the routes, if they are well-formed, even where the rest of the file is not."""
        written = self.document.data.get("routes", []) if isinstance(self.document.data, dict) else []
        try:
            routes = TypeAdapter(list[Route]).validate_python(written)
        except ValidationError:
            return ()  # the model of the whole file says why
        rules, found = read_routes(routes, tuple(self._section("connectors")), self.region, self.document)
        self.problems.extend(found)
        return rules

    def _source(self, name: str, written: Mapping[str, object]) -> ConfiguredConnector | None:
        path = ("connectors", name)
        type_name = written.get("type")
        if not isinstance(type_name, str):
            self._wrong((*path, "type"), "is missing: what kind of connector it is, such as csv or rest")
            return None
        try:
            found = connector_class(type_name, self.document.directory)
        except ValueError as error:
            self._wrong((*path, "type"), str(error))
            return None
        own = {key: value for key, value in written.items() if key != "type"}
        tried = self._tried(found, own, path, f"connector type {type_name}")
        if tried is None:
            return None
        return ConfiguredConnector(name, found, tried.config, written, self.region, tried.waits_in)

    def _tried(self, kind: _Plugin, written: object, path: KeyPath, what: str) -> "_Tried | None":
        """Return the settings as the plug-in's own model reads them, None if something is wrong with them or with it.

        One is made and thrown away: one that cannot be made is better known now than when it is needed.
        """
        at = (*path, "type") if self.document.holds((*path, "type")) else path
        try:
            context = {"directory": self.document.directory, "region": self.region}
            config = within(
                _SETTINGS_PATIENCE, "open-settings", lambda: kind.Config.model_validate(written, context=context)
            )
            _numbers_are_numbers(config)
            return _Tried(config, _trial(kind, config))
        except ValidationError as error:
            self.problems.extend(problems_of(error, kind.Config, self.document, path))
        except Hangs as hang:
            self._wrong(at, f"{what} has a bug: its Config waits for more than {_SETTINGS_PATIENCE:g} s in {hang}")
        except BaseException as error:  # noqa: BLE001 - a stranger's code, which may even call sys.exit()
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            self._wrong(at, f"{what} has a bug: {type(error).__name__} in {place}: {error}")
        return None

    def _section(self, name: str) -> Mapping[str, Any]:
        written = self.document.data.get(name) if isinstance(self.document.data, dict) else None
        return written if isinstance(written, dict) else {}

    def _wrong(self, path: KeyPath, message: str, *, at_key: bool = False) -> None:
        self.problems.append(self.document.problem(path, message, at_key=at_key))


@dataclass(frozen=True, slots=True)
class _Tried:
    """The settings of a plug-in that can be made, and where its constructor waits, if it does."""

    config: Any
    waits_in: str


def _plainly(name: str) -> str:
    """Return what to call a connector instead of `name`, or nothing."""
    plain = "-".join(fold(name).split())
    return f": write {plain}" if _CONNECTOR_NAME.fullmatch(plain) else ""


def _trial(kind: _Plugin, config: Any) -> str:  # noqa: ANN401 - the plug-in's own
    """Make one; return where its constructor waits, if it does. Raises TypeError if it leaves out its part."""
    try:
        made: object = within(CONSTRUCTOR_PATIENCE, "open-trial", lambda: kind(config))
    except Hangs as hang:
        return str(hang)
    if getattr(made, "config", None) is not config:
        raise TypeError("__init__ has to call super().__init__(config)")
    if getattr(config, "snapshot", None) is not None and not getattr(made, "lists_customers", False):
        raise located(("snapshot",), _CANNOT_LIST)
    return ""


def _numbers_are_numbers(config: ConnectorConfig | ExtensionSourceConfig) -> None:
    """Raise TypeError if a subclass has made something else of a setting that the core relies on."""
    names = ("timeout", "max_in_flight") if isinstance(config, ConnectorConfig) else ("timeout", "refresh")
    if not all(type(getattr(config, name)) in (float, int) for name in names):
        raise TypeError(f"its Config gives {' or '.join(names)} another meaning")
