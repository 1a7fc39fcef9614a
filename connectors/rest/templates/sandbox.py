"""Jinja2 made small: our filters, no functions, and a dot that reads a key of an object and nothing else.

A filter is what a value may be sent through inside a template: `{{ caller.nsn | interleave }}`. A short list on
purpose. Nothing here encodes for a URL or for JSON: the position that a template stands in does that.
"""

import base64
import hashlib
import hmac
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bridge.sdk import UnexpectedAnswer, remember_derived

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


class _Absent(tuple[()]):
    """Nothing at all, which no other empty list is."""

    __slots__ = ()


TELLS_DERIVED = "tells-derived"
"""Not a name that a template can hold: a filter that has its value, made of a secret, masked wherever it is told."""

ABSENT = _Absent()
"""A value that takes with it the parameter or the key that it stands for; within a text it is empty."""


def as_text(value: object) -> str:
    """Return a value the way it stands in a text: texts as they are, numbers and truth values as in JSON.

    Raises UnexpectedAnswer for what has no such form: nothing at all, a list, an object, NaN.
    """
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 - the only way to have it say which name it was
    if isinstance(value, str):
        value.encode()  # half a surrogate pair, which JSON can express, is no text
        return value
    if isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value)
    if value is ABSENT:
        return ""
    kind = {type(None): "null", list: "a list", tuple: "a list", float: "what is no number"}.get(
        type(value), "an object"
    )
    raise UnexpectedAnswer(f"{kind} cannot be put into a text")


def _tell_derived(value: object) -> object:
    if isinstance(value, str):
        remember_derived(value)
    return value


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 with our filters only, in which a dot reads a key of an object and nothing else."""

    def __init__(self, encode: Callable[[object], str]) -> None:
        super().__init__(undefined=StrictUndefined, finalize=encode, keep_trailing_newline=True)
        self.globals.clear()
        self.filters = {**FILTERS, TELLS_DERIVED: _tell_derived}

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - Jinja2's own signature
        """Read `obj.attribute`: a key of an object, never one of Python's attributes."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - Jinja2's own signature
        """Read `obj[argument]` of an object, a list or a text; what is not there is undefined."""
        if isinstance(obj, (Mapping, list, tuple, str)):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)


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
