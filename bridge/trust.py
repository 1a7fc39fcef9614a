"""A connector is somebody else's code: what it returns is checked, and what it raises told, before it counts."""

import logging
import traceback
from collections.abc import Sequence
from itertools import islice

from bridge.answer import Owners
from bridge.connector import AnyConnector, Owner
from bridge.errors import SourceError, UnexpectedAnswer
from bridge.phone import PhoneNumber

_log = logging.getLogger(__name__)

_MOST_OWNERS = 100


def trusted(found: Sequence[Owner]) -> Owners:
    """Return what a connector gave, each owner once; raises TypeError or ValueError if it breaks the contract."""
    if not isinstance(found, Sequence) or isinstance(found, (str, bytes)):
        raise TypeError(f"it returned {type(found).__name__} instead of a sequence of owners")
    owners = tuple(dict.fromkeys(_owner(item) for item in islice(found, _MOST_OWNERS + 1)))
    if len(owners) > _MOST_OWNERS:
        raise ValueError(f"it returned more than {_MOST_OWNERS} owners for one caller")
    return owners


def _owner(item: object) -> Owner:
    if not isinstance(item, Owner):
        raise TypeError(f"it returned {type(item).__name__} instead of an owner")
    values = (item.id, item.email, item.login, item.name, item.extension)
    if not all(value is None or isinstance(value, str) for value in values) or not any(values):
        raise TypeError("it returned an owner whose fields are no texts, or all empty")
    return item


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
    text = "".join(traceback.format_exception(error))
    for form in caller.forms if caller else ():
        text = text.replace(form, caller.masked if caller else "")
    _log.error("connector %s has a bug:\n%s", name, text)
    return UnexpectedAnswer(f"a bug in the connector: {type(error).__name__}")
