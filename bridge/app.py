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
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from bridge.cache import AnswerCache
from bridge.config import Config, Source, load_config
from bridge.decision_log import DecisionLog
from bridge.directory import Directory
from bridge.door import Door
from bridge.endpoint import allowed_networks, owner_endpoint
from bridge.errors import ConfigError, SourceError
from bridge.extension_file import ExtensionFileWatch
from bridge.guard import Guard
from bridge.health import health
from bridge.identity import identity_of
from bridge.lookout import Lookout, Sight
from bridge.lookup import Lookup, Plan
from bridge.meter import Meter
from bridge.metrics_page import metrics_page
from bridge.readiness import Readiness
from bridge.redaction import Redaction
from bridge.sharing import Sharing
from bridge.store import Store
from bridge.trust import content_age
from bridge.waiting import WaitingRoom

if TYPE_CHECKING:
    from bridge.metrics import Metrics

_log = logging.getLogger(__name__)

MeterOf = Callable[[str], Meter]
"""Gives what a connector's guard tells of its work, by the connector's name."""

START_PATIENCE = 1.0
"""Seconds that a start waits for connectors to open: calls wait meanwhile. A slower one opens while others answer."""

RELOAD_PATIENCE = 10.0
"""The same for a reload, during which the old configuration answers."""


class Service:
    """All that answers calls under one configuration."""

    def __init__(
        self,
        config: Config,
        previous: "Service | None" = None,
        meter: MeterOf | None = None,
        *,
        shares: bool = True,
    ) -> None:
        self.config = config
        self._meter = meter
        self.deadline = config.settings.server.deadline
        self.api_keys = tuple(key.get_secret_value().encode() for key in config.settings.api_keys)
        self.trusted_proxies = config.settings.server.trusted_proxies
        self.allow = config.settings.server.allow
        self.store = _store(config, previous)
        self.sharing: Sharing = Sharing(config, previous.sharing if previous else None, joins=shares)
        self.guards = {name: self._guard(source, previous) for name, source in config.sources.items()}
        self.extension_files = _extension_files(config, previous)
        self.directory = Directory(config.settings.extensions.inline, [file.current for file in self.extension_files])
        server = config.settings.server
        room = WaitingRoom.of(server.threads)
        plan = Plan(config.routes, config.settings.phone.region, server.hedge_after, room)
        self.lookup = Lookup(self.guards, self.directory, plan)
        self._kept = set(previous.guards.values()) & set(self.guards.values()) if previous else set()

    def open(self, patience: float) -> None:
        """Open what is not open yet, waiting no longer than `patience` seconds; the rest goes on in the background."""
        for file in self.extension_files:
            file.start()
        fresh = [guard for guard in self.guards.values() if guard not in self._kept]
        for guard in fresh:
            guard.opening.start()
        end = time.monotonic() + patience
        self.sharing.start()
        if self.store:
            self.store.start()
            self.store.wait_until_loaded(patience)
        for guard in fresh:
            guard.opening.wait(max(0.0, end - time.monotonic()))

    def without_extensions(self) -> str:
        """Say why a list of extensions is not there at all, or nothing."""
        for file in self.extension_files:
            try:
                file.current()
            except SourceError as error:
                return str(error)
        return ""

    def lost_since(self, previous: "Service") -> str:
        """Say why a connector that was open under the previous configuration is not under this one, or nothing."""
        for name, guard in self.guards.items():
            before = previous.guards.get(name)
            if before and not before.opening.wait(0) and (why := guard.opening.wait(0)):
                return f"connector {name}: {why}"
        return ""

    def troubles(self) -> dict[str, str]:
        """Say for each part that is not well why not."""
        parts = [(f"connector {name}", guard.trouble) for name, guard in self.guards.items()]
        parts += [("extensions.csv", file.trouble) for file in self.extension_files]
        parts += [("cache.path", self.store.trouble)] if self.store else []
        parts += self.sharing.troubles()
        return {part: trouble for part, trouble in parts if trouble}

    def waited_for(self) -> dict[str, str]:
        """Say for each part that was not tried yet what it is doing."""
        fresh = [name for name, guard in self.guards.items() if not guard.opening.is_tried]
        found = {f"connector {name}": self.guards[name].opening.trouble for name in fresh}
        if self.store and not self.store.wait_until_loaded(0):
            found["cache.path"] = "what was kept is still being read"
        return found

    def sight(self, troubles: int) -> Sight:
        """Return what can be seen of the service just now."""
        ages = [(name, content_age(name, guard.connector)) for name, guard in self.guards.items()]
        ages += [("extensions.csv", file.content_age()) for file in self.extension_files]
        known = {name: age for name, age in ages if age is not None}
        return Sight(tuple(self.guards.values()), known, self.directory.without_extension, troubles)

    def close(self, successor: "Service | None" = None) -> None:
        """Release everything but the guards that `successor` goes on with."""
        for file in self.extension_files:
            if successor is None or file not in successor.extension_files:
                file.close()
        for guard in self.guards.values():
            if successor is None or guard not in successor.guards.values():
                guard.close()
        if self.store and not (successor and successor.store is self.store):
            self.store.close()
        self.sharing.close(successor.sharing if successor else None)

    def _guard(self, source: Source, previous: "Service | None") -> Guard:
        settings = self.config.settings.cache
        if previous and previous.config.sources.get(source.name) == source:
            kept = previous.guards[source.name]
            if settings == previous.config.settings.cache or not kept.connector.remembered:
                kept.patience = self.deadline
                self.sharing.stay(source, kept.connector)
                return kept
        connector, cache = source.connector(source.config), AnswerCache(settings)
        if self.store and connector.remembered:
            self.store.keep(source.name, identity_of(source, self.config), cache)
        shared = self.sharing.join(source, connector, cache)
        meter = self._meter(source.name) if self._meter else None
        return Guard(source.name, connector, cache, patience=self.deadline, meter=meter, shared=shared)


def _extension_files(config: Config, previous: Service | None) -> list[ExtensionFileWatch]:
    chosen = config.settings.extensions.csv
    if previous and chosen == previous.config.settings.extensions.csv:
        return previous.extension_files
    return [ExtensionFileWatch(chosen)] if chosen else []


def _store(config: Config, previous: Service | None) -> Store | None:
    path = config.settings.cache.path
    if previous and previous.store and previous.store.path == path:
        return previous.store
    return Store(path) if path else None


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
        key = config.settings.api_keys[0].get_secret_value().encode()
        self.decisions = DecisionLog(config.settings.server.decisions, config.decisions_file, key, self._redaction)
        self.decisions.start()
        self.metrics = _metrics()
        self.service = Service(config, meter=self.metrics.of)
        self.lookout = Lookout(self.metrics, lambda: self.service.sight(len(self.troubles())))
        self.readiness = Readiness(lambda: self.service.waited_for())  # noqa: PLW0108 - of the service in force then
        self.door = Door(lambda: self.service)
        self.service.open(START_PATIENCE)
        self.lookout.start()

    def reload(self) -> bool:
        """Read the configuration file again and put it in force; if it is not valid, say why and keep the old one."""
        with self._reloading:
            old = self.service
            config = reread(old.config)
            if config is None:
                return False
            self._redaction.replace_secrets(old.config.secrets | config.secrets)
            new = Service(config, old, self.metrics.of)
            new.open(RELOAD_PATIENCE)
            if trouble := new.without_extensions() or new.lost_since(old):
                _log.error("not reloaded, the old configuration stays in force: %s", trouble)
                new.close(old)
                return False
            self.service = new
            # Calls that began under the old configuration have left by then.
            _later(old.deadline + 1.0, partial(old.close, new))
            for setting in ("bind", "workers", "threads", "path", "log_level", "log_format", "decisions"):
                if getattr(config.settings.server, setting) != getattr(self._started_with, setting):
                    _log.warning("server.%s has changed: it takes effect when the service is restarted", setting)
            _log.info("configuration reloaded from %s", config.file)
            return True

    def troubles(self) -> dict[str, str]:
        """Say for each part of the service in force that is not well why not."""
        found = self.service.troubles()
        if self.decisions.trouble:
            found["server.decisions"] = self.decisions.trouble
        return {part: self._redaction(why) for part, why in found.items()}

    def close(self) -> None:
        """Release everything."""
        self.lookout.close()
        self.service.close()
        self.decisions.close()


def create_app(config: Config, redaction: Redaction | None = None) -> Flask:
    """Make the WSGI application; its `Bridge` is at `app.extensions["omi_bridge"]`."""
    app = Flask("bridge", static_folder=None)
    bridge = Bridge(config, redaction)
    app.extensions["omi_bridge"] = bridge
    path = config.settings.server.path
    app.before_request(allowed_networks(bridge.door))
    listeners = (bridge.decisions.hear, bridge.metrics.answered)
    app.register_blueprint(owner_endpoint(path, lambda: bridge.service, bridge.door, listeners))
    app.register_blueprint(health(bridge.troubles, bridge.readiness.waited_for))
    app.register_blueprint(metrics_page(bridge.lookout.text))
    app.register_error_handler(Exception, _empty)
    return app


def _metrics() -> "Metrics":
    """Begin to count; the library looks into the environment of the worker while it is being imported."""
    from bridge.metrics import Metrics  # noqa: PLC0415

    return Metrics()


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
