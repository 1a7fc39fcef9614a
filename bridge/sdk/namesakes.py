"""Names that several people of one source have: such a name leads to nobody, whomever a list of extensions knows by it.

Only what names all its people can tell: a table, a CRM's list of users. Two are surely two if they differ in id, e-mail
or login, and are alike in none of these.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from bridge.sdk.connector import Owner, Owners
from bridge.sdk.records import each_once
from bridge.sdk.words import canonical


def shared_names(owners: Iterable[Owner]) -> frozenset[str]:
    """Return the names, as they are compared, that are several people's."""
    by_name: dict[str, list[Owner]] = {}
    for owner in owners:
        if owner.name and _marks(owner):
            by_name.setdefault(canonical(owner.name), []).append(owner)
    return frozenset(name for name, called in by_name.items() if len(called) > 1 and _are_several(called))


def told_apart(owners: Owners, shared: Collection[str]) -> Owners:
    """Return the owners without the names that several have, each once; who has nothing else is left out."""
    if not shared:
        return owners
    apart = (_without_name(owner) if canonical(owner.name or "") in shared else owner for owner in owners)
    return each_once(owner for owner in apart if _marks(owner) or owner.name or owner.extension)


def _without_name(owner: Owner) -> Owner:
    same = owner.id and canonical(owner.id) == canonical(owner.name or "")
    return replace(owner, id=None if same else owner.id, name=None)


def _marks(owner: Owner) -> frozenset[tuple[str, str]]:
    """Return what is this person's alone; an id that is the name, too, may be a mere name."""
    name = canonical(owner.name or "")
    found = (("id", owner.id), ("email", owner.email), ("login", owner.login))
    return frozenset((kind, canonical(text)) for kind, text in found if text and canonical(text) != name)


def _are_several(called: list[Owner]) -> bool:
    known, left = set(_marks(called[0])), [_marks(owner) for owner in called[1:]]
    while linked := [marks for marks in left if marks & known]:
        known.update(*linked)
        left = [marks for marks in left if not marks & known]
    kinds = {kind for kind, _ in known}
    return any(kinds & {kind for kind, _ in marks} for marks in left)
