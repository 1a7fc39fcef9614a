"""A connector is somebody else's code: what it returns is checked, and what it raises told, before it counts.

Nothing of a stranger's making is passed on, neither his owners nor his errors: what leaves here is made anew of plain
texts, so that no method of his (a `__str__` that fails, an `__eq__` that waits) is run by a call that is answered.
"""

import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from bridge.sdk.connector import AnyConnector, Attention, Owner, Owners
from bridge.sdk.errors import SourceBusy, SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.records import each_once

_log = logging.getLogger(__name__)

_MOST_OWNERS = 100
_MOST_REPEATED = 100
_MOST_LINES = 1000
_LONGEST_FIELD = 1000  # characters
_LONGEST_MESSAGE = 2000
_LONGEST_TRACEBACK = 20_000


def sanitised_owners(found: Sequence[Owner], most: int = _MOST_OWNERS) -> Owners:
    """Return what a connector gave, each owner once; raises TypeError or ValueError if it breaks the contract."""
    if not isinstance(found, Sequence) or isinstance(found, (str, bytes)):
        raise TypeError(f"it returned {type(found).__name__} instead of a sequence of owners")
    limit = most * _MOST_REPEATED
    given = [_owner(item) for item in islice(found, limit + 1)]
    if len(given) > limit or len(set(given)) > most:
        raise ValueError(f"it returned more than {most} owners at once")
    return each_once(given)


def sanitised_customers(found: Mapping[Owner, int]) -> dict[Owner, int]:
    """Return how many customers owners have, as a connector says; raises TypeError if it breaks the contract."""
    if not isinstance(found, Mapping):
        raise TypeError(f"it returned {type(found).__name__} instead of numbers by owner")
    customers: dict[Owner, int] = {}
    for item, count in found.items():
        if not isinstance(count, int):
            raise TypeError("it returned something that is no number of customers")
        customers[_owner(item)] = int(count)
    return customers


def _owner(item: object) -> Owner:
    if not isinstance(item, Owner):
        raise TypeError(f"it returned {type(item).__name__} instead of an owner")
    texts = (item.id, item.email, item.login, item.name, item.extension, item.record)
    owner = Owner(*map(_field, texts))
    if not any((owner.id, owner.email, owner.login, owner.name, owner.extension)):
        raise TypeError("it returned an owner whose fields are all empty")
    return owner


def _field(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("it returned an owner whose fields are no texts")
    if len(text := _plain(value)) > _LONGEST_FIELD:
        raise ValueError(f"it returned an owner with a text of more than {_LONGEST_FIELD} characters")
    return text


def _plain(text: str) -> str:
    """Return a copy that is no subclass, and that can be written down: halves of characters become question marks."""
    return str.__str__(text).encode("utf-8", "replace").decode("utf-8")


def lines(said: Iterable[str] | str) -> Sequence[str]:
    """Return what a connector reports as plain lines, or as `Attention`; raises TypeError if it is something else."""
    found = [said] if isinstance(said, str) else list(islice(said, _MOST_LINES))
    if not all(isinstance(line, str) for line in found):
        raise TypeError("it reported something that is no text")
    return [(Attention if isinstance(line, Attention) else str)(_plain(line)[:_LONGEST_MESSAGE]) for line in found]


def failure_of(name: str, error: BaseException, caller: PhoneNumber | None = None) -> SourceError:
    """Return what a connector's error means; whatever is no SourceError is a bug, and logged as one."""
    if not isinstance(error, SourceError):
        return bug_in(name, error, caller)
    try:
        words = _masked(_plain(str(error)), caller)[:_LONGEST_MESSAGE]
        pause = getattr(error, "retry_after", None)
    except BaseException as another:  # noqa: BLE001 - a stranger's code
        return bug_in(name, another, caller)
    for kind in (SourceBusy, SourceUnavailable):
        if isinstance(error, kind):
            return kind(words, retry_after=pause)
    for other in (SourceRejected, UnexpectedAnswer):
        if isinstance(error, other):
            return other(words)
    return SourceError(words)


def content_age(name: str, connector: AnyConnector) -> float | None:
    """Return how many seconds old a connector says that its file or list is, None if it has none; never raises."""
    try:
        age = connector.content_age()
        return None if age is None else max(0.0, float(age))
    except BaseException as error:  # noqa: BLE001 - a stranger's code
        bug_in(name, error)
        return None


def bug_in(name: str, error: BaseException, caller: PhoneNumber | None = None) -> SourceError:
    """Log a fault in a connector's code with its traceback, without the caller's number; return it as a failure."""
    kind = type.__getattribute__(type(error), "__name__")
    try:
        text = "".join(traceback.format_exception(error))[-_LONGEST_TRACEBACK:]
    except BaseException:  # noqa: BLE001 - a stranger's code
        text = f"{kind}, which cannot be shown"
    _log.error("connector %s has a bug:\n%s", name, _masked(text, caller))
    return UnexpectedAnswer(f"a bug in the connector: {kind}")


def _masked(text: str, caller: PhoneNumber | None) -> str:
    return caller.masked_in(text) if caller else text
