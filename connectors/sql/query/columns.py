"""Which columns a SELECT returns, as far as its text tells it: a misnamed one is told before anything runs."""

from collections.abc import Iterator, Sequence

from connectors.sql.query.tokens import Token

COLUMNS = ("owner_id", "email", "login", "name", "extension", "phone")
"""The columns that have a meaning; a query may return any of them, and several called phone."""

_PARTS_OF_NAMES = (
    *(("mail", "email"), ("ext", "extension"), ("phone", "phone"), ("tel", "phone"), ("mobile", "phone")),
    *(("login", "login"), ("user", "login"), ("name", "name")),
)

_BEFORE_THE_COLUMNS = frozenset(("SELECT", "DISTINCT", "ALL", "TOP"))
_BEHIND_THE_COLUMNS = frozenset(("FROM", "WHERE", "UNION", "EXCEPT", "INTERSECT", "ORDER", "LIMIT", "GROUP", "HAVING"))


def columns_of(bare: Sequence[Token]) -> tuple[str, ...] | None:
    """Return the names of the columns in small letters, or None if the text alone does not tell them all.

    `bare` are the tokens of a SELECT without blanks and comments.
    """
    names = [_name(item) for item in _items(bare)]
    return tuple(name.casefold() for name in names if name) if names and all(names) else None


def meant_by(name: str) -> str:
    """Return the column that one of another name is probably meant to be."""
    return next((column for part, column in _PARTS_OF_NAMES if part in name), "owner_id")


def _items(bare: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Give what stands between the commas of the outermost SELECT's list of columns."""
    start = next((at for at, token in enumerate(bare) if token.word == "SELECT" and token.depth == 0), None)
    item: list[Token] = []
    for token in bare[start + 1 :] if start is not None else ():
        if token.depth == 0 and token.word in _BEHIND_THE_COLUMNS:
            break
        if token.depth == 0 and token.text == ",":
            yield item
            item = []
        elif item or token.word not in _BEFORE_THE_COLUMNS:
            item.append(token)
    if item:
        yield item


def _name(item: Sequence[Token]) -> str:
    """Return what a column is called: the last word of `c.email`, `lower(email) AS email` or `id owner_id`.

    Nothing for `*` and for an expression without a name, which the database names as it likes.
    """
    if not item or item[0].word in {"ON", "PERCENT"} or item[0].kind == "number":
        return ""  # DISTINCT ON (…), TOP 10 PERCENT
    *before, last = item
    named = last.named
    if not named or not before:
        return named
    previous = before[-1]
    behind_a_column = previous.named and (len(before) == 1 or before[-2].text == ".") and last.word != "END"
    behind_an_end = previous.word in {"AS", "END"} or previous.text in {".", ")"} or previous.kind in {"text", "number"}
    return named if behind_a_column or behind_an_end else ""
