"""Telling a misspelt field from an empty one.

JMESPath finds null for both. But a field that is not there means that the configuration does not fit the CRM, while
an empty one means a customer without an owner: the first must never pass for the second.
"""

from typing import Any

from bridge.sdk import give_way
from connectors.rest.mapping.interpreter import found_in

Node = Any
"""A node of the library's tree: its type, its children, perhaps a value."""

_BRACKETS = {"index_expression", "projection", "filter_projection", "flatten"}
_PATHS = {"subexpression", "index_expression", "projection", "filter_projection", "flatten"}


def fits(node: Node, data: object) -> bool:
    """Tell whether the fields that a plain path names are there, be they filled or empty.

    Something empty on the way may stand for all that would be below it. Of `a || b` one has to fit; what is cleverer
    than a path (pipes, functions, `!`) always fits.
    """
    node = _in_two(node)
    kind, children = node["type"], node["children"]
    if kind == "field":
        return isinstance(data, dict) and node["value"] in data
    if kind == "or_expression":
        return any(fits(child, data) for child in children)
    if kind in {"and_expression", "comparator"}:
        return all(fits(child, data) for child in children)
    if kind in _PATHS:
        return fits(children[0], data) and _fits_below(node, found_in(data, children[0]))
    return True


def reached(node: Node, data: object) -> object:
    """Return how far a plain path that does not fit comes: the object in which its next field is not there."""
    node = _in_two(node)
    kind, children = node["type"], node["children"]
    if kind not in _PATHS:
        return data
    if not fits(children[0], data):
        return reached(children[0], data)
    within = found_in(data, children[0])
    if kind in {"projection", "filter_projection"}:
        items = [item for item in within if isinstance(item, dict)] if isinstance(within, list) else []
        return reached(children[1], items[0]) if items else data
    return reached(children[1], within) if len(children) > 1 and isinstance(within, dict) else data


def is_path(node: Node) -> bool:
    """Tell whether it is a plain path, of which `fits` tells whether it is there."""
    kind, children = node["type"], node["children"]
    if kind in _PATHS:
        return all(is_path(child) for child in children[:2])
    return kind in {"field", "identity", "index"}


def names_in_brackets(node: Node) -> frozenset[str]:
    """Return the names of the fields that stand before brackets: `phones` of `phones[].number`."""
    found = frozenset().union(*(names_in_brackets(child) for child in node["children"]))
    return found | _last_field(node["children"][0]) if node["type"] in _BRACKETS else found


def _last_field(node: Node) -> frozenset[str]:
    if node["type"] == "field":
        return frozenset({str(node["value"])})
    return _last_field(node["children"][-1]) if node["type"] in {"subexpression", *_BRACKETS} else frozenset()


def _in_two(node: Node) -> Node:
    """Return `a.b.c`, which the library keeps as one node of three, as `a.b` and below it `c`."""
    kind, children = node["type"], node["children"]
    if kind != "subexpression" or len(children) == 2:  # noqa: PLR2004 - two halves
        return node
    return {"type": kind, "children": [{"type": kind, "children": children[:-1]}, children[-1]]}


def _fits_below(node: Node, within: object) -> bool:
    """Tell whether the second half of a path fits what its first half found."""
    kind, children = node["type"], node["children"]
    if within is None or within is False or within in ("", []):  # what CRMs write for an object that is not there
        return True
    if kind == "flatten":
        return isinstance(within, list)
    if kind in {"projection", "filter_projection"}:
        return isinstance(within, list) and any(_fits_one(children[1], item) for item in within)
    if children[1]["type"] == "index":
        return isinstance(within, list)
    return fits(children[1], within)


def _fits_one(node: Node, item: object) -> bool:
    give_way()
    return fits(node, item)
