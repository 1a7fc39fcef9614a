"""Just enough of Prometheus' query language to tell which series and labels an expression names.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

import re
from dataclasses import dataclass

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_MATCHERS = re.compile(r"\{([^}]*)\}")
_MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NAME = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"}


@dataclass(frozen=True)
class Named:
    """The series that an expression names, and the labels that it matches or groups by."""

    series: frozenset[str]
    labels: frozenset[str]


def named_in(expression: str) -> Named:
    """Read an expression."""
    text = _RANGE.sub("", _STRING.sub('""', expression))
    labels = {label for inner in _MATCHERS.findall(text) for label in _MATCHED.findall(inner)}
    text = _MATCHERS.sub("", text)
    labels |= {label.strip() for inner in _GROUPING.findall(text) for label in inner.split(",") if label.strip()}
    text = _GROUPING.sub("", text)
    return Named(frozenset(set(_NAME.findall(text)) - _WORDS), frozenset(labels))
