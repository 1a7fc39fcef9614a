"""The rest connector: any CRM with a JSON API over HTTP, described in YAML.

A lookup goes through the configured steps: each asks something, keeps the records that hold the caller's number, and
takes values that the next step uses or that name the owner. `config/config.py` and `config/steps.py` say what can be
written, `step_runner.py` follows it for one call, a few rows at a time by `fan_out.py`, `request_sender.py` sends the
requests, by means of `bridge.sdk.http` and `auth/choices.py`, and `records.py` reads the answers. `user_list.py` keeps
a list of the CRM's users, if there is one, and `customer_list.py` lists its customers.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from bridge.sdk import Call, Connector, CustomerPage, Deadline, Owner, Owners, SourceRejected
from bridge.sdk.http import HttpClient, Repeats, Request
from connectors.rest.auth.choices import authentication
from connectors.rest.config.config import RestConfig
from connectors.rest.customer_list import CustomerList, counting, tells_changes
from connectors.rest.fan_out import HelperPlaces
from connectors.rest.masking import Mask
from connectors.rest.records import Row, owners
from connectors.rest.request_sender import ExplainedSender, RestContext
from connectors.rest.step_runner import StepRunner
from connectors.rest.user_list import UserList, read_users


class RestConnector(Connector[RestConfig]):
    """Asks a CRM over HTTP for the owners of a caller.

    `client` is the door to the network; a test gives its own.
    """

    Config: ClassVar[type[RestConfig]] = RestConfig

    def __init__(self, config: RestConfig, client: HttpClient | None = None) -> None:
        super().__init__(config)
        self._client = client or HttpClient(config)
        sign_in = ExplainedSender(
            self._client, lambda: self._context.mask, lambda line: self.explain_ahead(f"sign-in: {line}")
        )
        self._auth = authentication(config.auth, sign_in, config.base_url, names=config.own_names())
        self._context = RestContext(
            config, self._client, Repeats(self._client.send), self._auth, Mask(config, self._auth.secrets)
        )
        self._users = UserList(self._read_users, config.users.refresh, kept=lambda: self.kept) if config.users else None
        self._places = HelperPlaces(config.max_in_flight)
        self.opening_takes = config.users.timeout if config.users else 0.0
        names = [step.names for step in config.steps] + [header.names for header in config.headers.values()]
        self.reads_hotline = any("hotline" in used for used in names)
        self.lists_customers = bool(config.listing) and not self.reads_hotline
        self.lists_changes = tells_changes(config.listing)

    def open(self) -> None:
        """Read the certificates, sign in and read the users ahead of the first call."""
        self._auth.share(self.shared)
        self._client.warn()
        self._client.prepare(self.config.base_url)
        self._auth.apply(Request("GET", self.config.base_url), Deadline.after(self.config.timeout))
        if self._users:
            self._users.share(self.shared)
            self._users.open()

    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        """Return the owners that the CRM names, in the order of its answers."""
        if not self.config.steps:
            raise SourceRejected("it has no search by number: its customers are read ahead, and nobody is asked")
        with self._places.lookup():
            found = tuple(StepRunner(self._context, self._users, self._places, call, deadline).owners())
        return self._users.told_apart(found, call.explain) if self._users else found

    def list_customers(self, after: str = "", since: float | None = None) -> Iterator[CustomerPage]:
        """Give the customers that the steps under `list` find, with owners as the CRM names them."""
        return CustomerList(self._context, since, self.explain_ahead).pages(after)

    def counting(self, owners: Owners, explain: Callable[[str], None] = lambda _line: None) -> Owners:
        """Return those who are among the users, if there is a list of them."""
        return counting(owners, self._users, explain) if self._users else owners

    def report(self) -> Sequence[str]:
        """Return how many users are in the list, if there is one."""
        return [f"users: {self._users}"] if self._users else ()

    def owners_known(self) -> Sequence[Owner]:
        """Return the users in the list, if there is one."""
        return owners(self._users.rows()) if self._users else ()

    def content_age(self) -> float | None:
        """Return how old the list of users is, None if there is none."""
        return self._users.content_age() if self._users else None

    def trouble(self) -> str:
        """Return why the list of users could not be read the last time, or a token not be kept, or nothing."""
        return "; ".join(filter(None, (self._users.trouble if self._users else "", self._auth.trouble)))

    def close(self) -> None:
        """Close the connections, and stop renewing tokens, reading users and doubling requests."""
        if self._users:
            self._users.close()
        self._auth.close()
        self._context.repeats.close()
        self._client.close()

    def _read_users(self) -> Sequence[Row]:
        users = self.config.users
        return (
            () if users is None else read_users(self._context, users, lambda line: self.explain_ahead(f"users: {line}"))
        )
