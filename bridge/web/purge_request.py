"""What a CRM's webhook wants forgotten: found in the address, or in the body that the CRM sends, whatever it is.

A webhook's body is the CRM's own, so places are looked at where those that were read of have the id of the record. For
any other CRM the address says where: `record_in=data.id`. A body is JSON, or a form whose names may be nested as PHP
writes them: `data[FIELDS][ID]` is the place `data.FIELDS.ID`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from bridge.sdk.errors import InvalidNumber
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.purges.marks import Purge

MOST_SUBJECTS = 1000
_KINDS = ("phone", "owner", "record")
_PLACES: Mapping[str, Sequence[str]] = {
    "phone": ("phone",),
    "owner": ("owner",),
    # Bitrix24's outgoing webhook, a list of HubSpot's events, Odoo's webhook, EspoCRM's.
    "record": ("record", "data.FIELDS.ID", "objectId", "_id", "id"),
}
_NESTED = re.compile(r"\[([^\[\]]*)\]")
_LONGEST_VALUE, _LONGEST_PLACE, _DEEPEST = 200, 200, 10
_MOST_FIELDS = 5000
_MOST_CONTAINERS = 10_000
_MOST_PLACES = 10
"""Each costs a walk through the whole body."""


class PurgeRequest(NamedTuple):
    """What is to be forgotten, and how many telephone numbers could not be read."""

    purge: Purge
    unread: int


def read_purge(query: MultiDict[str, str], body: bytes, region: str) -> PurgeRequest:
    """Read a request. Raises ValueError, saying why, if it names nothing that could be forgotten, or too much."""
    content = _content(body)
    found = {kind: {*filter(None, map(_text, query.getlist(kind)))} for kind in _KINDS}
    for kind in _KINDS:
        places = query.getlist(f"{kind}_in") or _PLACES[kind]
        if len(places) > _MOST_PLACES:
            raise ValueError(f"{kind}_in= stands there more than {_MOST_PLACES} times: name fewer places")
        for place in places:
            found[kind].update(filter(None, map(_text, _at(content, _segments(place)))))
    if sum(map(len, found.values())) > MOST_SUBJECTS:
        raise ValueError(f"it names more than {MOST_SUBJECTS}: send several requests")
    numbers, unread = _numbers(found["phone"], region)
    purge = Purge(numbers, frozenset(found["owner"]), frozenset(found["record"]))
    if not purge:
        if unread:
            raise ValueError("phone is no telephone number")
        raise ValueError(
            "it names neither phone nor owner nor record: add them to the address or the body, or say by record_in= "
            "where in the body the id of the record is"
        )
    return PurgeRequest(purge, unread)


def _numbers(texts: set[str], region: str) -> tuple[frozenset[PhoneNumber], int]:
    numbers: set[PhoneNumber] = set()
    unread = 0
    for text in texts:
        try:
            numbers.add(PhoneNumber.parse(text, region))
        except InvalidNumber:
            unread += 1
    return frozenset(numbers), unread


def _content(body: bytes) -> Any:  # noqa: ANN401 - whatever a CRM sends
    """Return the body as JSON has it. Raises ValueError if it is neither JSON nor a form.

    It is UTF-8, or UTF-16 or -32 if it says so itself (RFC 8259, section 8.1, and older).
    """
    text = body.decode(json.detect_encoding(body), "replace").strip()
    if text[:1] in ("{", "["):
        if text.count("{") + text.count("[") > _MOST_CONTAINERS:
            raise ValueError(f"its body holds more than {_MOST_CONTAINERS} lists and objects: send several requests")
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("its body is no JSON, though it begins as if") from None
    form: dict[str, Any] = {}
    for name, value in parse_qsl(text, max_num_fields=_MOST_FIELDS):
        _put(form, _NESTED.sub(r".\1", name).split("."), value)
    return form


def _put(form: dict[str, Any], segments: Sequence[str], value: str) -> None:
    """Put a field of a form where its name says; one that is in the way of another is left out."""
    for segment in segments[:-1][:_DEEPEST]:
        form = form.setdefault(segment, {})
        if not isinstance(form, dict):
            return
    known = form.setdefault(segments[-1], [])
    if isinstance(known, list):
        known.append(value)


def _segments(place: str) -> Sequence[str]:
    segments = place.split(".")
    if len(place) > _LONGEST_PLACE or len(segments) > _DEEPEST:
        raise ValueError("a place such as record_in= is too long")
    return segments


def _at(content: Any, segments: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - whatever a CRM sends
    """Give what stands at a place: in each element of a list, and for `*` in everything that is there."""
    if isinstance(content, list):
        for element in content:
            if not isinstance(element, list):  # lists in lists are nobody's, and may be as deep as they like
                yield from _at(element, segments)
    elif not segments:
        yield content
    elif isinstance(content, dict):
        chosen = content.values() if segments[0] == "*" else [content.get(segments[0])]
        for value in chosen:
            yield from _at(value, segments[1:])


def _text(value: object) -> str:
    """Return a value as an id is written; nothing if it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value).strip()
    return text if len(text) <= _LONGEST_VALUE else ""
