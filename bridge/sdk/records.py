"""In which records of the source an owner stands: kept with the answers, so that a changed record ends these."""

from collections.abc import Iterable
from dataclasses import replace

from bridge.sdk.connector import Owner, Owners

_BETWEEN = ", "
_LONGEST = 1000  # characters, as every text of an owner


def records_of(owner: Owner) -> list[str]:
    """Return the records that `Owner.record` names."""
    return owner.record.split(_BETWEEN) if owner.record else []


def named_records(records: Iterable[str]) -> str | None:
    """Return several records as `Owner.record` names them, each once; those beyond a thousand characters are not."""
    text = ""
    for record in dict.fromkeys(filter(None, records)):
        longer = f"{text}{_BETWEEN}{record}" if text else record
        if len(longer) > _LONGEST:
            break
        text = longer
    return text or None


def each_once(owners: Iterable[Owner]) -> Owners:
    """Return each owner once, in order, with the records of all who are equal."""
    found: dict[Owner, Owner] = {}
    for owner in owners:
        known = found.get(owner)
        if known is None:
            found[owner] = owner
        elif owner.record and owner.record != known.record:
            found[owner] = replace(known, record=named_records([*records_of(known), *records_of(owner)]))
    return tuple(found.values())
