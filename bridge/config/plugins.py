"""Types of connectors and of sources of extensions: from a name in the configuration to the class that does the work.

A short name is looked for among the entry points of a group, `omi_bridge.connectors` or `omi_bridge.extensions`, where
the built-in ones stand like any other. A connector's `type` with a colon (`package.module:Class`) is imported as it is,
from what is installed or from a file beside the configuration.
"""

import contextlib
import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bridge.sdk.connector import AnyConnector, Connector, ConnectorConfig
from bridge.sdk.extension_source import AnyExtensionSource, ExtensionSource, ExtensionSourceConfig
from bridge.sdk.suggestion import did_you_mean
from bridge.sdk.threads.limit import Hangs, within

CONNECTORS = "omi_bridge.connectors"
EXTENSIONS = "omi_bridge.extensions"

_IMPORT_PATIENCE = 10.0
_NOT_INSTALLED = "; if a package brings it, that is not installed where this omi-bridge is"
_NEITHER = "; for any other system see docs/rest.md, or docs/no-owner.md if it keeps no owner"
_ALSO_CALLED = {
    **dict.fromkeys(("excel", "xls", "xlsm", "xlsb", "ods", "spreadsheet", "workbook", "libreoffice"), "xlsx"),
    **dict.fromkeys(("google", "gsheet", "gsheets", "googlesheet", "googlesheets", "sheets"), "google_sheet"),
    **dict.fromkeys(("mysql", "mariadb", "postgres", "postgresql", "sqlite", "mssql", "sqlserver", "database"), "sql"),
    **dict.fromkeys(("api", "http", "https", "json", "xml", "soap"), "rest"),
    **dict.fromkeys(("activedirectory", "ad"), "ldap"),
    **dict.fromkeys(("file", "text", "txt"), "csv"),
}
"""What people call a type by, and its name here; letters and figures in small alone."""
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def installed_types(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of all installed types of a group by name, in alphabetical order."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def connector_class(type_name: str, directory: Path | None = None) -> type[AnyConnector]:
    """Return the class behind `type_name`; raises ValueError saying what to mend if there is none.

    `directory` is where modules are looked for that are not installed.
    """
    what = f"connector type {type_name}"
    if ":" in type_name:
        if not _DOTTED.fullmatch(type_name):
            raise ValueError("has to be package.module:Class, or the name of an installed connector type")
        if directory is not None and str(directory) not in sys.path:
            sys.path.append(str(directory))  # at the end: what is installed comes first
        found = EntryPoint(type_name, type_name, CONNECTORS)
    elif point := _only(CONNECTORS, type_name, what):
        found = point
    else:
        known = installed_types(CONNECTORS)
        guess = _guess(type_name, known)
        listed = f"known: {', '.join(known)}, or package.module:Class"
        others = "" if guess else _NEITHER
        raise ValueError(f"unknown connector type{guess}; {listed}{_NOT_INSTALLED}{others}")
    return _class(what, found, Connector, ConnectorConfig)


def extension_class(type_name: str, beside: tuple[str, ...] = ()) -> type[AnyExtensionSource]:
    """Return the class behind a key under `extensions:`; raises ValueError saying what to mend if there is none.

    `beside` are the other keys that could have been meant.
    """
    what = f"source of extensions {type_name}"
    if point := _only(EXTENSIONS, type_name, what):
        return _class(what, point, ExtensionSource, ExtensionSourceConfig)
    known = (*beside, *installed_types(EXTENSIONS))
    guess = _guess(type_name, known)
    others = f"; known here: {', '.join(known)}{_NOT_INSTALLED}"
    raise ValueError(f"unknown key{guess or others}")


def _guess(name: str, known: Collection[str]) -> str:
    meant = _ALSO_CALLED.get("".join(filter(str.isalnum, name.lower())))
    return f", did you mean '{meant}'?" if meant in known else did_you_mean(name, known)


def base_type(type_name: str) -> str:
    """Return the usable connector type whose settings those of `type_name` build upon; itself if there is none.

    Raises ValueError if `type_name` cannot be used.
    """
    ancestors = connector_class(type_name).Config.__mro__[1:]
    names: dict[type, str] = {}
    for name in installed_types(CONNECTORS):
        with contextlib.suppress(ValueError):
            names.setdefault(connector_class(name).Config, name)
    return next((names[ancestor] for ancestor in ancestors if ancestor in names), type_name)


def _only(group: str, name: str, what: str) -> EntryPoint | None:
    """Return the entry point of this name, None if there is none; raises ValueError if it may mean several classes."""
    points = {point.value: point for point in entry_points(group=group, name=name)}
    if len(points) > 1:
        raise ValueError(f"several installed packages bring a {what}: {', '.join(sorted(points))}")
    return next(iter(points.values()), None)


def _class(what: str, point: EntryPoint, contract: type, settings: type[BaseModel]) -> type[Any]:
    """Return the complete class of this contract, with settings; raises ValueError saying what is not."""
    found = _load(what, point.module, point.attr)
    if not (inspect.isclass(found) and issubclass(found, contract)):
        raise ValueError(f"{what} is no subclass of {contract.__module__}.{contract.__name__}")
    model = getattr(found, "Config", None)
    if not (inspect.isclass(model) and issubclass(model, settings)):
        raise ValueError(f"{what} has no Config, a subclass of {settings.__module__}.{settings.__name__}")
    missing: frozenset[str] = getattr(found, "__abstractmethods__", frozenset())
    if missing:
        raise ValueError(f"{what} does not define {', '.join(sorted(missing))}")
    return found


def _load(what: str, module: str, attribute: str) -> object:
    """Return the attribute of a stranger's module; raises ValueError saying why `what` cannot be loaded."""
    try:
        found = within(_IMPORT_PATIENCE, f"import-{module}", lambda: importlib.import_module(module))
    except Hangs as hang:
        why = f"its import has not ended after {_IMPORT_PATIENCE:g} s, and stands in {hang}: no import may wait"
        raise ValueError(f"{what} cannot be loaded: {why}; a connector's open() may") from None
    except BaseException as error:  # whatever a stranger's module does is a problem of that line of the configuration
        if isinstance(error, ModuleNotFoundError) and error.name and module.startswith(error.name):
            why = f"there is no module {error.name}, neither installed nor beside the configuration"
        else:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            why = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}: {error}"
        raise ValueError(f"{what} cannot be loaded: {why}") from error
    if not hasattr(found, attribute):
        guess = did_you_mean(attribute, vars(found))
        raise ValueError(f"{what} cannot be loaded: {module} has no {attribute}{guess}")
    return getattr(found, attribute)
