"""The application in the test's own process."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from bridge.config.loading import Config, load_config
from bridge.sdk.errors import ConfigError
from bridge.sdk.secrets import Redaction
from bridge.service import ReloadRefused
from bridge.web.app import Bridge, create_app

_PATIENCE = 20.0


@contextmanager
def opened(config: Config, redaction: Redaction | None = None) -> Iterator[Flask]:
    """Make the application, and wait until its connectors are open, for which a start itself has only so much time."""
    app = create_app(config, redaction)
    bridge = app.extensions["omi_bridge"]
    try:
        for guard in bridge.service.guards.values():
            guard.opening.wait(_PATIENCE)
        yield app
    finally:
        bridge.close()


def reload(bridge: Bridge) -> bool:
    """Put in force what stands in the configuration's file by now, as a service of one process would."""
    try:
        bridge.put_in_force(bridge.prepare(load_config(bridge.service.config.file)))
    except (ConfigError, ReloadRefused) as error:
        bridge.stay(str(error.problems[0]))
        return False
    return True
