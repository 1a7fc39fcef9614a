"""Which names lead to which internal phone, and which lead to nobody because they could mean several people.

An e-mail or an agent's id is one person's, on however many phones. A full name may be that of two: then it decides
nothing, for a wrong owner is worse than none.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.extension_source import ExtensionEntry
from bridge.table import shown
from connectors.omicall_answer import Phone

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who has an internal phone, and the full names that are not one person's alone."""

    entries: Sequence[ExtensionEntry]
    ambiguous: Sequence[str]

    def notes(self) -> Iterator[str]:
        """Say whom a name does not lead to."""
        if self.ambiguous:
            count = len(self.ambiguous)
            first = ", ".join(map(shown, self.ambiguous[:_MOST_SHOWN]))
            more = f" and {count - _MOST_SHOWN} more" if count > _MOST_SHOWN else ""
            yield f"full names that several people have lead to nobody (e-mails and ids still do): {first}{more}"


def people_of(phones: Sequence[Phone]) -> People:
    """Return the entries for these phones, in their order."""
    meant: dict[str, set[str]] = {}
    for phone in phones:
        for name in (phone.email, phone.agent_id, phone.name):
            meant.setdefault(_folded(name), set()).add(_person(phone))
    entries = []
    ambiguous: dict[str, str] = {}
    for phone in phones:
        names = [phone.email, phone.agent_id]
        if len(meant[_folded(phone.name)]) > 1:
            ambiguous.setdefault(_folded(phone.name), phone.name)
        elif any(map(str.isalpha, phone.name)):  # a mere number would be taken for the id of another system's owner
            names.append(phone.name)
        entries.append(ExtensionEntry(tuple(filter(None, names)), (phone.extension,)))
    return People(entries, [name for name in ambiguous.values() if name])


def _person(phone: Phone) -> str:
    return _folded(phone.email) or phone.agent_id or f"whoever has {phone.extension}"


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
