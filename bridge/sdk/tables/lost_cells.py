"""Cells in which what stood there is lost: what Excel shows was written down instead of what the cell says."""

import re

_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.ASCII | re.IGNORECASE)
_TOO_NARROW = re.compile(r"#{2,}")
_FORMULA = re.compile(
    r"=\s*[A-Z][A-Z0-9.]*\s*\(.*|=\s*(?:'[^']+'|[^\s=(']+)!\$?[A-Z]+\$?[0-9]*", re.DOTALL | re.IGNORECASE
)

SHORTENED = (
    "Excel has shortened it, as in 9.01E+08, and its digits are lost: format the column as text and export again"
)
_REASONS = (
    (_SHORTENED, SHORTENED),
    (
        _TOO_NARROW,
        "Excel shows ### where a column is too narrow: widen the column and export again",
    ),
    (_FORMULA, "a formula stands there, not what it yields: copy the column, paste it as values, and export again"),
)


def why_lost(text: str) -> str:
    """Say what has become of a cell's text and how it comes back; nothing if all is well with it."""
    if text[:1] not in "=#0123456789":
        return ""
    return next((reason for form, reason in _REASONS if form.fullmatch(text)), "")


def is_shortened(text: str) -> bool:
    """Tell whether Excel turned a long number into `9.01E+08`: its digits are lost, and nobody can tell them."""
    return _SHORTENED.fullmatch(text) is not None
