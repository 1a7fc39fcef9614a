"""The application in the test's own process."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from bridge.config.loading import Config
from bridge.web.app import create_app

_PATIENCE = 20.0


@contextmanager
def opened(config: Config) -> Iterator[Flask]:
    """Make the application, and wait until its connectors are open, for which a start itself has only so much time."""
    app = create_app(config)
    bridge = app.extensions["omi_bridge"]
    try:
        for guard in bridge.service.guards.values():
            guard.opening.wait(_PATIENCE)
        yield app
    finally:
        bridge.close()
