"""The contract between omi-bridge and a connector: everything that a connector needs to know is in this file.

A connector asks one source (a CRM, a file, a database) for the owners of a caller. Caching, threads, retries,
logging and the two seconds are not its business: they are built around it, the same for everyone.
`connectors/README.md` shows a complete one on one screen.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from bridge.sdk.deadline import Deadline
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.settings import Duration, Switch
from bridge.sdk.shared import Shared


def _unheard(_line: str) -> None:
    """Drop an explanation that nobody asked for."""


def _not_needed(_owners: Sequence["Owner"]) -> None:
    """Drop owners that are known early: nobody answers before all are known."""


class Attention(str):
    """A line of a report that tells of something that somebody should see to: `check` shows it as a warning."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Call:
    """The question: who looks after `caller`, who dialled `hotline`.

    `explain` takes one line of explanation for `omi-bridge lookup --explain`; most calls have nobody listening, so
    check `explained` before composing anything costly. Lines must not hold secrets; known ones are masked once more.

    `so_far` takes the owners that are known while others are still asked for, in ringing order; what it was told last
    counts. If `find_owners` then raises SourceError, or does not come back in time, they are the answer: a partial one,
    which is never remembered. Without it, or with nobody told, a failure is a failure.
    """

    caller: PhoneNumber
    hotline: PhoneNumber | None = None
    explain: Callable[[str], None] = field(default=_unheard, compare=False, repr=False)
    so_far: Callable[[Sequence["Owner"]], None] = field(default=_not_needed, compare=False, repr=False)

    @property
    def explained(self) -> bool:
        """Tell whether somebody reads the explanations."""
        return self.explain is not _unheard


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who looks after a customer, as the source names them; at least one field is filled.

    `id`, `email`, `login` and `name` lead to an extension through the configuration's `extensions`;
    `extension` is one that the source itself knows: digits, kept as written. `record` says in which of the source's
    records the owner stands for this caller, by their ids, `42, 43`, or as people find them, `customers.csv:12`: for
    people who ask why, and for a CRM that tells which record has changed.
    """

    id: str | None = None
    email: str | None = None
    login: str | None = None
    name: str | None = None
    extension: str | None = None
    record: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Name what is known, for logs and explanations: `id 7, email lan@congty.example`."""
        known = ((name, getattr(self, name)) for name in ("id", "email", "login", "name", "extension"))
        return ", ".join(f"{name} {value}" for name, value in known if value)


Owners = tuple[Owner, ...]


@dataclass(frozen=True, slots=True)
class Customer:
    """A record of the source that has telephone numbers.

    `owners` are who looks after him, in ringing order; none if nobody does, and None if that cannot be told from the
    list, so that the source is asked when he calls. Of records with the same number those of the lowest `rank` decide,
    unless none of their owners counts. `record` tells it from all others of the list: an id, behind the number of its
    list and a colon if there are several lists; with `gone` it is there no more, or has no numbers.
    """

    numbers: Sequence[PhoneNumber]
    owners: Owners | None
    record: str = ""
    rank: int = 0
    gone: bool = False


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Some customers; `after` is where a reading goes on behind them, "" if it cannot be resumed there.

    `total` is how many customers there are, if the source says so.
    """

    customers: Sequence[Customer] = ()
    after: str = ""
    total: int | None = None
    seen: int = field(default=-1)
    """How many records of the source it has, those without a number included; as many as customers if left out."""

    @property
    def records(self) -> int:
        """How many records of the source were read for it."""
        return len(self.customers) if self.seen < 0 else self.seen


class SnapshotSettings(BaseModel):
    """What is set under `snapshot` of a connector: its customers are read ahead."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    every: Duration = Field(description="How often the customers are read, or what has changed of them.")
    only: Switch = Field(
        default=False,
        description="Whether a caller who is not among the customers is nobody, without the CRM being asked: for CRMs "
        "without a search by number.",
    )
    whole: Duration = Field(
        default=21600.0,
        description="How often all customers are read where the CRM tells what has changed: who was deleted is "
        "noticed then.",
    )


class ConnectorConfig(BaseModel):
    """The settings of one connector in the YAML file: subclass it and add fields.

    Unknown keys are errors, values cannot be changed later, and errors never repeat a value. Use `SecretStr` for what
    nobody may see: such values are masked in every log line and explanation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    timeout: Duration = Field(
        default=5.0,
        description="How long one lookup may go on in the source. Longer than server.deadline is useful: an answer "
        "that comes too late for the call is remembered for the next one.",
    )
    max_in_flight: int = Field(
        default=32, ge=1, le=1000, description="How many lookups may be under way in the source at the same time."
    )
    snapshot: SnapshotSettings | None = Field(
        default=None,
        description="Reads all customers ahead, so that whoever calls is answered at once, and while the CRM is away: "
        "{every: 10m}. Only for connectors that can list their customers.",
    )


C = TypeVar("C", bound=ConnectorConfig)


class Connector(ABC, Generic[C]):
    """One source of owners, opened once and then asked from many threads at the same time.

    Keep nothing about a single call on `self`.
    """

    Config: ClassVar[type[ConnectorConfig]]
    """The model of the settings; an instance of it is what `__init__` gets."""

    reads_hotline: bool = True
    """False promises that the answer does not depend on `call.hotline`, so that it is remembered for all hotlines."""

    remembered: bool = True
    """False says that asking costs next to nothing, so that every call asks and a changed source acts at once."""

    needs_network: bool = True
    """False promises that `open` asks nobody outside this machine, so that `omi-bridge check` may always do it."""

    lists_customers: bool = False
    """True promises that `list_customers` can name all customers that `find_owners` finds by their numbers."""

    lists_changes: bool = False
    """True promises that `list_customers` can leave out what has not changed since a time."""

    opening_takes: float = 0.0
    """Seconds that `open` may well take: so long a reload waits for it, while the configuration before answers."""

    shared: Shared = Shared()
    """What this connector knows together with itself in other instances of the service, such as a token; given before
    `open`. Answers are shared without it."""

    def __init__(self, config: C) -> None:
        self.config = config
        self.kept = ListState()
        """What is kept of its lists through a restart, and what of them is doubted; given before `open`."""
        self.explain_ahead: Callable[[str], None] = _unheard
        """Takes a line about what is done ahead of calls (signing in, reading a list), for `lookup --explain`.

        It is given before `open`, and called from any thread. Lines must not hold secrets.
        """

    def open(self) -> None:
        """Prepare for the first call: read the file, sign in. May take long; runs once, in a thread of its own.

        Raise SourceError if that is not possible now: it is tried again later.
        """

    @abstractmethod
    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        """Return the owners of the caller in ringing order, or nothing if the source answered that there are none.

        Nothing may be remembered as the answer, so never return it for a failure. Raise `SourceUnavailable` if asking
        again later may work (network, 5xx, 429), `SourceRejected` if somebody must act first (credentials, rights),
        `UnexpectedAnswer` if what came does not fit. No single wait may go beyond `deadline.remaining()`.
        """

    def list_customers(self, after: str = "", since: float | None = None) -> Iterator[CustomerPage]:
        """Give all customers who have a number, page by page, as `find_owners` would find them: for `snapshot`.

        With `after`, what a page has said, go on behind that page. With `since`, a time in seconds since 1970, give
        those alone who have changed from then on, those who were deleted as `gone` if the source tells them. No single
        wait may go on for ever. A list that ends is whole: raise SourceError as `find_owners` does if it is not.
        """
        raise NotImplementedError

    def counting(self, owners: Owners, explain: Callable[[str], None] = _unheard) -> Owners:  # noqa: ARG002
        """Return who of a customer's listed owners counts at this moment, and what else is known of him.

        Must not wait. Raise SourceError if that cannot be told.
        """
        return owners

    def report(self) -> Sequence[str]:
        """Return what `omi-bridge check` should tell about the source after `open`: rows read, rows skipped and why.

        A line that is no mere fact, but asks somebody to act, is an `Attention("…")`: it is shown as a warning.
        """
        return ()

    def owners_known(self) -> Sequence[Owner]:
        """Return every owner that the source can name without being asked for a caller, or nothing if it cannot.

        For the report of `omi-bridge check --online` alone; may wait as long as `open`, and raises SourceError as it.
        """
        return ()

    def customers_known(self) -> Mapping[Owner, int]:
        """Return how many customers each of `owners_known` has, nothing where that is not known without asking.

        For the same report, which then says how many callers ring nobody.
        """
        return {}

    def trouble(self) -> str:
        """Return what is wrong with the source though it still answers (a file that cannot be read again), or nothing.

        Must not wait.
        """
        return ""

    def unsettled(self) -> str:
        """Return the name of a file that is just being written and was not read as a whole yet, or nothing.

        A reload waits for it, while the configuration before answers. Must not wait.
        """
        return ""

    def content_age(self) -> float | None:
        """Return how many seconds old the file or list is that answers come from, None if the source itself is asked.

        For a file that is since it was written, for a list that is read ahead since it was last read. Must not wait.
        """
        return None

    def close(self) -> None:
        """Release what `open` and `find_owners` acquired: connections, threads."""


AnyConnector = Connector[Any]
