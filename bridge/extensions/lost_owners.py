"""Owners who had an extension in the list in force before, and have none any more: their customers ring nowhere.

A row was taken out, a cell was emptied, a column was renamed: the list is a good one, and nobody notices before the
next customer of that owner calls. So what led to an extension before a list changed, by itself or with the
configuration, and leads nowhere now is told, until it leads somewhere again: to an extension, to a deputy, or to `[]`,
which says that it is meant so. Whoever never had one is not lost: `check --online` and the log name those.
"""

import logging
import threading
from collections.abc import Callable, Collection, Mapping

from bridge.extensions.index import ExtensionMap
from bridge.sdk.connector import Owner
from bridge.sdk.tables.owners import owner_called

_log = logging.getLogger(__name__)

_MOST_SHOWN, _MOST_KEPT = 5, 10_000
_NONE = ExtensionMap()


class LostOwners:
    """Compares each list with what it was when it was last looked at, also across a reload."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, ExtensionMap] = {}
        self._lost: dict[str, str] = {}
        """Names that led to an extension, each with the list in which it did."""

    def trouble(
        self, lists: Mapping[str, ExtensionMap], configured: Collection[str], leads_nowhere: Callable[[Owner], bool]
    ) -> str:
        """Say who has lost his extension, nothing if nobody has.

        `lists` are those in force, by name; one that is not among the `configured` is gone for good.
        """
        with self._lock:
            before = set(self._lost)
            for name, old in list(self._seen.items()):
                new = lists.get(name, old if name in configured else _NONE)
                if new is not old:
                    gone = _leading_before(old, new)
                    self._lost |= dict.fromkeys(gone[: _MOST_KEPT - len(self._lost)], name)
            self._seen = {name: self._seen[name] for name in configured if name in self._seen} | dict(lists)
            self._lost = {owner: name for owner, name in self._lost.items() if leads_nowhere(owner_called(owner))}
            told = _told(self._lost)
        if self._lost.keys() - before:
            _log.warning("%s", told)
        return told


def _leading_before(old: ExtensionMap, new: ExtensionMap) -> list[str]:
    """Return what led to an extension in the old list and leads nowhere in the new one: of each row the first name."""
    gone = (
        (name for name in row.written if old.leads(name) and not new.leads(name)) for row in old.rows if row.extensions
    )
    return list(dict.fromkeys(first for names in gone if (first := next(names, None))))


def _told(lost: Mapping[str, str]) -> str:
    if not lost:
        return ""
    more = f" and {len(lost) - _MOST_SHOWN} more" if len(lost) > _MOST_SHOWN else ""
    lists = ", ".join(dict.fromkeys(lost.values()))
    owners = "1 owner" if len(lost) == 1 else f"{len(lost)} owners"
    return (
        f"{owners} had an extension in {lists} before it changed, and none now: "
        f"{', '.join(list(lost)[:_MOST_SHOWN])}{more}: add them again or name a deputy; if it is meant so, write them "
        "under extensions.inline with []"
    )
