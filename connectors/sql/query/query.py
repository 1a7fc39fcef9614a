"""The admin's SELECT: checked before it ever runs, and made into a statement whose values are bound.

What is wrong with it is told when the configuration is read. It has to be a single SELECT that asks for the caller by
a parameter: a number that is glued into the text finds nobody or the wrong one. The database's own read-only mode is
the second line of defence, not this.
"""

import re
from collections.abc import Sequence

from sqlalchemy import BindParameter, String, TextClause, bindparam, text

from bridge.sdk import did_you_mean
from connectors.sql.query.columns import COLUMNS, columns_of, meant_by
from connectors.sql.query.compared import finds_more, is_a_column
from connectors.sql.query.tokens import Token, tokens_of
from connectors.sql.query.writes import check_only_reads

_SPELLINGS = ("e164", "national", "nsn", "digits", "legacy", "interleaved", "forms")
PARAMETERS = (*_SPELLINGS, "hotline")
"""What a query may ask for, written with a colon before it."""

_OF_THE_CALLER = frozenset(f":{name}" for name in _SPELLINGS)
_ASKS_FOR_THE_CALLER = frozenset(_SPELLINGS) - {"legacy"}  # which most numbers do not have
_LIST = "forms"

_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{(?:caller|phone|number|hotline|" + "|".join(_SPELLINGS) + r")\b[^}]*\}")
_PLACEHOLDER = re.compile(r"%s|%\(\w+\)s|(?<!\w)\$\d+")
_HOW_TO_ASK = "write a parameter such as :e164 or IN (:forms), without quotes"


class Query:
    """A SELECT that may be run. Raises ValueError, saying what to write instead, if it may not.

    `kind` is SQLAlchemy's name of the database. `asks_for_caller=False` is for lists: no parameter is known there.
    """

    def __init__(self, sql: str, kind: str, *, asks_for_caller: bool = True) -> None:
        tokens = _without_last_semicolon(list(map(_without_comment, tokens_of(sql, kind))))
        bare = [token for token in tokens if token.kind not in {"blank", "comment"}]
        _check_shape(sql, bare)
        check_only_reads(bare, kind)
        self.parameters = frozenset(token.text[1:] for token in bare if token.kind == "parameter")
        if asks_for_caller:
            _check_parameters(self.parameters, bare)
        elif self.parameters:
            raise ValueError(f"{_listed(self.parameters)}: this query is for no caller, so it has no parameters")
        self.columns = columns_of(bare)
        _check_columns(self.columns)
        self.finds_more = finds_more(bare, _OF_THE_CALLER) if asks_for_caller else ""
        """Why the query may find other numbers, too, so that rows have to be compared again; nothing if it does not."""
        if self.finds_more and self.columns is not None and "phone" not in self.columns:
            raise ValueError(
                f"{self.finds_more}: write column = :e164 or column IN (:{_LIST}), or return the number that was found "
                "as a column called phone (SELECT …, telephone AS phone), and it is compared as a whole"
            )
        self.statement = _statement(tokens)


def _without_comment(token: Token) -> Token:
    """Leave out a comment, also one that MySQL would run, but no hint to the database's planner."""
    return Token("blank", " ") if token.kind == "comment" and not token.text.startswith("/*+") else token


def _without_last_semicolon(tokens: list[Token]) -> list[Token]:
    while tokens and (tokens[-1].text == ";" or tokens[-1].kind == "blank"):
        tokens.pop()
    return tokens


def _check_shape(sql: str, bare: Sequence[Token]) -> None:
    """Raise ValueError for anything but one SELECT, and for the placeholders of other languages."""
    if found := _TEMPLATE.search(sql):
        raise ValueError(f"{found[0]} is a template's: here {_HOW_TO_ASK}")
    first = next((token for token in bare if token.text != "("), None)
    if first is None or first.word not in {"SELECT", "WITH"}:
        raise ValueError("has to be a SELECT (or WITH … SELECT): omi-bridge only reads")
    if any(token.text == ";" for token in bare):
        raise ValueError("has to be one statement: what else a connection needs stands under 'on_connect'")
    outside = "".join(" " if token.kind in {"text", "name"} else token.text for token in bare)
    if found := _PLACEHOLDER.search(outside):
        raise ValueError(f"{found[0]} is another language's placeholder: {_HOW_TO_ASK}")


def _check_parameters(used: frozenset[str], bare: Sequence[Token]) -> None:
    for token in bare:
        for name in re.findall(r":(\w+)", token.text) if token.kind in {"text", "name"} else ():
            if name in PARAMETERS:
                raise ValueError(
                    f":{name} stands inside quotes, where it is only text: take it out of them (for LIKE with "
                    "whatever stands around the number, there is :interleaved)"
                )
    for name in sorted(used - set(PARAMETERS)):
        guess = did_you_mean(name, PARAMETERS) or f"; there are {_listed(PARAMETERS)}"
        raise ValueError(f"there is no parameter :{name}{guess}")
    if not used & _ASKS_FOR_THE_CALLER:
        only = " (:legacy alone is not enough: most numbers have none)" if "legacy" in used else ""
        raise ValueError(f"does not ask for the caller{only}: {_HOW_TO_ASK}; there are {_listed(PARAMETERS)}")
    for at, token in enumerate(bare):
        if token.text == f":{_LIST}" and _brackets_around(bare, at) is None:
            raise ValueError(f":{_LIST} is a list: write IN (:{_LIST}) or = :e164")
        if token.text in _OF_THE_CALLER and is_a_column(bare, at):
            raise ValueError(
                f"{token.text} stands among the columns that are returned, and so compares nothing: compare it behind "
                "WHERE; what is returned as phone has to come from the table"
            )


def _brackets_around(bare: Sequence[Token], at: int) -> bool | None:
    """Tell whether the list at `at` stands in brackets of its own behind IN, or None if not behind IN at all."""
    around = [bare[place].text.upper() if 0 <= place < len(bare) else "" for place in (at - 2, at - 1, at + 1)]
    if around[1] == "IN":
        return False
    return True if around[0] == "IN" and around[1:] == ["(", ")"] else None


def _check_columns(columns: Sequence[str] | None) -> None:
    """Raise ValueError if the names of all columns can be read from the text, and one of them means nothing."""
    for name in columns or ():
        if name not in COLUMNS:
            known = f"; known: {', '.join(COLUMNS)} (name a column by AS: {name} AS {meant_by(name)})"
            raise ValueError(f"the column {name} means nothing{did_you_mean(name, COLUMNS) or known}")
    if columns is not None and not set(columns) - {"phone"}:
        raise ValueError(f"no column names the owner: {', '.join(COLUMNS[:-1])} or several of them")


def _statement(tokens: Sequence[Token]) -> TextClause:
    """Write the text as SQLAlchemy reads it: the list without brackets, which it adds, and other colons escaped."""
    bare = [place for place, token in enumerate(tokens) if token.kind not in {"blank", "comment"}]
    dropped: set[int] = set()
    for at, place in enumerate(bare):
        if tokens[place].text == f":{_LIST}" and _brackets_around([tokens[one] for one in bare], at):
            dropped |= {bare[at - 1], bare[at + 1]}
    pieces = [
        f" {token.text} " if token.kind == "parameter" else re.sub(r"(?<!:):(?=\w|$)", r"\:", token.text)
        for place, token in enumerate(tokens)
        if place not in dropped
    ]
    names = {token.text[1:] for token in tokens if token.kind == "parameter"}
    return text("".join(pieces)).bindparams(*map(_bound, names))


def _bound(name: str) -> BindParameter[object]:
    """Hand over every spelling as a text: taken for numbers, `+951234567` and `0951234567` would be one."""
    return bindparam(name, type_=String(), expanding=name == _LIST)


def _listed(names: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(f":{name}" for name in (names if isinstance(names, tuple) else sorted(names)))
