"""Jinja2 made small: our filters, no functions, and a dot that reads a key of an object and nothing else."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bridge.sdk import UnexpectedAnswer
from connectors.rest.templates.filters import FILTERS


class _Absent(tuple[()]):
    """Nothing at all, which no other empty list is."""

    __slots__ = ()


ABSENT = _Absent()
"""A value that takes with it the parameter or the key that it stands for; within a text it is empty."""


def as_text(value: object) -> str:
    """Return a value the way it stands in a text: texts as they are, numbers and truth values as in JSON.

    Raises UnexpectedAnswer for what has no such form: nothing at all, a list, an object.
    """
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 - the only way to have it say which name it was
    if isinstance(value, str):
        value.encode()  # half a surrogate pair, which JSON can express, is no text
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if value is ABSENT:
        return ""
    kind = {type(None): "null", list: "a list", tuple: "a list"}.get(type(value), "an object")
    raise UnexpectedAnswer(f"{kind} cannot be put into a text")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 with our filters only, in which a dot reads a key of an object and nothing else."""

    def __init__(self, encode: Callable[[object], str]) -> None:
        super().__init__(undefined=StrictUndefined, finalize=encode, keep_trailing_newline=True)
        self.globals.clear()
        self.filters = dict(FILTERS)

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
