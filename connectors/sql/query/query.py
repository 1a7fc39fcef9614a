"""The admin's SELECT: checked before it ever runs, and made into a statement whose values are bound.

What is wrong with it is told when the configuration is read. It has to be a single SELECT that asks for the caller by
a parameter: a number that is glued into the text finds nobody or the wrong one. The database's own read-only mode is
the second line of defence, not this.
"""

import re
from collections.abc import Sequence

from sqlalchemy import BindParameter, String, TextClause, bindparam, text
from sqlglot import exp

from bridge.sdk import did_you_mean
from connectors.sql.query.columns import COLUMNS, columns_of, lack_of, meant_by
from connectors.sql.query.compared import AT_HOME, SPELLINGS, finds_more, is_a_column
from connectors.sql.query.reading import Piece, pieces_of, tree_of
from connectors.sql.query.writes import check_only_reads

PARAMETERS = (*SPELLINGS, "hotline")
"""What a query may ask for, written with a colon before it."""

_ASKS_FOR_THE_CALLER = frozenset(SPELLINGS) - {"legacy"}  # which most numbers do not have
_LIST = "forms"

_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{(?:caller|phone|number|hotline|" + "|".join(SPELLINGS) + r")\b[^}]*\}")
_PLACEHOLDER = re.compile(r"%s|%\(\w+\)s|(?<!\w)\$\d+")
_HOW_TO_ASK = "write a parameter such as :e164 or IN (:forms), without quotes"


class Query:
    """A SELECT that may be run. Raises ValueError, saying what to write instead, if it may not.

    `kind` is SQLAlchemy's name of the database. `asks_for_caller=False` is for lists: no parameter is known there.
    """

    def __init__(self, sql: str, kind: str, *, asks_for_caller: bool = True) -> None:
        pieces = _without_last_semicolon(pieces_of(sql, kind))
        bare = [piece for piece in pieces if piece.kind not in {"blank", "hint"}]
        _check_shape(sql, bare)
        check_only_reads(bare, kind)
        tree = tree_of(sql, kind)
        self.parameters = _parameters(tree, bare)
        if asks_for_caller:
            _check_names(self.parameters, bare)
            _check_places(tree)
        elif self.parameters:
            raise ValueError(f"{_listed(self.parameters)}: this query is for no caller, so it has no parameters")
        self.columns = columns_of(tree)
        _check_columns(self.columns)
        self.finds_more = finds_more(tree, bare) if asks_for_caller else ""
        """Why the query may find other numbers, too, so that rows have to be compared again; nothing if it does not."""
        if self.finds_more and self.columns is not None and "phone" not in self.columns:
            raise ValueError(
                f"{self.finds_more}: write column = :e164 or column IN (:{_LIST}), or return the number that was found "
                "as a column called phone (SELECT …, telephone AS phone), and it is compared as a whole"
            )
        if at_home := sorted(self.parameters & AT_HOME):
            self.finds_more = f":{at_home[0]} also finds customers of other countries"
            if self.columns is not None and not {"phone", "country"} <= set(self.columns):
                raise ValueError(
                    f"{self.finds_more}: return the number as a column called phone and its country, such as +66, 66, "
                    "TH or Thailand, as one called country, and they are compared together"
                )
        self.statement = _statement(pieces)


def _without_last_semicolon(pieces: Sequence[Piece]) -> Sequence[Piece]:
    end = len(pieces)
    while end and (pieces[end - 1].text == ";" or pieces[end - 1].kind == "blank"):
        end -= 1
    return pieces[:end]


def _check_shape(sql: str, bare: Sequence[Piece]) -> None:
    """Raise ValueError for anything but one SELECT, and for the placeholders of other languages."""
    if found := _TEMPLATE.search(sql):
        raise ValueError(f"{found[0]} is a template's: here {_HOW_TO_ASK}")
    first = next((piece for piece in bare if piece.text != "("), None)
    if first is None or first.text.upper() not in {"SELECT", "WITH"}:
        raise ValueError("has to be a SELECT (or WITH … SELECT): omi-bridge only reads")
    if any(piece.text == ";" for piece in bare):
        raise ValueError("has to be one statement: what else a connection needs stands under 'on_connect'")
    outside = "".join(" " if piece.kind in {"text", "name"} else piece.text for piece in bare)
    if found := _PLACEHOLDER.search(outside):
        raise ValueError(f"{found[0]} is another language's placeholder: {_HOW_TO_ASK}")


def _parameters(tree: exp.Query, bare: Sequence[Piece]) -> frozenset[str]:
    """Return the names of the parameters: what is bound has to be what is judged."""
    judged = sorted(parameter.name for parameter in tree.find_all(exp.Placeholder))
    if "?" in judged:
        raise ValueError(f"? is another language's placeholder: {_HOW_TO_ASK}")
    if judged != sorted(piece.text[1:] for piece in bare if piece.kind == "parameter"):
        raise ValueError(f"has a colon that is no parameter's: {_HOW_TO_ASK}")
    return frozenset(judged)


def _check_names(used: frozenset[str], bare: Sequence[Piece]) -> None:
    """Raise ValueError for a parameter that there is not, one in quotes, or none that is the caller."""
    for piece in bare:
        for name in re.findall(r":(\w+)", piece.text) if piece.kind in {"text", "name"} else ():
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


def _check_places(tree: exp.Query) -> None:
    """Raise ValueError for a list that stands elsewhere than behind IN, and for a number that is returned."""
    for parameter in tree.find_all(exp.Placeholder):
        if parameter.name == _LIST and not _is_the_list_of(parameter.parent, parameter):
            raise ValueError(f":{_LIST} is a list: write IN (:{_LIST}) or = :e164")
        if parameter.name in SPELLINGS and is_a_column(parameter):
            raise ValueError(
                f":{parameter.name} stands among the columns that are returned, and so compares nothing: compare it "
                "behind WHERE; what is returned as phone has to come from the table"
            )


def _is_the_list_of(around: exp.Expr | None, parameter: exp.Placeholder) -> bool:
    return isinstance(around, exp.In) and (around.expressions == [parameter] or around.args.get("field") is parameter)


def _check_columns(columns: Sequence[str] | None) -> None:
    """Raise ValueError if the names of all columns can be read from the text, and one of them means nothing."""
    for name in columns or ():
        if name not in COLUMNS:
            known = f"; known: {', '.join(COLUMNS)} (name a column by AS: {name} AS {meant_by(name)})"
            raise ValueError(f"the column {name} means nothing{did_you_mean(name, COLUMNS) or known}")
    if columns is not None and (lack := lack_of(columns)):
        raise ValueError(lack)


def _statement(pieces: Sequence[Piece]) -> TextClause:
    """Write the text as SQLAlchemy reads it: the list without brackets, which it adds, and other colons escaped."""
    written = "".join(
        f" {piece.text} " if piece.kind == "parameter" else re.sub(r"(?<!:):(?=\w|$)", r"\:", piece.text)
        for piece in pieces
    )
    names = {piece.text[1:] for piece in pieces if piece.kind == "parameter"}
    return text(re.sub(rf"\(\s*:{_LIST}\s*\)", f" :{_LIST} ", written)).bindparams(*map(_bound, names))


def _bound(name: str) -> BindParameter[object]:
    """Hand over every spelling as a text: taken for numbers, `+951234567` and `0951234567` would be one."""
    return bindparam(name, type_=String(), expanding=name == _LIST)


def _listed(names: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(f":{name}" for name in (names if isinstance(names, tuple) else sorted(names)))
