"""Which columns a SELECT returns, as far as its text tells it: a misnamed one is told before anything runs."""

from collections.abc import Sequence

from sqlglot import exp

OWNER_COLUMNS = ("owner_id", "email", "login", "name", "extension")
"""The columns that name the owner."""

RECORD = "record"
"""The column that has the id of the record, for when somebody tells that it has changed."""

COLUMNS = (*OWNER_COLUMNS, "phone", "country", RECORD)
"""The columns that have a meaning; a query may return any of them, and several called phone."""

_PARTS_OF_NAMES = (
    *(("country", "country"), ("mail", "email"), ("ext", "extension")),
    *(("phone", "phone"), ("tel", "phone"), ("mobile", "phone")),
    *(("login", "login"), ("user", "login"), ("name", "name")),
)


def columns_of(tree: exp.Query) -> tuple[str, ...] | None:
    """Return the names of the columns in small letters, or None if the text alone does not tell them all.

    It does not for `*` and for an expression without a name, which the database names as it likes.
    """
    named = [column for column in tree.selects if isinstance(column, (exp.Alias, exp.Column)) and not column.is_star]
    return tuple(column.alias_or_name.casefold() for column in named) if len(named) == len(tree.selects) else None


def lack_of(columns: Sequence[str]) -> str:
    """Return what columns that all mean something do not tell, nothing if they are enough."""
    if not set(columns) & set(OWNER_COLUMNS):
        return f"no column names the owner: {', '.join(OWNER_COLUMNS)} or several of them"
    if "country" in columns and "phone" not in columns:
        return "the column country is that of a number that is not there: return it as a column called phone"
    return ""


def meant_by(name: str) -> str:
    """Return the column that one of another name is probably meant to be."""
    return next((column for part, column in _PARTS_OF_NAMES if part in name), "owner_id")
