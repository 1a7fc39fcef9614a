"""OMICall's answers, read so that no SIP password ever gets into a value of ours.

The list of internal phones holds every extension's password in clear. While the JSON is parsed, each object keeps the
few keys that are needed and drops all others before it is built; no message quotes anything of a body but the code of
an error, and OMICall's words for a refused key. Facts: https://api.omicall.com/omicall-api/overview and /call-center.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bridge.sdk import SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import Response, retry_after

_NEEDED = {
    *("status_code", "message", "payload"),
    *("access_token", "items", "has_next", "total_pages", "page_size"),
    *("sip_user", "email", "agent_id", "full_name"),
}
_GOOD = "9999"
_LONGEST_WORDS = 200
_CODE = re.compile(r"-?[0-9]{1,6}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
_FROM_A_PASSWORD_ON = re.compile(r"(?:pass|pwd|secret|m[aậ]t kh[aẩ]u).*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class InternalPhone:
    """An internal phone of OMICall: its extension, and whose it is."""

    extension: str
    email: str
    agent_id: str
    name: str


def payload_of(response: Response, refused: Callable[[Mapping[str, object]], str]) -> Mapping[str, object]:
    """Return what an answer brings; `refused` says what is to be told of an answer in which OMICall refuses.

    Raises SourceRejected if OMICall refuses, SourceUnavailable if it cannot answer now, UnexpectedAnswer if what came
    is none of its answers.
    """
    _refuse_failure(response)
    data = _parsed(response.body)
    if not isinstance(data, dict) or "status_code" not in data:
        raise UnexpectedAnswer(f"{response.host} answered something that is not OMICall's: is 'url' right?")
    if str(data["status_code"]) != _GOOD:
        raise SourceRejected(f"{response.host} {refused(data)}")
    payload = data.get("payload")
    if not isinstance(payload, dict):
        raise UnexpectedAnswer(f"{response.host} answered without a payload")
    return payload


def refused_sign_in(data: Mapping[str, object], mask: Callable[[str], str]) -> str:
    """Say why OMICall refuses the key, in its own words; `mask` hides secrets in them."""
    return f"refuses: {_words(data.get('message'), mask)}: is 'api_key' right?"


def refused_list(data: Mapping[str, object]) -> str:
    """Say that OMICall refuses the list, in no words of its own: whatever speaks of phones may hold a password."""
    code = str(data["status_code"])
    told = code if _CODE.fullmatch(code) else "unknown"
    return f"refuses the list of internal phones (status_code {told}): may the account of 'api_key' read it?"


def phones_in(payload: Mapping[str, object], host: str) -> list[InternalPhone]:
    """Return the internal phones of one page. Raises UnexpectedAnswer if it is none."""
    items = payload.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) and "sip_user" in item for item in items):
        raise UnexpectedAnswer(f"{host} answered a list of internal phones that has another shape")
    return [
        InternalPhone(*(_text(item.get(key)) for key in ("sip_user", "email", "agent_id", "full_name")))
        for item in items
    ]


def has_more(payload: Mapping[str, object], page: int, asked_for: int) -> bool:
    """Tell whether there is a page behind this one, which was asked for with so many phones at most.

    Raises UnexpectedAnswer if a full page does not say so in a way that is understood: half a list is none.
    """
    next_, pages = payload.get("has_next"), _whole(payload.get("total_pages"))
    if next_ is True or (pages is not None and page < pages):
        return True
    size = _whole(payload.get("page_size")) or asked_for
    if not isinstance(next_, bool) and pages is None and len(_list(payload.get("items"))) >= min(size, asked_for):
        raise UnexpectedAnswer("OMICall's list of internal phones does not say whether it has another page")
    return False


def _refuse_failure(response: Response) -> None:
    status, host = response.status, response.host
    if status in {401, 403}:
        raise SourceRejected(f"{host} answered {status}: is 'api_key' right, and still valid?")
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - RFC 9110, section 15.6
        raise SourceUnavailable(f"{host} answered {status}", retry_after=retry_after(response.headers))
    if status != 200:  # noqa: PLR2004 - OMICall answers 200 to whatever it has understood
        raise UnexpectedAnswer(f"{host} answered {status}: is 'url' right?")


def _parsed(body: bytes) -> object:
    """Return the JSON without what is not needed, None if it is no JSON."""
    try:
        return json.loads(body.decode(json.detect_encoding(body)), object_pairs_hook=_needed)
    except (ValueError, RecursionError):
        return None


def _needed(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in pairs if key in _NEEDED}


def _words(message: object, mask: Callable[[str], str]) -> str:
    if not isinstance(message, str) or not message:
        return "without saying why"
    masked = _FROM_A_PASSWORD_ON.sub("…", mask(message))[:_LONGEST_WORDS]
    return "".join(character if character.isprintable() else " " for character in masked)


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _whole(value: object) -> int | None:
    text = _text(value)
    return int(text) if _NUMBER.fullmatch(text) else None


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
