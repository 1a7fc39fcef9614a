"""OMICall's answers, read so that no SIP password ever gets into a value of ours.

The list of internal phones holds every extension's password in clear. While the JSON is parsed, each object keeps the
few keys that are needed and drops all others before it is built; no message quotes anything of a body but the code of
an error. Facts: https://api.omicall.com/omicall-api/overview and /call-center.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.errors import SourceRejected, SourceUnavailable, UnexpectedAnswer
from connectors.http import Response, retry_after

_NEEDED = {
    *("status_code", "message", "payload"),
    *("access_token", "items", "has_next", "total_pages"),
    *("sip_user", "email", "agent_id", "full_name"),
}
_GOOD = "9999"
_LONGEST_WORDS = 200
_FROM_A_PASSWORD_ON = re.compile(r"(?:pass|pwd|secret|m[aậ]t kh[aẩ]u).*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Phone:
    """An internal phone of OMICall: its extension, and whose it is."""

    extension: str
    email: str
    agent_id: str
    name: str


def payload_of(response: Response, mask: Callable[[str], str]) -> Mapping[str, object]:
    """Return what an answer brings; `mask` hides secrets in OMICall's own words for an error.

    Raises SourceRejected if OMICall refuses, SourceUnavailable if it cannot answer now, UnexpectedAnswer if what came
    is none of its answers.
    """
    _refuse_failure(response)
    data = _parsed(response.body)
    if not isinstance(data, dict) or "status_code" not in data:
        raise UnexpectedAnswer(f"{response.host} answered something that is not OMICall's: is 'url' right?")
    if str(data["status_code"]) != _GOOD:
        raise SourceRejected(f"{response.host} refuses: {_words(data.get('message'), mask)}")
    payload = data.get("payload")
    if not isinstance(payload, dict):
        raise UnexpectedAnswer(f"{response.host} answered without a payload")
    return payload


def phones_in(payload: Mapping[str, object], host: str) -> list[Phone]:
    """Return the internal phones of one page. Raises UnexpectedAnswer if it is none."""
    items = payload.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) and "sip_user" in item for item in items):
        raise UnexpectedAnswer(f"{host} answered a list of internal phones that has another shape")
    return [Phone(*(_text(item.get(key)) for key in ("sip_user", "email", "agent_id", "full_name"))) for item in items]


def has_more(payload: Mapping[str, object], page: int) -> bool:
    """Tell whether there is a page behind this one, as far as the answer says so."""
    pages = payload.get("total_pages")
    return payload.get("has_next") is True or (isinstance(pages, int) and page < pages)


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
