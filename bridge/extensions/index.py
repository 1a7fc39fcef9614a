"""One list of owners and their extensions, and whom of it an owner means.

An owner's id is compared exactly, because ids may differ by case alone (Salesforce); e-mail, login and name are
compared without regard to case, each with its own kind: the login `7` is not the id 7. An e-mail is one person's
wherever it stands, also as a login. Two people may have one name: then it leads to nobody, and neither does a name if
the e-mails beside it say that somebody else is meant.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bridge.sdk.connector import Owner
from bridge.sdk.extension_source import ExtensionEntry

_Key = tuple[str, str]
"""What is compared, behind its kind: `id`, `email`, `login`, `name`; `exact` and `any` where the kind is not said."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry: what leads to its extensions, as it is written."""

    written: tuple[str, ...]
    extensions: tuple[str, ...]
    keys: tuple[_Key, ...]
    person: frozenset[_Key]
    """What no two people have in common; rows that share some of it are one person's."""

    @property
    def emails(self) -> frozenset[str]:
        """The e-mails among the keys."""
        return frozenset(text for _, text in self.keys if "@" in text)


class ExtensionMap:
    """One source's list. `of_any_kind` are rows of names that may each be an id, an e-mail, a login or a name."""

    def __init__(
        self,
        entries: Iterable[ExtensionEntry] = (),
        *,
        of_any_kind: Iterable[tuple[Sequence[str], Sequence[str]]] = (),
    ) -> None:
        rows = [_typed(entry) for entry in entries]
        rows += [_untyped(names, extensions) for names, extensions in of_any_kind]
        self.rows = tuple(row for row in rows if row.keys)
        self._by_key: dict[_Key, list[Row]] = {}
        for row in self.rows:
            for key in row.keys:
                self._by_key.setdefault(key, []).append(row)
        self._ambiguous = {key: rows for key, rows in self._by_key.items() if _is_weak(key) and _are_several(rows)}
        for key in self._ambiguous:
            del self._by_key[key]
        self._names = {name for row in self.rows for name in row.written if self.leads(name)}

    def extensions_of(self, owner: Owner) -> tuple[str, ...]:
        """Return the owner's extensions in ringing order, or none."""
        for keys, by_name in _asked(owner):
            rows = [row for key in keys for row in self._by_key.get(key, ())]
            if by_name:
                rows = [row for row in rows if not _contradict(owner, row)]
            if rows:
                return _extensions(rows)
        return ()

    def namesakes(self, owner: Owner) -> tuple[str, ...]:
        """Return the extensions of those who have the owner's name, and are not known to be the owner."""
        keys = [key for asked, by_name in _asked(owner) if by_name for key in asked]
        rows = [row for key in keys for row in (*self._by_key.get(key, ()), *self._ambiguous.get(key, ()))]
        return _extensions(rows)

    def leads(self, name: str) -> bool:
        """Tell whether an entry's name, as it is written there, leads to anybody."""
        exact = [("id", name.strip()), ("exact", name.strip())]
        folded = [(kind, fold(name)) for kind in ("email", "login", "name", "any")]
        return any(key in self._by_key for key in (*exact, *folded))

    @property
    def ambiguous(self) -> Mapping[str, tuple[str, ...]]:
        """What several people have in common and leads to nobody for that, as it is first written, with all theirs."""
        found: dict[str, tuple[str, ...]] = {}
        for (_, text), rows in self._ambiguous.items():
            written = next(name for name in rows[0].written if fold(name) == fold(text))
            found.setdefault(written, _extensions(rows))
        return found

    def __len__(self) -> int:
        """Count the names that lead to somebody."""
        return len(self._names)


def inline_map(entries: Mapping[str, Sequence[str]]) -> ExtensionMap:
    """Return the list that stands in the configuration itself."""
    return ExtensionMap(of_any_kind=(((name,), extensions) for name, extensions in entries.items()))


def fold(text: str) -> str:
    """Return what of an e-mail, login or name is compared."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _typed(entry: ExtensionEntry) -> Row:
    emails = (*entry.emails, *(text for text in entry.logins if "@" in text))
    person = [("id", text.strip()) for text in entry.ids]
    person += [("email", fold(text)) for text in emails] + [("login", fold(text)) for text in entry.logins]
    names = [("name", fold(text)) for text in entry.names]
    written = (*entry.ids, *entry.emails, *entry.logins, *entry.names)
    return _row(written, entry.extensions, [*person, *names], person)


def _untyped(names: Sequence[str], extensions: Sequence[str]) -> Row:
    """Rows that name the same are one person's, and so are those with one e-mail; of the rest nobody can tell."""
    folded = [fold(name) for name in names]
    keys = [("exact", name.strip()) for name in names] + [("any", name) for name in folded]
    person = [("email", name) for name in folded if "@" in name] + [("row", "\n".join(sorted(folded)))]
    return _row(names, extensions, keys, person)


def _row(written: Iterable[str], extensions: Iterable[str], keys: Iterable[_Key], person: Iterable[_Key]) -> Row:
    return Row(
        tuple(dict.fromkeys(written)),
        tuple(dict.fromkeys(extensions)),
        tuple(dict.fromkeys(key for key in keys if key[1])),
        frozenset(key for key in person if key[1]),
    )


def _asked(owner: Owner) -> Iterator[tuple[tuple[_Key, ...], bool]]:
    """Give what to look for, the surest first, and whether it is a mere name.

    Who does not know of what kind a text is gives it as id and as name: then it may be a login as well.
    """
    name = fold(owner.name or "")
    if owner.id:
        of_any_kind = fold(owner.id) == name
        yield (("id", owner.id), ("exact", owner.id)), of_any_kind
        if of_any_kind:
            yield (("login", name),), True
    if owner.email:
        yield (("email", fold(owner.email)), ("any", fold(owner.email))), False
    if owner.login:
        kinds = ("login", "email", "any") if "@" in owner.login else ("login", "any")
        yield tuple((kind, fold(owner.login)) for kind in kinds), fold(owner.login) == name
    if name:
        yield (("name", name), ("any", name)), True


def _is_weak(key: _Key) -> bool:
    """Tell whether two people may have this in common."""
    return key[0] in {"name", "exact", "any"} and "@" not in key[1]


def _are_several(rows: Sequence[Row]) -> bool:
    """Tell whether these rows ring differently and nothing links all of them to one person."""
    if len({row.extensions for row in rows}) == 1:
        return False
    known, left = set(rows[0].person), list(rows[1:])
    while linked := [row for row in left if row.person & known]:
        known.update(*(row.person for row in linked))
        left = [row for row in left if not row.person & known]
    return bool(left)


def _contradict(owner: Owner, row: Row) -> bool:
    emails = {fold(text) for text in (owner.email, owner.login) if text and "@" in text}
    return bool(emails and row.emails) and not emails & row.emails


def _extensions(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(extension for row in rows for extension in row.extensions))
