"""Whose answers these are: what decides whether a source asked yesterday is the source of today.

Everything that a connector is told decides, secrets too: with another token the same address may be another customer's
CRM. Only what says how long to wait does not. An identity therefore holds secrets: it is kept in memory alone, and a
file gets nothing but a fingerprint of it that is salted and costly to guess.
"""

import hashlib
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

from bridge.config.loading import Config, ConfiguredConnector, ConfiguredList
from bridge.sdk.connector import ConnectorConfig
from bridge.sdk.extension_source import ExtensionSourceConfig

_COST = {"n": 2**14, "r": 8, "p": 1}


def identity_of(source: ConfiguredConnector, config: Config) -> str:
    """Return a text that is equal exactly if answers of the source may still be used: settings, type and version."""
    written = config.settings.connectors[source.name]
    telling = {key: value for key, value in written.items() if key not in ConnectorConfig.model_fields}
    kind = f"{source.connector.__module__}:{source.connector.__qualname__}"
    versions = version("omi-bridge"), _version(source.connector.__module__)
    return repr((source.name, kind, versions, config.settings.phone.region, telling))


def identity_of_list(source: ConfiguredList) -> str:
    """Return the same for a list of extensions: how often it is read does not matter."""
    telling = {key: value for key, value in source.written.items() if key not in ExtensionSourceConfig.model_fields}
    return repr((f"{source.source.__module__}:{source.source.__qualname__}", sorted(telling.items(), key=repr)))


def _version(module: str) -> object:
    """Return what tells one version of a module from the next: that of the packages that bring it, and its own text."""
    packages = set(_packages().get(module.partition(".")[0], ()))
    return [(package, version(package)) for package in sorted(packages)], _text_of(sys.modules[module].__file__ or "")


@cache
def _packages() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _text_of(file: str) -> str:
    """Return the hash of a module's text as it was first seen: a change of it takes part from the next start on."""
    with suppress(OSError):
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return ""


def changed_modules(config: Config) -> list[str]:
    """Tell which modules of connectors are another text on the disk than the one that runs."""
    kinds = {type_.__module__ for type_ in (source.connector for source in config.sources.values())}
    kinds |= {source.source.__module__ for source in config.lists}
    files = {sys.modules[module].__file__ or "" for module in kinds}
    changed = sorted(file for file in files if _text_of(file) != _text_of.__wrapped__(file))
    return [f"{file} has changed: it takes effect when the service is restarted" for file in changed]


def fingerprint(identity: str, salt: bytes) -> int:
    """Return 64 bits that stand for `identity` in a file; scrypt (RFC 7914) makes guessing a secret from them slow."""
    digest = hashlib.scrypt(identity.encode("utf-8", "surrogatepass"), salt=salt, dklen=8, **_COST)
    return int.from_bytes(digest, signed=True)
