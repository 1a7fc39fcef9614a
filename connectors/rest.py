"""The rest connector: any CRM with a JSON API over HTTP, described in YAML.

A lookup goes through the configured steps: each asks something, keeps the records that hold the caller's number, and
takes values that the next step uses or that name the owner. `rest_config.py` and `steps.py` say what can be written,
`rest_lookup.py` follows it for one call, `records.py` reads the answers, `http.py` and `auth.py` do the asking.
"""

from collections.abc import Sequence
from typing import ClassVar

from bridge.connector import Call, Connector, Owner
from bridge.deadline import Deadline
from connectors.auth import authentication
from connectors.http import HttpClient, Request
from connectors.masking import Mask
from connectors.rest_config import RestConfig
from connectors.rest_lookup import Lookup


class RestConnector(Connector[RestConfig]):
    """Asks a CRM over HTTP for the owners of a caller."""

    Config: ClassVar[type[RestConfig]] = RestConfig

    def __init__(self, config: RestConfig) -> None:
        super().__init__(config)
        self._client = HttpClient(config)
        own = {"settings": config.settings, "secrets": config.revealed_secrets()}
        self._auth = authentication(config.auth, self._client, config.base_url, names=own)
        self._mask = Mask(config, self._auth.secrets)
        names = [step.names for step in config.steps] + [header.names for header in config.headers.values()]
        self.reads_hotline = any("hotline" in used for used in names)

    def open(self) -> None:
        """Read the certificates and sign in ahead of the first call."""
        self._auth.share(self.shared)
        self._client.warn()
        self._client.prepare(self.config.base_url)
        self._auth.apply(Request("GET", self.config.base_url), Deadline.after(self.config.timeout))

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        """Return the owners that the CRM names, in the order of its answers."""
        return Lookup(self.config, self._client, self._auth, self._mask, call, deadline).owners()

    def close(self) -> None:
        """Close the connections and stop renewing tokens."""
        self._auth.close()
        self._client.close()
