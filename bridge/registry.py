"""Connector types: from the `type` in the configuration to the class that does the work.

A short name is looked for among the entry points of the group `omi_bridge.connectors`, where the built-in connectors
stand like any other; a name with a colon (`package.module:Class`) is imported as it is, from what is installed or from
a file beside the configuration.
"""

import importlib
import inspect
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from bridge.connector import AnyConnector, Connector, ConnectorConfig
from bridge.suggestion import did_you_mean

GROUP = "omi_bridge.connectors"


def connector_types() -> dict[str, EntryPoint]:
    """Return the entry points of all installed connector types by name, in alphabetical order."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def connector_class(type_name: str, directory: Path | None = None) -> type[AnyConnector]:
    """Return the class behind `type_name`; raises ValueError saying what to mend if there is none.

    `directory` is where modules are looked for that are not installed.
    """
    if ":" in type_name:
        if directory is not None and str(directory) not in sys.path:
            sys.path.append(str(directory))  # at the end: what is installed comes first
        module, _, attribute = type_name.partition(":")
        return _checked(type_name, _load(type_name, module, attribute))
    known = connector_types()
    if type_name not in known:
        raise ValueError(f"unknown connector type{did_you_mean(type_name, known)}; known: {', '.join(known)}")
    point = known[type_name]
    return _checked(type_name, _load(type_name, point.module, point.attr))


def _load(type_name: str, module: str, attribute: str) -> object:
    try:
        found: object = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except Exception as error:
        # Whatever a stranger's module raises while it is imported is a problem of that line of the configuration.
        raise ValueError(f"connector type {type_name} cannot be loaded: {type(error).__name__}: {error}") from error
    return found


def _checked(type_name: str, found: object) -> type[AnyConnector]:
    if not (inspect.isclass(found) and issubclass(found, Connector)):
        raise ValueError(f"connector type {type_name} is no subclass of bridge.connector.Connector")
    settings = getattr(found, "Config", None)
    if not (inspect.isclass(settings) and issubclass(settings, ConnectorConfig)):
        raise ValueError(f"connector type {type_name} has no Config, a subclass of bridge.connector.ConnectorConfig")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise ValueError(f"connector type {type_name} does not define {missing}")
    return found
