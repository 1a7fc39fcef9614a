"""The only place that puts the parts together, and that changes them while the service runs.

Everything that a configuration decides lives in one `Service`. A reload builds the next one beside the one in force,
keeps the guards of connectors whose settings did not change (and with them what they remember), and swaps a single
reference: a call sees either the old configuration or the new one, never a mixture, and none is lost.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from bridge.cache import AnswerCache
from bridge.config import Config, Source, load_config
from bridge.endpoint import owner_endpoint
from bridge.errors import ConfigError
from bridge.extensions import ExtensionLists
from bridge.guard import Guard
from bridge.health import health
from bridge.identity import identity_of
from bridge.lookup import Lookup, Plan
from bridge.redaction import Redaction
from bridge.store import Store
from bridge.waiting import WaitingRoom

_log = logging.getLogger(__name__)

START_PATIENCE = 1.0
"""Seconds that a start waits for connectors to open: calls wait meanwhile. A slower one opens while others answer."""

RELOAD_PATIENCE = 10.0
"""The same for a reload, during which the old configuration answers."""


class Service:
    """All that answers calls under one configuration."""

    def __init__(self, config: Config, previous: "Service | None" = None) -> None:
        self.config = config
        self.deadline = config.settings.server.deadline
        self.api_keys = tuple(key.get_secret_value().encode() for key in config.settings.api_keys)
        self.store = _store(config, previous)
        self.guards = {name: _guard(source, config, previous, self.store) for name, source in config.sources.items()}
        self.extensions: ExtensionLists = ExtensionLists(config, previous.extensions if previous else None)
        server = config.settings.server
        room = WaitingRoom.of(server.threads)
        plan = Plan(config.routes, config.settings.phone.region, server.hedge_after, room)
        self.lookup = Lookup(self.guards, self.extensions.directory, plan)
        self._kept = set(previous.guards.values()) & set(self.guards.values()) if previous else set()

    def open(self, patience: float) -> None:
        """Open what is not open yet, waiting no longer than `patience` seconds; the rest goes on in the background."""
        self.extensions.start()
        fresh = [guard for guard in self.guards.values() if guard not in self._kept]
        for guard in fresh:
            guard.opening.start()
        end = time.monotonic() + patience
        if self.store:
            self.store.start()
            self.store.wait_until_loaded(patience)
        for guard in fresh:
            guard.opening.wait(max(0.0, end - time.monotonic()))
        self.extensions.wait_until_ready(end)

    def lost_since(self, previous: "Service") -> str:
        """Say why a connector that was open under the previous configuration is not under this one, or nothing.

        One that has much to read before it is open is waited for.
        """
        for name, guard in self.guards.items():
            before = previous.guards.get(name)
            if before and not before.opening.wait(0) and (why := guard.opening.wait(guard.connector.opening_takes)):
                return f"connector {name}: {why}"
        return ""

    def troubles(self) -> dict[str, str]:
        """Say for each part that is not well why not."""
        parts = [(f"connector {name}", guard.trouble) for name, guard in self.guards.items()]
        parts += self.extensions.troubles()
        parts += [("cache.path", self.store.trouble)] if self.store else []
        return {part: trouble for part, trouble in parts if trouble}

    def close(self, successor: "Service | None" = None) -> None:
        """Release everything but the guards that `successor` goes on with."""
        self.extensions.close(successor.extensions if successor else None)
        for guard in self.guards.values():
            if successor is None or guard not in successor.guards.values():
                guard.close()
        if self.store and not (successor and successor.store is self.store):
            self.store.close()


def _store(config: Config, previous: Service | None) -> Store | None:
    path = config.settings.cache.path
    if previous and previous.store and previous.store.path == path:
        return previous.store
    return Store(path) if path else None


def _guard(source: Source, config: Config, previous: Service | None, store: Store | None) -> Guard:
    settings, patience = config.settings.cache, config.settings.server.deadline
    if previous and previous.config.sources.get(source.name) == source:
        kept = previous.guards[source.name]
        if settings == previous.config.settings.cache or not kept.connector.remembered:
            kept.patience = patience
            return kept
    connector, cache = source.connector(source.config), AnswerCache(settings)
    if store and connector.remembered:
        store.keep(source.name, identity_of(source, config), cache)
    return Guard(source.name, connector, cache, patience=patience)


def reread(config: Config) -> Config | None:
    """Return what stands in the file of `config` by now, or nothing if it is not valid, after saying why in the log."""
    try:
        return load_config(config.file, overrides=config.overrides)
    except ConfigError as error:
        for problem in error.problems:
            _log.error("not reloaded, the old configuration stays in force: %s", problem)
        return None


class Bridge:
    """The running application: the service in force, and how it is replaced."""

    def __init__(self, config: Config, redaction: Redaction | None = None) -> None:
        self._redaction = redaction or Redaction()
        self._redaction.replace_secrets(config.secrets)
        self._reloading = threading.Lock()
        self._started_with = config.settings.server
        self.service = Service(config)
        self.service.open(START_PATIENCE)

    def reload(self) -> bool:
        """Read the configuration file again and put it in force; if it is not valid, say why and keep the old one."""
        with self._reloading:
            old = self.service
            config = reread(old.config)
            if config is None:
                return False
            self._redaction.replace_secrets(old.config.secrets | config.secrets)
            new = Service(config, old)
            new.open(RELOAD_PATIENCE)
            if trouble := new.extensions.missing_since(old.extensions) or new.lost_since(old):
                _log.error("not reloaded, the old configuration stays in force: %s", trouble)
                new.close(old)
                return False
            self.service = new
            # Calls that began under the old configuration have left by then.
            _later(old.deadline + 1.0, partial(old.close, new))
            for setting in ("bind", "workers", "threads", "path", "log_level", "log_format"):
                if getattr(config.settings.server, setting) != getattr(self._started_with, setting):
                    _log.warning("server.%s has changed: it takes effect when the service is restarted", setting)
            _log.info("configuration reloaded from %s", config.file)
            return True

    def troubles(self) -> dict[str, str]:
        """Say for each part of the service in force that is not well why not."""
        return {part: self._redaction(why) for part, why in self.service.troubles().items()}

    def close(self) -> None:
        """Release everything."""
        self.service.close()


def create_app(config: Config, redaction: Redaction | None = None) -> Flask:
    """Make the WSGI application; its `Bridge` is at `app.extensions["omi_bridge"]`."""
    app = Flask("bridge", static_folder=None)
    bridge = Bridge(config, redaction)
    app.extensions["omi_bridge"] = bridge
    app.register_blueprint(owner_endpoint(config.settings.server.path, lambda: bridge.service))
    app.register_blueprint(health(bridge.troubles))
    app.register_error_handler(Exception, _empty)
    return app


def _empty(error: Exception) -> Response:
    """Answer any error without a body: whoever asks would read a text as an extension."""
    response = Response(status=500, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})
    if isinstance(error, HTTPException):
        response.status_code = error.code or 500
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = "GET"
    else:
        _log.error("a bug of omi-bridge", exc_info=error)
    return response


def _later(seconds: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
