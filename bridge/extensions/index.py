"""One list of owners and their extensions, and whom of it an owner means.

An owner's id is compared with its capitals, because ids may differ by case alone (Salesforce); zeros in front of a
number tell two apart only if the list has both. E-mail, login and name are compared without regard to case, each with
its own kind: the login `7` is not the id 7. An e-mail is one person's wherever it stands, also as a login. Two people
may have one name: then it leads to nobody, and neither does a name if the e-mails beside it say that somebody else is
meant.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.sdk.connector import Owner
from bridge.sdk.extension_source import ExtensionEntry
from bridge.sdk.words import canonical, visible

_Key = tuple[str, str]
"""What is compared, behind its kind: `id`, `email`, `login`, `name`; `exact` and `any` where the kind is not said.

`number` is an id without the zeros in front: what Excel leaves of 007.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry: what leads to its extensions, as it is written."""

    written: tuple[str, ...]
    extensions: tuple[str, ...]
    keys: tuple[_Key, ...]
    person: frozenset[_Key]
    """What no two people have in common; rows that share some of it are one person's."""
    place: str = field(default="", compare=False)
    """Which list it stands in, and where there."""

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
        places: Iterable[str] = (),
        name: str = "",
    ) -> None:
        """`name` is the list's, and `places` say for each row of any kind where it stands, if that is known."""
        rows = [_typed(entry) for entry in entries]
        rows += [_untyped(names, extensions) for names, extensions in of_any_kind]
        given = iter(places)
        rows = [replace(row, place=next(given, "") or " ".join((name, *row.written[:1])).strip()) for row in rows]
        self.rows = tuple(row for row in rows if row.keys)
        self._by_key: dict[_Key, list[Row]] = {}
        for row in self.rows:
            for key in row.keys:
                self._by_key.setdefault(key, []).append(row)
        self._ambiguous = {key: rows for key, rows in self._by_key.items() if _is_weak(key) and _are_several(rows)}
        for key in self._ambiguous:
            del self._by_key[key]
        self._names = {name for row in self.rows for name in row.written if self.leads(name)}
        self._at: dict[str, list[Row]] = {}
        for row in self.rows:
            for extension in row.extensions:
                self._at.setdefault(extension, []).append(row)

    def rows_of(self, owner: Owner) -> tuple[Row, ...]:
        """Return the rows that are the owner's, none if the list does not know the owner."""
        for keys, by_name in _asked(owner):
            rows = [row for key in keys for row in self._by_key.get(key, ())]
            if by_name:
                rows = [row for row in rows if not _contradict(owner, row)]
            if rows:
                return tuple(dict.fromkeys(rows))
        return ()

    def extensions_of(self, owner: Owner) -> tuple[str, ...]:
        """Return the owner's extensions in ringing order, or none."""
        return extensions_in(self.rows_of(owner))

    def namesakes(self, owner: Owner) -> tuple[str, ...]:
        """Return the extensions of those who have the owner's name, and are not known to be the owner."""
        keys = [key for asked, by_name in _asked(owner) if by_name for key in asked]
        rows = [row for key in keys for row in (*self._by_key.get(key, ()), *self._ambiguous.get(key, ()))]
        return extensions_in(rows)

    def leads(self, name: str) -> bool:
        """Tell whether an entry's name, as it is written there, leads to anybody."""
        exact = [("id", visible(name)), ("exact", visible(name))]
        folded = [(kind, canonical(name)) for kind in ("email", "login", "name", "any")]
        return any(key in self._by_key for key in (*exact, *folded))

    def rows_at(self, extension: str) -> Sequence[Row]:
        """Return the rows that lead to an extension."""
        return self._at.get(extension, ())

    def is_shared(self, name: str) -> bool:
        """Tell whether several people have a name, which leads to nobody for that."""
        return any((kind, canonical(name)) in self._ambiguous for kind in ("name", "any"))

    @property
    def ambiguous(self) -> Mapping[str, tuple[str, ...]]:
        """What several people have in common and leads to nobody for that, as it is first written, with all theirs."""
        found: dict[str, tuple[str, ...]] = {}
        for (kind, text), rows in self._ambiguous.items():
            if kind != "number":  # each of them leads to somebody as it is written
                written = next(name for name in rows[0].written if canonical(name) == canonical(text))
                found.setdefault(written, extensions_in(rows))
        return found

    def __len__(self) -> int:
        """Count the names that lead to somebody."""
        return len(self._names)


def inline_map(entries: Mapping[str, Sequence[str]]) -> ExtensionMap:
    """Return the list that stands in the configuration itself."""
    of_any_kind = (((name,), extensions) for name, extensions in entries.items())
    return ExtensionMap(of_any_kind=of_any_kind, name="extensions.inline")


def are_same(maps: Sequence[ExtensionMap], others: Sequence[ExtensionMap]) -> bool:
    """Tell whether these are the very same lists, none of them read anew."""
    return len(maps) == len(others) and all(one is other for one, other in zip(maps, others, strict=True))


def extensions_in(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the extensions of all these rows, each once, in order."""
    return tuple(dict.fromkeys(extension for row in rows for extension in row.extensions))


def _typed(entry: ExtensionEntry) -> Row:
    emails = (*entry.emails, *(text for text in entry.logins if "@" in text))
    person = [("id", visible(text)) for text in entry.ids]
    person += [("email", canonical(text)) for text in emails] + [("login", canonical(text)) for text in entry.logins]
    others = [*_numbers(entry.ids), *(("name", canonical(text)) for text in entry.names)]
    written = (*entry.ids, *entry.emails, *entry.logins, *entry.names)
    return _row(written, entry.extensions, [*person, *others], person)


def _untyped(names: Sequence[str], extensions: Sequence[str]) -> Row:
    """Rows that name the same are one person's, and so are those with one e-mail; of the rest nobody can tell."""
    folded = [canonical(name) for name in names]
    keys = [("exact", visible(name)) for name in names] + [("any", name) for name in folded]
    keys += _numbers(names)
    person = [("email", name) for name in folded if "@" in name] + [("row", "\n".join(sorted(folded)))]
    return _row(names, extensions, keys, person)


def _row(written: Iterable[str], extensions: Iterable[str], keys: Iterable[_Key], person: Iterable[_Key]) -> Row:
    return Row(
        tuple(dict.fromkeys(written)),
        tuple(dict.fromkeys(extensions)),
        tuple(dict.fromkeys(key for key in keys if key[1])),
        frozenset(key for key in person if key[1]),
    )


def _numbers(ids: Iterable[str]) -> list[_Key]:
    seen = map(visible, ids)
    return [("number", text.lstrip("0")) for text in seen if text.isascii() and text.isdigit()]


def _asked(owner: Owner) -> Iterator[tuple[tuple[_Key, ...], bool]]:
    """Give what to look for, the surest first, and whether it is a mere name.

    Who does not know of what kind a text is gives it as id and as name: then it may be a login as well.
    """
    name, email, login = (canonical(text or "") for text in (owner.name, owner.email, owner.login))
    if owner.id:
        id_, of_any_kind = visible(owner.id), canonical(owner.id) == name
        yield (("id", id_), ("exact", id_)), of_any_kind
        yield tuple(_numbers([id_])), of_any_kind
        if of_any_kind:
            yield (("login", name),), True
    if email:
        yield (("email", email), ("any", email)), False
    if login:
        kinds = ("login", "email", "any") if "@" in login else ("login", "any")
        yield tuple((kind, login) for kind in kinds), login == name
    if name:
        yield (("name", name), ("any", name)), True


def _is_weak(key: _Key) -> bool:
    """Tell whether two people may have this in common."""
    return key[0] in {"name", "exact", "any", "number"} and "@" not in key[1]


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
    emails = {canonical(text) for text in (owner.email, owner.login) if text and "@" in text}
    return bool(emails and row.emails) and not emails & row.emails
