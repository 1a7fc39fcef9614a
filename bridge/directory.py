"""From an owner to extensions: what the company's own lists say, then the connector's answer, then the PBX's list.

An owner's id is compared exactly, because ids may differ by case alone (Salesforce); e-mail, login and name are
compared without regard to case. An owner without an extension is named once in the log, not at every call.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from bridge.connector import Owner

_log = logging.getLogger(__name__)

_EXTENSION = re.compile(r"[0-9]{1,20}", re.ASCII)
_MOST_NAMED = 10_000


class ExtensionMap:
    """One source's list of owners and their extensions."""

    def __init__(self, entries: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._exact: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, tuple[str, ...]] = {}
        for owner, extensions in entries:
            _add(self._exact, owner.strip(), extensions)
            _add(self._folded, fold(owner), extensions)

    def extensions_of(self, owner: Owner) -> tuple[str, ...]:
        """Return the owner's extensions in ringing order, or none."""
        if owner.id and owner.id in self._exact:
            return self._exact[owner.id]
        for key in (owner.email, owner.login, owner.name):
            if key and fold(key) in self._folded:
                return self._folded[fold(key)]
        return ()

    def items(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Return each name as it is written, and where it leads."""
        return self._exact.items()

    def __len__(self) -> int:
        return len(self._exact)


class CurrentMap(Protocol):
    """A list that is read again when it changes; raises SourceError while there never was a good one."""

    def __call__(self) -> ExtensionMap:
        """Return the list in force."""


class Directory:
    """The sources in order, and the first that knows the owner decides.

    `lists` are asked after `inline` and before the connector's own answer counts, those `of_the_pbx` after it.
    """

    def __init__(
        self,
        inline: Mapping[str, Sequence[str]],
        lists: Sequence[CurrentMap] = (),
        of_the_pbx: Sequence[CurrentMap] = (),
    ) -> None:
        self._inline = ExtensionMap(inline.items())
        self._lists = lists
        self._of_the_pbx = of_the_pbx
        self._named: set[Owner] = set()

    def extensions_of(self, owner: Owner) -> tuple[str, ...]:
        """Return the owner's extensions in ringing order, or none; one without any is named in the log.

        Raises SourceError if that cannot be told because a list was never read: unknown is not the same as none.
        """
        found = self.find(owner)
        if not found:
            self._name_once(owner)
        return found

    def find(self, owner: Owner) -> tuple[str, ...]:
        """Return the same, without a word in the log."""
        found = self._inline.extensions_of(owner)
        for current in self._lists:
            found = found or current().extensions_of(owner)
        if not found and owner.extension and _EXTENSION.fullmatch(owner.extension):
            found = (owner.extension,)
        for current in self._of_the_pbx:
            found = found or current().extensions_of(owner)
        return found

    @property
    def without_extension(self) -> int:
        """The number of owners seen so far that have no extension."""
        return len(self._named)

    def _name_once(self, owner: Owner) -> None:
        if owner not in self._named and len(self._named) < _MOST_NAMED:
            self._named.add(owner)
            _log.warning(
                "no extension for %s: add them under 'extensions:' (owners so far: %d)", owner, len(self._named)
            )


def _add(entries: dict[str, tuple[str, ...]], key: str, extensions: Sequence[str]) -> None:
    if key:
        entries[key] = tuple(dict.fromkeys((*entries.get(key, ()), *extensions)))


def fold(text: str) -> str:
    """Return what of an e-mail, login or name is compared."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
