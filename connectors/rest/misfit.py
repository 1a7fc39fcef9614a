"""Saying what of an answer does not have the configured shape, by the names of its fields alone."""

from collections.abc import Mapping, Sequence
from itertools import islice

from connectors.rest.mapping.expression import Expression, kind_of

_MOST_FIELDS_NAMED = 30
_LONGEST_NAME = 100  # characters


def misfit(expressions: Sequence[Expression], data: object) -> str:
    """Say which field is missing, and which there are; their names are no secret, their values would be."""
    wanted = " and ".join(f"`{expression.source}`" for expression in expressions)
    if not isinstance(data, dict):
        return f"there is no {wanted}, what came is {kind_of(data)}"
    told = f"there is no {wanted}; the fields that came are: {_fields(data)}"
    for expression in expressions:
        within = expression.reached(data)
        if isinstance(within, dict) and within is not data:
            told += f"; and further in, where `{expression.source}` ends: {_fields(within)}"
    return told


def _fields(data: Mapping[str, object]) -> str:
    return ", ".join(_shown(name) for name in islice(data, _MOST_FIELDS_NAMED)) or "none"


def _shown(name: str) -> str:
    """Return a name as it is, for half of it might be half of a secret, which nothing would mask."""
    return name if len(name) <= _LONGEST_NAME and name.isprintable() else "?"
