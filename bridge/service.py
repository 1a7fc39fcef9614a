"""All that answers calls under one configuration, opened and closed together.

A reload makes the next one beside the one in force; it keeps the guards of connectors whose settings did not change,
and with them what they remember. Until `take_over` nothing of the one in force is changed: a candidate that is refused
is closed, and leaves no trace.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from bridge.config.identity import identity_of, identity_of_list
from bridge.config.loading import Config, ConfiguredConnector
from bridge.extensions.lists import ExtensionLists
from bridge.extensions.polled_list import PolledList
from bridge.lookup.guard import Guard
from bridge.lookup.hedging import AdmissionLimit
from bridge.lookup.lookup import Lookup, Plan
from bridge.lookup.meter import Meter
from bridge.lookup.sightings import Sightings
from bridge.resilience.sanitizing import content_age
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import BridgeError, SourceError
from bridge.sdk.shared import Moments
from bridge.storage.cache import AnswerCache
from bridge.storage.cache_file import CacheFile
from bridge.storage.forgotten import Forgotten
from bridge.storage.machine import MachineMemory
from bridge.storage.purges.marks import Purge
from bridge.storage.purges.purges import Purges
from bridge.storage.shared.sharing import Sharing
from bridge.storage.snapshot.snapshot import CustomerSnapshot, Files

_PAUSE = 0.1
_PATIENCE = 10.0

MeterOf = Callable[[str], Meter]
"""Gives what a connector's guard tells of its work, by the connector's name."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The service at a moment. `ages` are those of files and lists in seconds, by name; `doubted` are their names."""

    connectors: Sequence[Guard]
    ages: Mapping[str, float]
    without_extension: int
    troubles: int
    doubted: frozenset[str] = frozenset()
    read_ahead: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """How many customers are read, and how many there are, by connector."""


class ReloadRefused(BridgeError):
    """A configuration that is valid may not take the place of the one in force; `problems` say why, secrets masked."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Service:
    """All that answers calls under one configuration; `memory` is what the processes of this machine count together.

    `forgotten` are the callers of whom nothing from before may be used, `purges` what a CRM has had forgotten.
    """

    def __init__(  # noqa: PLR0913 - all that a service joins
        self,
        config: Config,
        previous: "Service | None" = None,
        meter: MeterOf | None = None,
        *,
        shares: bool = True,
        memory: MachineMemory | None = None,
        forgotten: Forgotten | None = None,
        purges: Purges | None = None,
    ) -> None:
        self.config = config
        self.forgotten = forgotten or forgotten_of(config)
        self._meter = meter
        self._memory = memory or MachineMemory()
        self.purges = purges or purges_of(config, self._memory)
        self.deadline = config.settings.server.deadline
        self.api_keys = tuple(key.get_secret_value().encode() for key in config.settings.api_keys)
        self.purge_keys = tuple(key.get_secret_value().encode() for key in config.settings.purge_keys)
        self.trusted_proxies = config.settings.server.trusted_proxies
        self.allow = config.settings.server.allow
        self.cache_file = _cache_file(config, previous, self.forgotten, self.purges)
        before = previous.sharing if previous else None
        self.sharing: Sharing = Sharing(config, before, joins=shares, memory=self._memory)
        self.guards = {name: self._guard(source, previous) for name, source in config.sources.items()}
        self.extensions: ExtensionLists = ExtensionLists(config, previous.extensions if previous else None)
        for source in self.extensions.sources:
            if not (previous and source in previous.extensions.sources):
                self._share(source)
        server = config.settings.server
        admission = AdmissionLimit.of(server.threads)
        plan = Plan(config.routes, config.settings.phone.region, server.hedge_after, admission)
        self.lookup = Lookup(self.guards, self.extensions.directory, plan)
        self._kept = set(previous.guards.values()) & set(self.guards.values()) if previous else set()

    def open(self, patience: float, *, writes: bool = True) -> None:
        """Open what is not open yet, waiting no longer than `patience` seconds; the rest goes on in the background.

        `writes` False keeps nothing of it on disk before `take_over`.
        """
        self.extensions.start(writes=writes)
        fresh = [guard for guard in self.guards.values() if guard not in self._kept]
        for guard in fresh:
            guard.connector.kept.writes = writes
            guard.opening.start()
            if guard.read_ahead:
                guard.read_ahead.start(reads=writes)
        end = time.monotonic() + patience
        self.sharing.start()
        if self.cache_file:
            self.cache_file.start()
            self.cache_file.wait_until_loaded(patience)
        for guard in fresh:
            guard.opening.wait(max(0.0, end - time.monotonic()))
        self.extensions.wait_until_ready(end)

    def unsettled(self) -> list[str]:
        """Return the names of the files that are just being written, as far as this configuration brought them."""
        named = [guard.unsettled for guard in self.guards.values() if guard not in self._kept]
        return list(dict.fromkeys(filter(None, [*named, *self.extensions.unsettled()])))

    def settle(self, patience: float) -> str:
        """Wait until no file is being written any more, `patience` seconds at most; return what was waited for."""
        began, names = time.monotonic(), self.unsettled()
        waited_for = [guard for guard in self.guards.values() if guard not in self._kept and guard.unsettled]
        pause = threading.Event()
        while self.unsettled() and time.monotonic() - began < patience:
            pause.wait(_PAUSE)
        for guard in waited_for:
            if guard.opening.trouble:
                with suppress(SourceError):  # which is what its trouble says then
                    guard.opening.attempt()
        seconds = time.monotonic() - began
        return f"waited {seconds:.1f} s for {', '.join(names)}, which was being written" if names else ""

    def take_over(self) -> None:
        """Change what goes on from the previous service to how this configuration wants it: it is in force now."""
        for name, guard in self.guards.items():
            if guard in self._kept:
                guard.patience = self.deadline
                self.sharing.stay(self.config.sources[name], guard.connector)
            guard.connector.kept.writes = True
            if guard.read_ahead:
                guard.read_ahead.start(reads=True)
        self.extensions.begin_writing()
        for source in self.extensions.sources:
            self._share(source)

    def lost_since(self, previous: "Service") -> str:
        """Say what was there under the previous configuration and is not under this one, and why not, or nothing.

        A connector that has much to read before it is open is waited for.
        """
        if names := self.unsettled():
            return f"{', '.join(names)}: is still being written: reload again when it is complete"
        if missing := self.extensions.missing_since(previous.extensions):
            return missing
        for name, guard in self.guards.items():
            before = previous.guards.get(name)
            if (
                before
                and not before.opening.wait(_PATIENCE)
                and (why := guard.opening.wait(guard.connector.opening_takes))
            ):
                return f"connector {name}: {why}"
        return ""

    def troubles(self) -> dict[str, str]:
        """Say for each part that is not well why not."""
        parts = [(f"connector {name}", guard.trouble) for name, guard in self.guards.items()]
        parts += self.extensions.troubles()
        parts += [("cache.path", self.cache_file.trouble)] if self.cache_file else []
        parts += self.sharing.troubles()
        parts += [("purge_keys", self.purges.trouble)]
        return {part: trouble for part, trouble in parts if trouble}

    def rejected(self) -> frozenset[str]:
        """Return the parts of which nothing changes until somebody acts, where `troubles` does not say so.

        The words on a connector that is open begin with the kind of its failure.
        """
        return frozenset(f"connector {name}" for name, guard in self.guards.items() if guard.opening.is_rejected)

    def answers(self) -> Mapping[str, Moments]:
        """Return when each connector's source has last answered in time, by the connector's name."""
        return {name: guard.seen.answers for name, guard in self.guards.items()}

    def waited_for(self) -> dict[str, str]:
        """Say for each part that was not tried yet what it is doing."""
        fresh = [name for name, guard in self.guards.items() if not guard.opening.is_tried]
        found = {f"connector {name}": self.guards[name].opening.trouble for name in fresh}
        if self.cache_file and not self.cache_file.wait_until_loaded(0):
            found["cache.path"] = "what was kept is still being read"
        return found | self.extensions.waited_for()

    def snapshot(self, troubles: int) -> Snapshot:
        """Return what can be seen of the service just now."""
        ages = [(name, content_age(name, guard.connector)) for name, guard in self.guards.items()]
        ages += self.extensions.content_ages()
        ages += [
            (f"{name}.snapshot", guard.read_ahead.snapshot.age)
            for name, guard in self.guards.items()
            if guard.read_ahead
        ]
        known = {name: age for name, age in ages if age is not None}
        doubted = frozenset(name for name, guard in self.guards.items() if guard.connector.kept.doubted)
        unmapped = self.extensions.directory.without_extension
        doubted |= frozenset(self.extensions.doubted())
        read = {name: one.read_ahead.snapshot.counted() for name, one in self.guards.items() if one.read_ahead}
        return Snapshot(tuple(self.guards.values()), known, unmapped, troubles, doubted, read)

    def list_states(self) -> Iterator[ListState]:
        """Give what is kept of each list: the connectors', and those of extensions."""
        yield from (guard.connector.kept for guard in self.guards.values())
        yield from (file.kept for file in self.extensions.files())
        yield from (source.kept for source in self.extensions.sources)

    def purge(self, purge: Purge) -> None:
        """Let nothing answer any more that was learnt of these before now. Raises SourceBusy and OSError.

        What was read ahead tells whose numbers a record has.
        """
        snapshots = [guard.read_ahead.snapshot for guard in self.guards.values() if guard.read_ahead]
        found = (caller for one in snapshots for record in purge.records for caller in one.callers_of(record))
        self.purges.purge(replace(purge, callers=purge.callers | frozenset(found)))

    def close(self, successor: "Service | None" = None) -> None:
        """Release everything but the guards that `successor` goes on with."""
        self.extensions.close(successor.extensions if successor else None)
        for guard in self.guards.values():
            if successor is None or guard not in successor.guards.values():
                guard.close()
                if self.cache_file and successor:
                    self.cache_file.forget(guard.cache)
        if self.cache_file and not (successor and successor.cache_file is self.cache_file):
            self.cache_file.close()
        self.sharing.close(successor.sharing if successor else None)

    def _share(self, source: PolledList) -> None:
        source.share(self.sharing.shared(source.name, identity_of_list(source.settings)))

    def _guard(self, source: ConfiguredConnector, previous: "Service | None") -> Guard:
        settings = self.config.settings.cache
        if previous and previous.config.sources.get(source.name) == source:
            kept = previous.guards[source.name]
            if settings == previous.config.settings.cache or not kept.connector.remembered:
                return kept
        connector, cache = (
            self.sharing.make(source),
            AnswerCache(settings, forgotten=self.forgotten, purges=self.purges),
        )
        if self.cache_file and connector.remembered:
            self.cache_file.keep(identity_of(source, self.config), cache)
        connector.kept = ListState(self.config.lists_folder, source.name)
        shared = self.sharing.answers(connector, cache)
        meter = self._meter(source.name) if self._meter else None
        places = self.sharing.places(source.name, connector) if connector.remembered else None
        identity, snapshot = identity_of(source, self.config), None
        if connector.config.snapshot:
            files, lives = Files(self.config.snapshots_folder, source.name), (settings.ttl, settings.stale_ttl)
            snapshot = CustomerSnapshot(connector, files, identity, lives, self.forgotten, purges=self.purges)
            snapshot.look()  # a command that is no service answers from it, too
        return Guard(
            source.name,
            connector,
            cache,
            patience=self.deadline,
            meter=meter,
            shared=shared,
            places=places,
            forgotten=self.forgotten,
            purges=self.purges,
            seen=Sightings.of(self._memory, source.name, identity),
            snapshot=snapshot,
        )


def forgotten_of(config: Config) -> Forgotten:
    """Return who was forgotten, as known by now."""
    found = Forgotten(config.forgotten_file, config.settings.api_keys[0].get_secret_value().encode())
    found.look()
    return found


def purges_of(config: Config, memory: MachineMemory) -> Purges:
    """Return what was purged, as the processes of this machine know by now."""
    return Purges(memory, config.purged_file, config.settings.api_keys[0].get_secret_value().encode())


def _cache_file(config: Config, previous: Service | None, forgotten: Forgotten, purges: Purges) -> CacheFile | None:
    path = config.settings.cache.path
    if previous and previous.cache_file and previous.cache_file.path == path:
        return previous.cache_file
    return CacheFile(path, forgotten=forgotten, purges=purges) if path else None
