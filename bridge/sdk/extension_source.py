"""The contract between omi-bridge and a list of extensions that lies elsewhere: a database, the PBX itself.

A source is read as a whole, in the background and on a schedule; no call ever waits for it. The schedule, the last
good list and the distrust are not its business: they are built around it. Types are registered under the entry-point
group `omi_bridge.extensions`, and their names are the keys that may stand under `extensions:`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from bridge.sdk.deadline import Deadline
from bridge.sdk.disk.own_file import Beginning
from bridge.sdk.settings import Duration, LocalPath, Written

KEPT_LIST_BEGINS = b'{"salt": '
"""How a file begins in which a list is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionEntry:
    """Somebody who can be rung: what leads to them, each kind for itself, and their extensions.

    An id is compared with owners' ids only, and exactly; an e-mail, a login and a name with their own kind, without
    regard to case. A name that several entries have, with different extensions, leads to nobody unless an id, e-mail
    or login says that they are one person.
    """

    ids: Sequence[str] = ()
    emails: Sequence[str] = ()
    logins: Sequence[str] = ()
    names: Sequence[str] = ()
    extensions: Sequence[str] = ()


class ExtensionSourceConfig(BaseModel):
    """The settings of one source of extensions; unknown keys are errors, and errors never repeat a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    refresh: Duration = Field(default=900.0, description="How often the list is read again.")
    timeout: Duration = Field(default=60.0, description="How long one reading of the whole list may take.")
    keep: Annotated[LocalPath | None, Written(Beginning(KEPT_LIST_BEGINS))] = Field(
        default=None, description="A file with the last good list, for a start while the source is away."
    )


C = TypeVar("C", bound=ExtensionSourceConfig)


class ExtensionSource(ABC, Generic[C]):
    """One list of owners and their extensions; asked by one thread at a time."""

    Config: ClassVar[type[ExtensionSourceConfig]]
    """The model of the settings; an instance of it is what `__init__` gets."""

    of_the_pbx: ClassVar[bool] = False
    """True says that the list is the PBX's own: it is asked after the connector's own answer, and it knows every
    extension that there is."""

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def read(self, deadline: Deadline) -> Iterable[ExtensionEntry]:
        """Return the whole list.

        Raises SourceUnavailable, SourceRejected or UnexpectedAnswer if that is not possible now; the last good list
        stays in force then. No single wait may go beyond `deadline.remaining()`.
        """

    def report(self) -> Sequence[str]:
        """Return what is worth a note about the list that was read last, for the log and `omi-bridge check`.

        A line that asks somebody to act is an `Attention("…")`: it is shown as a warning.
        """
        return ()

    def close(self) -> None:
        """Release what `read` acquired; called by the thread that reads, or once there is none."""


AnyExtensionSource = ExtensionSource[Any]
