"""From an owner to extensions: what the company's own lists say, then the connector's answer, then the PBX's list.

How one list is asked stands in `index`. An owner without an extension is named once in the log, not at every
call.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence

from bridge.extensions.index import ExtensionMap, inline_map
from bridge.sdk.connector import Owner

_log = logging.getLogger(__name__)

_EXTENSION = re.compile(r"[0-9]{1,20}", re.ASCII)
_MOST_NAMED = 10_000
_PLAIN_KEY = re.compile(r"\w[\w.@+-]*")


class Directory:
    """The sources in order, and the first that knows the owner decides.

    `lists` are asked after `inline` and before the connector's own answer counts, those `of_the_pbx` after it. Each
    gives the list in force, and raises SourceError while there never was a good one.
    """

    def __init__(
        self,
        inline: Mapping[str, Sequence[str]],
        lists: Sequence[Callable[[], ExtensionMap]] = (),
        of_the_pbx: Sequence[Callable[[], ExtensionMap]] = (),
    ) -> None:
        self._inline = inline_map(inline)
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
                "no extension for %s: write `%s: EXTENSION` under extensions.inline (owners so far: %d)",
                owner,
                key_to_write(owner),
                len(self._named),
            )


def key_to_write(owner: Owner) -> str:
    """Return what to write for the owner under `extensions.inline`, in quotes where YAML wants them."""
    key = owner.email or owner.login or owner.id or owner.name or ""
    return key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
