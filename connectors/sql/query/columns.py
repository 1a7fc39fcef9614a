"""Which columns a SELECT returns, as far as its text tells it: a misnamed one is told before anything runs."""

from sqlglot import exp

COLUMNS = ("owner_id", "email", "login", "name", "extension", "phone")
"""The columns that have a meaning; a query may return any of them, and several called phone."""

_PARTS_OF_NAMES = (
    *(("mail", "email"), ("ext", "extension"), ("phone", "phone"), ("tel", "phone"), ("mobile", "phone")),
    *(("login", "login"), ("user", "login"), ("name", "name")),
)


def columns_of(tree: exp.Query) -> tuple[str, ...] | None:
    """Return the names of the columns in small letters, or None if the text alone does not tell them all.

    It does not for `*` and for an expression without a name, which the database names as it likes.
    """
    named = [column for column in tree.selects if isinstance(column, (exp.Alias, exp.Column)) and not column.is_star]
    return tuple(column.alias_or_name.casefold() for column in named) if len(named) == len(tree.selects) else None


def meant_by(name: str) -> str:
    """Return the column that one of another name is probably meant to be."""
    return next((column for part, column in _PARTS_OF_NAMES if part in name), "owner_id")
