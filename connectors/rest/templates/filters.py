"""What a value may be sent through inside a template: `{{ caller.nsn | interleave }}`.

A short list on purpose. Nothing here encodes for a URL or for JSON: the position that a template stands in does that.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any

from jinja2.filters import FILTERS as JINJA_FILTERS

_FROM_JINJA = (
    "default",
    "first",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "string",
    "trim",
    "unique",
    "upper",
)


def interleave(text: str) -> str:
    """Put a % before every character (`0901` → `%0%9%0%1`): a LIKE pattern that finds digits however grouped."""
    return "".join(f"%{character}" for character in text)


def digits(text: str) -> str:
    """Keep the digits 0 to 9 only (`+84 90-1` → `84901`)."""
    return re.sub(r"[^0-9]", "", text)


def md5(text: str) -> str:
    """Return the MD5 of the text's UTF-8 in hexadecimal; some CRMs want it for signing in."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def sha256(text: str) -> str:
    """Return the SHA-256 of the text's UTF-8 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def hmac_sha256(text: str, key: str) -> str:
    """Return the text's HMAC with SHA-256 in hexadecimal.

    `{{ text | hmac_sha256(secrets.name) }}`; text and key in UTF-8.
    """
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def base64_text(text: str) -> str:
    """Return the text's UTF-8 in Base64."""
    return base64.b64encode(text.encode()).decode()


def json_text(value: object) -> str:
    """Return the value as JSON, a text in its quotes: for JSON that has to stand inside a text."""
    return json.dumps(value, ensure_ascii=False)


OWN_FILTERS: dict[str, Callable[..., str]] = {
    "interleave": interleave,
    "digits": digits,
    "md5": md5,
    "sha256": sha256,
    "hmac_sha256": hmac_sha256,
    "base64": base64_text,
    "json": json_text,
}
"""The filters that Jinja2 does not have; their docstrings are their documentation."""

FILTERS: dict[str, Callable[..., Any]] = {name: JINJA_FILTERS[name] for name in _FROM_JINJA} | OWN_FILTERS
"""Every filter that a template may use."""
