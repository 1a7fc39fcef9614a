"""What a list of extensions says: the names that lead to extensions, all extensions, and what is told of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bridge.extensions.index import ExtensionMap
from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.extension_source import ExtensionEntry
from bridge.sdk.tables.table import shown

_MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class ListContent:
    """One reading of a list; `extensions` are also those of nobody who is named."""

    entries: ExtensionMap
    extensions: frozenset[str]
    told: tuple[str, ...]


def content_of(entries: Sequence[ExtensionEntry], notes: tuple[str, ...]) -> ListContent:
    """Return what the entries say, with the source's own notes; raises UnexpectedAnswer if they name nobody."""
    made = ExtensionMap(entries)
    if not len(made):
        raise UnexpectedAnswer("the list names nobody who has an extension")
    extensions = frozenset(extension for entry in entries for extension in entry.extensions)
    read = f"{len(made)} names of owners, {len(extensions)} extensions"
    return ListContent(made, extensions, (read, *_told_of_names(made.ambiguous), *notes))


def agree(one: ExtensionMap, other: ExtensionMap) -> bool:
    """Tell whether two readings say the same."""
    return set(one.rows) == set(other.rows)


def _told_of_names(ambiguous: Iterable[str]) -> Iterator[str]:
    names = [shown(name) for name in ambiguous]
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        first = ", ".join(names[:_MOST_NAMES])
        yield f"names that several people have lead to nobody (e-mails and ids still do): {first}{more}"
