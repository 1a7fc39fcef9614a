"""The running application: what is in force, and how it is replaced while the service runs.

Everything that a configuration decides lives in one `Service`. A reload builds the next one beside the one in force and
swaps a single reference: a call sees either the old configuration or the new one, never a mixture, and none is lost.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask

from bridge.alerts.watch import AlertWatch
from bridge.config.loading import Config, load_config
from bridge.diagnosis.expectation_watch import PAUSE, ExpectationWatch
from bridge.diagnosis.judgement import Judgement, judge
from bridge.observability.decision_log import DecisionLog
from bridge.observability.metrics_sampler import MetricsSampler
from bridge.sdk.errors import ConfigError
from bridge.sdk.secrets import Redaction
from bridge.service import Service, forgotten_of
from bridge.storage.machine import MachineMemory
from bridge.web.endpoint import owner_endpoint
from bridge.web.health import Health
from bridge.web.incoming import Incoming
from bridge.web.pages import Readiness, pages
from bridge.web.refusals import Refusals

if TYPE_CHECKING:
    from bridge.observability.metrics import Metrics

_log = logging.getLogger(__name__)

START_PATIENCE = 1.0
"""Seconds that a start waits for connectors to open: calls wait meanwhile. A slower one opens while others answer."""

RELOAD_PATIENCE = 10.0
"""The same for a reload, during which the old configuration answers."""


def reread(config: Config) -> Config:
    """Return what stands in the file of `config` by now. Raises ConfigError if it is not valid."""
    return load_config(config.file, overrides=config.overrides)


class Bridge:
    """The running application: the service in force, and how it is replaced.

    `refused` says why what stands in the configuration file by now is not in force, if it is not. `memory` is what the
    processes of this machine count together.
    """

    def __init__(
        self,
        config: Config,
        redaction: Redaction | None = None,
        refused: str = "",
        memory: MachineMemory | None = None,
    ) -> None:
        self._redaction = redaction or Redaction()
        self._redaction.replace_secrets(config.secrets)
        self._reloading = threading.Lock()
        self._refused = refused
        self._memory = memory or MachineMemory()
        self._started_with = config.settings.server
        self.forgotten = forgotten_of(config)
        decisions, file = config.settings.server.decisions, config.decisions_file
        self.decisions = DecisionLog(decisions, file, self.forgotten, self._redaction)
        self.decisions.start()
        self.metrics = _metrics()
        self.incoming = Incoming(self._memory, config.settings.server.path)
        self.service = Service(config, meter=self.metrics.of, memory=self._memory, forgotten=self.forgotten)
        self.forgotten.shared = self.service.sharing.of_all()
        self.forgotten.start()
        self.health = Health(self.troubles, self.incoming.accepted, lambda: self.service.answers())  # noqa: PLW0108
        self.sampler = MetricsSampler(self.metrics, lambda: self.service.snapshot(len(self.health.look())))
        self.readiness = Readiness(lambda: self.service.waited_for())  # noqa: PLW0108 - of the service in force then
        self.alerts = AlertWatch(config, self._memory, self.alarms, self.metrics)
        self.service.open(START_PATIENCE)
        self._expectations = self._watched(self.service)
        self.sampler.start()
        self.alerts.start()

    def reload(self) -> bool:
        """Read the configuration file again and put it in force; if it is not valid, say why and keep the old one."""
        with self._reloading:
            old = self.service
            try:
                config = reread(old.config)
            except ConfigError as error:
                return self._refuse(*map(str, error.problems))
            self._redaction.replace_secrets(old.config.secrets | config.secrets)
            new = Service(config, old, self.metrics.of, memory=self._memory, forgotten=self.forgotten)
            new.open(RELOAD_PATIENCE)
            if trouble := new.extensions.missing_since(old.extensions) or new.lost_since(old):
                new.close(old)
                return self._refuse(trouble)
            judgement = judge(new, old)
            if judgement.refusals:
                new.close(old)
                return self._refuse(*judgement.refusals)
            self.service, self._refused = new, ""
            self._expectations.close()
            self._expectations = self._watched(new, judgement.unmet)
            self.alerts.adopt(config)
            self.forgotten.key = config.settings.api_keys[0].get_secret_value().encode()
            self.forgotten.shared = new.sharing.of_all()
            # Calls that began under the old configuration have left by then.
            _later(old.deadline + 1.0, partial(old.close, new))
            for setting in ("bind", "workers", "threads", "path", "log_level", "log_format", "decisions"):
                if getattr(config.settings.server, setting) != getattr(self._started_with, setting):
                    _log.warning("server.%s has changed: it takes effect when the service is restarted", setting)
            _log.info("configuration reloaded from %s", config.file)
            return True

    def _refuse(self, *problems: str) -> bool:
        """Keep the old configuration, and say why: in the log, and in `troubles` until another is good."""
        for problem in problems:
            _log.error("not reloaded, the old configuration stays in force: %s", problem)
        self._refused = problems[0]
        return False

    def _watched(self, service: Service, unmet: Iterable[Judgement] | None = None) -> ExpectationWatch:
        """Begin to ask in the background for the known customers who are not answered as expected."""
        watch = ExpectationWatch(service, self._memory.turns("expect", 1, PAUSE), unmet)
        watch.start()
        return watch

    def troubles(self) -> dict[str, str]:
        """Say for each part of the service in force that is not well why not."""
        found = self.service.troubles() | self._expectations.troubles()
        if self._refused:
            found["configuration"] = f"not reloaded: {self._refused}"
        if self.decisions.trouble:
            found["server.decisions"] = self.decisions.trouble
        found |= self.alerts.troubles()
        found |= self.incoming.troubles()
        return {part: self._redaction(why) for part, why in found.items()}

    def alarms(self) -> dict[str, str]:
        """Say the same as `troubles`, and of which parts nothing changes until somebody acts."""
        rejected = self.service.rejected()
        return {part: f"rejected: {why}" if part in rejected else why for part, why in self.troubles().items()}

    def close(self) -> None:
        """Release everything."""
        self.alerts.close()
        self.sampler.close()
        self._expectations.close()
        self.service.close()
        self.decisions.close()
        self.forgotten.close()


def create_app(
    config: Config, redaction: Redaction | None = None, refused: str = "", memory: MachineMemory | None = None
) -> Flask:
    """Make the WSGI application; its `Bridge`, which gets the same, is at `app.extensions["omi_bridge"]`."""
    app = Flask("bridge", static_folder=None)
    bridge = Bridge(config, redaction, refused, memory)
    app.extensions["omi_bridge"] = bridge
    path = config.settings.server.path
    app.url_map.merge_slashes = False  # it would redirect, which nobody follows
    refusals = Refusals(path, lambda: bridge.service, bridge.incoming, bridge.metrics.refused)
    app.before_request(refusals.turn_away)
    app.register_error_handler(Exception, refusals.answer)
    listeners = (bridge.decisions.hear, bridge.metrics.answered)
    app.register_blueprint(owner_endpoint(path, lambda: bridge.service, bridge.incoming, listeners))
    app.register_blueprint(pages(bridge.health.page, bridge.readiness, bridge.sampler.text))
    return app


def _metrics() -> "Metrics":
    """Begin to count; the library looks into the environment of the worker while it is being imported."""
    from bridge.observability.metrics import Metrics  # noqa: PLC0415

    return Metrics()


def _later(seconds: float, action: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
