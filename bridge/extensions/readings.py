"""What a text that seems to name several people, or one and something else, may mean: who knows the people decides.

`Pham, Minh` is one person, family name first, or two; `Lan/Sales` is two people, or one and her team. Nothing of a text
counts for itself: were the half that happens to be known rung, `Pham, Minh` would ring another Minh.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bridge.sdk.connector import Owner
from bridge.sdk.tables.owners import is_of_any_kind, owner_called, pieces_of

_REMARK = re.compile(r"\s*[()\[\]{}]+\s*|\s+[-\N{EN DASH}\N{EM DASH}]\s+")

_FAMILY_FIRST = re.compile(r"\s*([^,;|/]*[^,;|/\s])\s*,\s*([^,;|/]*[^,;|/\s])\s*")

_LONGEST = 200  # characters: what is longer is a remark, and names nobody
_MOST = 10


@dataclass(frozen=True, slots=True)
class Interpretation:
    """One way to understand an owner: as these people, all of whom have to be known.

    `alike` says that they are one person named twice, so that all lead to the same extensions: `[12] Lan`.
    """

    people: tuple[Owner, ...]
    alike: bool = False


def readings(owner: Owner) -> Iterator[Interpretation]:
    """Give the ways to understand an owner who is not known as he stands; what would be a crowd is nobody."""
    if max(len(text or "") for text in (owner.id, owner.login, owner.name)) > _LONGEST:
        return
    if pair := _FAMILY_FIRST.fullmatch(owner.name or ""):
        own = replace(owner, id=None) if is_of_any_kind(owner) else owner
        yield Interpretation((replace(own, name=f"{pair[1]} {pair[2]}"),))
        yield Interpretation((replace(own, name=f"{pair[2]} {pair[1]}"),))
    if people := _several(owner):
        yield Interpretation(people)
    remarks = [part for part in _REMARK.split(owner.name or "") if part]
    if 1 < len(remarks) <= _MOST and not (owner.email or owner.login or (owner.id and not is_of_any_kind(owner))):
        yield Interpretation(tuple(map(owner_called, remarks)), alike=True)


def _several(owner: Owner) -> tuple[Owner, ...]:
    """Return the people if everything that names the owner names as many; who has one e-mail or one id is one."""
    if owner.email:
        return ()
    if is_of_any_kind(owner) and not owner.login:
        pieces = pieces_of(owner.name or "")
        return tuple(map(owner_called, pieces)) if 1 < len(pieces) <= _MOST else ()
    texts = {kind: text for kind in ("id", "login", "name") if (text := getattr(owner, kind))}
    named = {kind: pieces_of(text) for kind, text in texts.items()}
    count = min(map(len, named.values()), default=0)
    if not 1 < count <= _MOST or any(len(pieces) != count for pieces in named.values()):
        return ()
    return tuple(Owner(**{kind: pieces[at] for kind, pieces in named.items()}) for at in range(count))
