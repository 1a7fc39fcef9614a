"""What every way of proving who we are offers to the rest connector."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Protocol

from bridge.sdk import Deadline, Shared
from bridge.sdk.http import Request, Response


class Sender(Protocol):
    """Sends a request: the door to the network, or somebody in front of it."""

    def send(self, request: Request, deadline: Deadline, /) -> Response:
        """Return the answer, whatever its status. Raises SourceError if there is none."""


class Authentication(ABC):
    """Puts credentials into requests; asked from many threads at once."""

    @abstractmethod
    def apply(self, request: Request, deadline: Deadline) -> Request:
        """Return the request with the credentials, after signing in if that is needed. Raises SourceError."""

    def share(self, shared: Shared) -> None:  # noqa: B027 - nothing to share is the usual case
        """Use what other instances have got by signing in, and let them use what this one gets."""

    def names(self, deadline: Deadline) -> Mapping[str, object]:  # noqa: ARG002 - part of the interface
        """Return what a login yielded, for templates as {{ login.NAME }}. Raises SourceError."""
        return {}

    def expired(self, response: Response) -> bool:  # noqa: ARG002 - part of the interface
        """Tell whether the answer means that we have to sign in again."""
        return False

    def renew(self, used: Request, deadline: Deadline) -> bool:  # noqa: ARG002 - part of the interface
        """Forget the token in a request that was answered so, unless there is a newer one already.

        Returns whether asking once more makes sense.
        """
        return False

    def secrets(self) -> Iterable[str]:
        """Return the secrets that are not in the configuration, such as live tokens, to be masked everywhere."""
        return ()

    @property
    def trouble(self) -> str:
        """What is wrong though requests can still be signed, or nothing."""
        return ""

    def close(self) -> None:  # noqa: B027 - nothing to do is the usual case
        """Stop what goes on in the background."""
