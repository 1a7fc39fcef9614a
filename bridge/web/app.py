"""The running application: what is in force, and how it is replaced while the service runs.

Everything that a configuration decides lives in one `Service`. A reload builds the next one beside the one in force and
swaps a single reference: a call sees either the old configuration or the new one, never a mixture, and none is lost.
Between the two steps the other processes say whether they can follow: see `bridge.web.reloads`.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask

from bridge.alerts.watch import AlertWatch
from bridge.config.loading import Config
from bridge.diagnosis.expectation_watch import PAUSE, ExpectationWatch
from bridge.diagnosis.judgement import Judgement, judge
from bridge.insight.line_mask import LineMask
from bridge.insight.questions import insight_of
from bridge.insight.seen import SeenByAll
from bridge.insight.shadow_run import Shadow
from bridge.lookup.decision import Decision
from bridge.observability.decision_log import DecisionLog
from bridge.observability.metrics_sampler import MetricsSampler
from bridge.sdk.secrets import Redaction
from bridge.sdk.threads.background import BackgroundLoop
from bridge.service import ReloadRefused, Service, Snapshot, forgotten_of
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Slips
from bridge.storage.recent_callers import RecentCallers
from bridge.web.endpoint import OwnerEndpoint
from bridge.web.health import Health
from bridge.web.incoming import Incoming
from bridge.web.network import Network
from bridge.web.pages import Readiness, pages
from bridge.web.purge import PURGES_A_SECOND, PurgeEndpoint
from bridge.web.refusals import Refusals

if TYPE_CHECKING:
    from bridge.observability.metrics import Metrics

_log = logging.getLogger(__name__)

START_PATIENCE = 1.0
"""Seconds that a start waits for connectors to open: calls wait meanwhile. A slower one opens while others answer."""

RELOAD_PATIENCE = 10.0
"""The same for a reload, during which the old configuration answers."""


_WRITING_PATIENCE = 15.0
"""Seconds that a reload waits for a file that is just being written."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configuration that may be put in force, and what whoever asked for it should hear of its preparation.

    `unmet` are the known customers whom it does not answer as expected, None if that was not asked here.
    """

    service: Service
    remarks: tuple[str, ...]
    unmet: tuple[Judgement, ...] | None


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
        self._mask = LineMask(self._redaction)
        self._redaction.replace_secrets(config.secrets)
        self._refused = refused
        self.memory = memory or MachineMemory()
        self.forgotten = forgotten_of(config)
        decisions, file = config.settings.server.decisions, config.decisions_file
        self.decisions = DecisionLog(decisions, file, self.forgotten, self._redaction)
        self.decisions.start()
        self.metrics = _metrics()
        self.incoming = Incoming(self.memory, config.settings.server.path)
        self.recent = RecentCallers(self.memory, self.forgotten)
        self.service = Service(config, meter=self.metrics.of, memory=self.memory, forgotten=self.forgotten)
        self.purges = self.service.purges
        self.forgotten.shared = self.purges.shared = self.service.sharing.of_all()
        self.forgotten.start()
        self.purges.start()
        self.purge_turns = self.memory.turns("owner_changed", PURGES_A_SECOND, 1.0)
        self.network = Network(self.memory, lambda: self.service)
        slips, accepted = Slips(self.memory, "health"), self.incoming.accepted
        self.health = Health(self.troubles, slips, accepted, lambda: self.service.answers(), self.network.page)  # noqa: PLW0108
        self.seen = SeenByAll(lambda: self.service, Slips(self.memory, "seen"), self._redaction)
        self.sampler = MetricsSampler(self.metrics, self._figures)
        self.readiness = Readiness(lambda: self.service.waited_for())  # noqa: PLW0108 - of the service in force then
        self.alerts = AlertWatch(config, self.memory, self.alarms, self.metrics)
        self.service.open(START_PATIENCE)
        self._expectations = self._watched(self.service)
        self.sampler.start()
        self.alerts.start()
        page, hear = self.health.page, self.decisions.hear
        shadow = Shadow(self.candidate, self.recent.newest)
        self._insight = insight_of(
            lambda: self.service,
            page,
            hear,
            self._redaction,
            self.memory,
            incoming=self.incoming,
            seen=self.seen,
            shadow=shadow,
        )
        self._insight.start()

    def prepare(self, config: Config, *, judges: bool = True) -> Prepared:
        """Make ready what `config` says, beside what is in force, and judge it. Raises ReloadRefused.

        What is returned waits for `put_in_force` or `drop`; nothing of what is in force has changed until then. Known
        customers are asked for by the one process of a machine that `judges`.
        """
        self._redaction.replace_secrets(self.service.config.secrets | config.secrets)
        return self._made_ready(self.service, config, judges=judges)

    @contextmanager
    def candidate(self, config: Config) -> Iterator[Service]:
        """Make ready what `config` says, as `prepare` does, and drop it in the end. Raises ReloadRefused."""
        old = self.service
        with self._redaction.also(config.secrets):
            prepared = self._made_ready(old, config, judges=False)
            try:
                yield prepared.service
            finally:
                prepared.service.close(old)

    def _made_ready(self, old: Service, config: Config, *, judges: bool) -> Prepared:
        new = Service(config, old, self.metrics.of, memory=self.memory, forgotten=self.forgotten, purges=self.purges)
        try:
            new.open(RELOAD_PATIENCE, writes=False)
            remarks = tuple(filter(None, [new.settle(_WRITING_PATIENCE)]))
            problems: tuple[str, ...] = tuple(filter(None, [new.lost_since(old)]))
            judgement = judge(new, old) if judges and not problems else None
        except BaseException:
            new.close(old)
            raise
        problems += judgement.refusals if judgement else ()
        if problems:
            new.close(old)
            raise ReloadRefused(*map(self._redaction, (*problems, *remarks)))
        unmet = judgement.unmet if judgement else ()
        remarks += tuple(self._redaction(f"{one.expectation.key}: {one}: asked again until it is") for one in unmet)
        return Prepared(new, remarks, unmet if judgement else None)

    def put_in_force(self, prepared: Prepared) -> None:
        """Let the next call follow another configuration. Waits for nothing."""
        old, new = self.service, prepared.service
        new.take_over()
        self.service, self._refused = new, ""
        self._expectations.close()
        self._expectations = self._watched(new, prepared.unmet)
        self.alerts.adopt(new.config)
        self.forgotten.key = new.config.settings.api_keys[0].get_secret_value().encode()
        self.purges.rekey(self.forgotten.key)
        self.forgotten.shared = self.purges.shared = new.sharing.of_all()
        # Calls that began under the old configuration have left by then.
        BackgroundLoop("close-before", partial(old.close, new)).start(old.deadline + 1.0)

    def note_caller(self, decision: Decision, _seconds: float) -> None:
        """Hold the caller of a call, for who tries a change on the last of them: the console."""
        if decision.call and self.service.config.settings.console is not None:
            self.recent.note(decision.call)

    def drop(self, prepared: Prepared) -> None:
        """Release what was made ready and is not put in force."""
        prepared.service.close(self.service)

    def stay(self, refused: str) -> None:
        """Go on as before, and tell in `troubles` why what stands in the file is not in force; nothing if it is."""
        self._refused = refused

    def _watched(self, service: Service, unmet: Iterable[Judgement] | None = None) -> ExpectationWatch:
        """Begin to ask in the background for the known customers who are not answered as expected."""
        watch = ExpectationWatch(service, self.memory.turns("expect", 1, PAUSE), unmet)
        watch.start()
        return watch

    def troubles(self) -> dict[str, str]:
        """Say for each part of the service in force that is not well why not; a source's words may name anybody."""
        found = self.service.troubles() | self._expectations.troubles()
        if self._refused:
            found["configuration"] = f"not reloaded: {self._refused}"
        if self.decisions.trouble:
            found["server.decisions"] = self.decisions.trouble
        found |= self.alerts.troubles()
        found |= self.incoming.troubles()
        found |= self.network.troubles()
        return {part: self._mask(why) for part, why in found.items()}

    def alarms(self) -> dict[str, str]:
        """Say the same as `troubles`, and of which parts nothing changes until somebody acts."""
        rejected = self.service.rejected()
        return {part: f"rejected: {why}" if part in rejected else why for part, why in self.troubles().items()}

    def _figures(self) -> Snapshot:
        if (seconds := self.network.round_trip()) is not None:
            self.metrics.round_trip(seconds)
        troubles = self.health.look()
        self.seen.look(troubles)
        return self.service.snapshot(len(troubles))

    def close(self) -> None:
        """Release everything."""
        self._insight.close()
        self.alerts.close()
        self.sampler.close()
        self._expectations.close()
        self.purges.close()
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
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of the provider that Flask has by itself
    app.url_map.merge_slashes = False  # it would redirect, which nobody follows
    refusals = Refusals(path, lambda: bridge.service, bridge.incoming, bridge.metrics.refused)
    app.before_request(refusals.turn_away)
    app.register_error_handler(Exception, refusals.answer)
    listeners = (bridge.decisions.hear, bridge.metrics.answered, bridge.note_caller)
    endpoint = OwnerEndpoint(path, lambda: bridge.service, bridge.incoming, listeners, bridge.network.look)
    app.register_blueprint(endpoint.blueprint())
    app.wsgi_app = endpoint.ahead_of(app.wsgi_app)  # type: ignore[assignment, method-assign]  # Flask's own way
    purge = PurgeEndpoint(
        lambda: bridge.service, bridge.purge_turns, bridge.metrics.purged, config.settings.server.threads
    )
    app.register_blueprint(purge.blueprint())
    app.register_blueprint(pages(bridge.health.page, bridge.readiness, bridge.sampler.text))
    return app


def _metrics() -> "Metrics":
    """Begin to count; the library looks into the environment of the worker while it is being imported."""
    from bridge.observability.metrics import Metrics  # noqa: PLC0415

    return Metrics()
