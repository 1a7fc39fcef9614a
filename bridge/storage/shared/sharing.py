"""With whom the processes of a service share what they know: with other machines too where `cache.backend` says so."""

from collections.abc import Sequence

from bridge.config.identity import identity_of
from bridge.config.loading import Config, ConfiguredConnector
from bridge.resilience.late_connector import make_in_time
from bridge.sdk.connector import AnyConnector
from bridge.sdk.http.certificates import in_the_name_of
from bridge.sdk.shared import Shared, at_hand
from bridge.storage.cache import AnswerCache
from bridge.storage.machine import MachineMemory
from bridge.storage.shared.answers import SharedAnswers
from bridge.storage.shared.client import SharedClient
from bridge.storage.shared.encryption import Encryption
from bridge.storage.shared.limits import Places
from bridge.storage.shared.machine_namespace import MachineNamespace
from bridge.storage.shared.named_values import NamedValues, OwnCount
from bridge.storage.shared.namespace import Namespace


class Sharing:
    """The shared memory of one service, or none; it goes on with that of the `previous` one if it is the same.

    `joins` False keeps the connectors out of it: they are to be tried themselves. `memory` is what the processes of
    this machine count together.
    """

    def __init__(
        self,
        config: Config,
        previous: "Sharing | None" = None,
        *,
        joins: bool = True,
        memory: MachineMemory | None = None,
    ) -> None:
        settings = config.settings.cache
        self._config = config
        self._joins = joins
        self._memory = memory or MachineMemory()
        self._prefix = settings.prefix
        self._secret = config.settings.api_keys[0].get_secret_value()
        self._url = settings.url.get_secret_value() if settings.url else None
        self._client: SharedClient | None = None
        if self._url:
            kept = previous and previous._url == self._url and previous._client  # noqa: SLF001 - another of us
            self._client = kept or SharedClient.at(self._url)
        self._kept = bool(previous and previous._client is self._client)  # noqa: SLF001 - another of us

    def start(self) -> None:
        """Connect in the background, ahead of the first call."""
        if self._client and not self._kept:
            self._client.start()

    def make(self, source: ConfiguredConnector) -> AnyConnector:
        """Make a connector with its part of what is shared."""
        shared = self.shared(source.name, identity_of(source, self._config))

        def make() -> AnyConnector:
            with at_hand(shared), in_the_name_of(source.name):
                return source.connector(source.config)

        connector = make_in_time(source.name, source.connector, source.config, make, source.waits_in)
        connector.shared = shared
        return connector

    def answers(self, connector: AnyConnector, cache: AnswerCache) -> SharedAnswers | None:
        """Return a connector's answers in the shared memory, if there is one and its answers are remembered."""
        shared = connector.shared
        return SharedAnswers(shared, cache) if isinstance(shared, NamedValues) and connector.remembered else None

    def places(self, name: str, connector: AnyConnector) -> Places:
        """Return the places for a connector's lookups."""
        together = connector.shared if isinstance(connector.shared, Namespace) else None
        return Places(self._memory, name, connector.config.max_in_flight, together)

    def of_all(self) -> Shared:
        """Return what all instances tell each other, whichever connectors they have."""
        return self.namespace("forgotten", "") or Shared()

    def stay(self, source: ConfiguredConnector, connector: AnyConnector) -> None:
        """Let a connector that is kept go on, with the keys of this configuration."""
        namespace = self.namespace(source.name, identity_of(source, self._config))
        if namespace and isinstance(connector.shared, Namespace):
            connector.shared.move_to(namespace)

    def namespace(self, name: str, identity: str) -> Namespace | None:
        """Return the part of whoever has this name and identity, if there is a shared memory."""
        if self._client is None or not self._joins:
            return None
        encryption, here = Encryption(self._secret, identity), MachineNamespace(self._memory, name, identity)
        return Namespace(self._client, self._prefix, name, encryption, self._memory, here)

    def shared(self, name: str, identity: str) -> Shared:
        """Return the same; without one, what the processes of this machine share, or one that is alone."""
        if namespace := self.namespace(name, identity):
            return namespace
        if self._joins and self._config.settings.server.workers > 1:
            return MachineNamespace(self._memory, name, identity)
        return OwnCount(self._memory, name)

    def probe(self) -> Sequence[tuple[str, str]]:
        """Ask the server, if there is one, and say why nothing can be shared: an empty text if it can."""
        return [("cache.url", self._client.probe(self._prefix))] if self._client else []

    def troubles(self) -> Sequence[tuple[str, str]]:
        """Say why nothing is shared just now, if so."""
        return [("cache.url", self._client.trouble)] if self._client else []

    def close(self, successor: "Sharing | None" = None) -> None:
        """Give up the connections, unless `successor` goes on with them."""
        if self._client and not (successor and successor._client is self._client):  # noqa: SLF001 - another of us
            self._client.close()
