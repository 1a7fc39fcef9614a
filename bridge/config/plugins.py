"""Connector types: from the `type` in the configuration to the class that does the work.

A short name is looked for among the entry points of the group `omi_bridge.connectors`, where the built-in connectors
stand like any other; a name with a colon (`package.module:Class`) is imported as it is, from what is installed or from
a file beside the configuration.
"""

import contextlib
import importlib
import inspect
import re
import sys
import traceback
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bridge.sdk.connector import AnyConnector, Connector, ConnectorConfig
from bridge.sdk.suggestion import did_you_mean

GROUP = "omi_bridge.connectors"

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def connector_types() -> dict[str, EntryPoint]:
    """Return the entry points of all installed connector types by name, in alphabetical order."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def connector_class(type_name: str, directory: Path | None = None) -> type[AnyConnector]:
    """Return the class behind `type_name`; raises ValueError saying what to mend if there is none.

    `directory` is where modules are looked for that are not installed.
    """
    if ":" in type_name:
        if not _DOTTED.fullmatch(type_name):
            raise ValueError("has to be package.module:Class, or the name of an installed connector type")
        if directory is not None and str(directory) not in sys.path:
            sys.path.append(str(directory))  # at the end: what is installed comes first
        module, _, attribute = type_name.partition(":")
        return _connector(f"connector type {type_name}", module, attribute)
    points = entry_points(group=GROUP, name=type_name)
    values = sorted({point.value for point in points})
    if not values:
        known = connector_types()
        guess = did_you_mean(type_name, known)
        others = "" if guess else "; for any other system see docs/rest.md, or docs/no-owner.md if it keeps no owner"
        raise ValueError(f"unknown connector type{guess}; known: {', '.join(known)}, or package.module:Class{others}")
    if len(values) > 1:
        raise ValueError(f"several installed packages bring a connector type {type_name}: {', '.join(values)}")
    point = next(iter(points))
    return _connector(f"connector type {type_name}", point.module, point.attr)


def base_type(type_name: str) -> str:
    """Return the usable connector type whose settings those of `type_name` build upon; itself if there is none.

    Raises ValueError if `type_name` cannot be used.
    """
    ancestors = connector_class(type_name).Config.__mro__[1:]
    names: dict[type, str] = {}
    for name in connector_types():
        with contextlib.suppress(ValueError):
            names.setdefault(connector_class(name).Config, name)
    return next((names[ancestor] for ancestor in ancestors if ancestor in names), type_name)


def _connector(what: str, module: str, attribute: str) -> type[AnyConnector]:
    found: type[AnyConnector] = usable_class(what, load(what, module, attribute), Connector, ConnectorConfig)
    return found


def load(what: str, module: str, attribute: str) -> object:
    """Return the attribute of a stranger's module; raises ValueError saying why `what` cannot be loaded."""
    try:
        found = importlib.import_module(module)
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


def usable_class(what: str, found: object, contract: type, settings: type[BaseModel]) -> type[Any]:
    """Return `found` if it is a complete class of this contract with settings; raises ValueError saying what is not."""
    if not (inspect.isclass(found) and issubclass(found, contract)):
        raise ValueError(f"{what} is no subclass of {contract.__module__}.{contract.__name__}")
    model = getattr(found, "Config", None)
    if not (inspect.isclass(model) and issubclass(model, settings)):
        raise ValueError(f"{what} has no Config, a subclass of {settings.__module__}.{settings.__name__}")
    missing: frozenset[str] = getattr(found, "__abstractmethods__", frozenset())
    if missing:
        raise ValueError(f"{what} does not define {', '.join(sorted(missing))}")
    return found
