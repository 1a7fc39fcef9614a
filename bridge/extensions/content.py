"""What a list of extensions says: the names that lead to extensions, all extensions, and what is told of it.

A source of extensions is somebody else's code: what it returns is checked before it counts. What breaks the contract is
a bug, and the whole list is refused; what is merely no extension, such as a trunk's name, is left out, and so is a word
that stands for nobody.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bridge.extensions.index import ExtensionMap
from bridge.sdk.connector import Attention
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceUnavailable, UnexpectedAnswer
from bridge.sdk.extension_source import ExtensionEntry
from bridge.sdk.tables.table import shown
from bridge.sdk.words import counted, is_nothing

_MOST_NAMES = 20
_EXTENSION = re.compile(r"[0-9]{1,20}", re.ASCII)
_MOST_ENTRIES = 100_000
_MOST_OF_ONE = 100
_LONGEST_NAME = 500  # characters


@dataclass(frozen=True, slots=True)
class ListContent:
    """One reading of a list; `extensions` are also those of nobody who is named."""

    entries: ExtensionMap
    extensions: frozenset[str]
    told: tuple[str, ...]


def content_of(entries: Sequence[ExtensionEntry], notes: tuple[str, ...], name: str = "") -> ListContent:
    """Return what the entries of the list `name` say, with the source's own notes.

    Raises UnexpectedAnswer if they name nobody.
    """
    made = ExtensionMap(entries, name=name)
    if not len(made):
        raise UnexpectedAnswer("the list names nobody who has an extension")
    extensions = frozenset(extension for entry in entries for extension in entry.extensions)
    read = f"{counted(len(made), 'name')} of owners, {counted(len(extensions), 'extension')}"
    return ListContent(made, extensions, (read, *_told_of_names(made.ambiguous), *notes))


def _told_of_names(ambiguous: Iterable[str]) -> Iterator[str]:
    names = [shown(name) for name in ambiguous]
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        first = ", ".join(names[:_MOST_NAMES])
        yield Attention(f"names that several people have lead to nobody (e-mails and ids still do): {first}{more}")


def sanitised_entries(found: Iterable[ExtensionEntry], deadline: Deadline) -> tuple[ExtensionEntry, ...]:
    """Return the entries that have an extension, also those that name nobody: the extension is known all the same.

    Raises TypeError or ValueError if the contract is broken, SourceUnavailable if the entries do not end in time.
    """
    if isinstance(found, (str, bytes)) or not isinstance(found, Iterable):
        raise TypeError(f"it returned {type(found).__name__} instead of entries")
    entries: list[ExtensionEntry] = []
    for item in found:
        if deadline.expired():
            raise SourceUnavailable("the list did not come to its end in time")
        if len(entries) >= _MOST_ENTRIES:
            raise ValueError(f"it returned more than {_MOST_ENTRIES} entries")
        if not isinstance(item, ExtensionEntry):
            raise TypeError(f"it returned {type(item).__name__} instead of an entry")
        entries.append(_usable_part(item))
    return tuple(entry for entry in entries if entry.extensions)


def _usable_part(entry: ExtensionEntry) -> ExtensionEntry:
    return ExtensionEntry(
        ids=_names(entry.ids),
        emails=_names(entry.emails),
        logins=_names(entry.logins),
        names=_names(entry.names),
        extensions=tuple(filter(_EXTENSION.fullmatch, _texts(entry.extensions))),
    )


def _names(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in _texts(values) if len(name) <= _LONGEST_NAME and not is_nothing(name))


def _texts(values: Sequence[str]) -> tuple[str, ...]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise TypeError(f"an entry holds {type(values).__name__} instead of a sequence of texts")
    texts = tuple(islice(values, _MOST_OF_ONE + 1))
    if len(texts) > _MOST_OF_ONE:
        raise ValueError(f"an entry holds more than {_MOST_OF_ONE} texts")
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("an entry holds something that is no text")
    return texts
