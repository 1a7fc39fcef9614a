"""Cells in which what stood there is lost: what Excel shows was written down instead of what the cell says."""

import re

_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.ASCII | re.IGNORECASE)
_TOO_NARROW = re.compile(r"#{2,}")
_ERROR = re.compile(r"#(?:[A-Z][A-Z0-9/_]*[!?]|N/A|GETTING_DATA)|Err:[0-9]{3}", re.ASCII)
_UNFINISHED = re.compile(r"(?:Loading|Đang tải)(?:\.{3}|…)", re.IGNORECASE)
_FORMULA = re.compile(
    r"=\s*[A-Z][A-Z0-9.]*\s*\(.*|=\s*(?:'[^']+'|[^\s=(']+)!\$?[A-Z]+\$?[0-9]*", re.DOTALL | re.IGNORECASE
)

NEVER_COMPUTED = "=FORMULA()"
"""What `workbook_child` gives for a formula without what it yields."""

_NOT_YET = "Google Sheets was still computing it"
SHORTENED = (
    "Excel has shortened it, as in 9.01E+08, and its digits are lost: format the column as text and export again"
)
_REASONS = (
    (_SHORTENED, SHORTENED),
    (
        _TOO_NARROW,
        "Excel shows ### where a column is too narrow: widen the column and export again",
    ),
    (
        _ERROR,
        'a formula there yields an error, such as #N/A or #REF!: mend it, or let it yield a blank: =IFERROR(…, "")',
    ),
    (_UNFINISHED, _NOT_YET),
    (_FORMULA, "a formula stands there, not what it yields: copy the column, paste it as values, and export again"),
)


def why_lost(text: str) -> str:
    """Say what has become of a cell's text and how it comes back; nothing if all is well with it."""
    if text[:1] not in "=#ELlĐđ0123456789":
        return ""
    return next((reason for form, reason in _REASONS if form.fullmatch(text)), "")


def yields_nothing(text: str) -> bool:
    """Tell whether a formula stands there that yields an error, or was never computed."""
    return _ERROR.fullmatch(text) is not None or text == NEVER_COMPUTED


def is_unfinished(text: str) -> bool:
    """Tell whether Google Sheets had not yet computed a cell when the table was taken from it."""
    return _UNFINISHED.fullmatch(text) is not None


def is_shortened(text: str) -> bool:
    """Tell whether Excel turned a long number into `9.01E+08`: its digits are lost, and nobody can tell them."""
    return _SHORTENED.fullmatch(text) is not None
