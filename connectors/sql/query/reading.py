"""An SQL text as its database reads it: cut into pieces, and as the tree of what they mean.

The reading is sqlglot's, which reads for translation and lets some things pass that a database would not. So what a
single word decides is judged by the pieces, and what has a structure by the tree; what cannot be read is refused. What
runs is put together from the pieces again, without comments: nothing gets to the database that was not read.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError

_DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "mssql": "tsql", "sqlite": "sqlite"}
"""sqlglot's names, by SQLAlchemy's."""

logging.getLogger("sqlglot").setLevel(logging.ERROR)
"""What it warns of, with the text of the query, it has not understood: that is refused here."""

_WORD = re.compile(r"[^\W\d][\w$\s]*")
_MISSING = re.compile("Missing (.+) from")
_HINT = re.compile(r"\s*(/\*\+[^/*]*\*/)\s*")
"""PostgreSQL's, to sqlglot a comment: https://github.com/ossc-db/pg_hint_plan"""


@dataclass(frozen=True, slots=True)
class Piece:
    """A `word`, a `text` or `name` in quotes, a `parameter`, a `hint`, a `blank` or a `sign`."""

    kind: str
    text: str

    @property
    def words(self) -> Sequence[str]:
        """The words in capitals: several for what is read as one, such as ORDER BY; none in quotes."""
        return self.text.upper().split() if self.kind == "word" else ()

    @property
    def named(self) -> str:
        """The name that it may stand for, without its quotes, or nothing."""
        if self.kind == "name":
            return self.text[1:-1]
        return self.text if self.kind == "word" else ""


def pieces_of(sql: str, kind: str) -> Sequence[Piece]:
    """Cut an SQL text for a kind of database; of a comment, also of one that MySQL would run, nothing is left.

    Raises ValueError if a quote or a comment is opened and never closed.
    """
    try:
        return _pieces(sql, kind)
    except TokenError as error:
        quote = _MISSING.match(str(error.__cause__))
        opened = f"quote is opened ({quote[1]})" if quote else "comment is opened (/*)"
        raise ValueError(f"a {opened} and never closed" if quote or "/*" in sql else "ends too early") from None


def tree_of(sql: str, kind: str) -> exp.Query:
    """Return what a single SELECT means. Raises ValueError, saying where, for what cannot be read."""
    where = ""
    try:
        trees = [tree for tree in Dialect.get_or_raise(_DIALECTS[kind]).parse(sql) if tree]
        if isinstance(trees[0], exp.Query) and not trees[0].find(exp.Command):
            return trees[0]
    except ParseError as error:
        where = f": {_told(error)}"
    except RecursionError:
        where = ": its brackets are too deep"
    raise ValueError(
        f"cannot be read{where}: mend it, or, if the database itself takes it, make a view of it there and ask the view"
    )


def _told(error: ParseError) -> str:
    at = error.errors[0]
    said = "something is missing" if "<" in str(at["description"]) else at["description"]
    place = f"line {at['line']}, column {at['col'] - len(str(at['highlight'])) + 1}"
    return f"{said} at {at['highlight']} ({place})"


def _pieces(sql: str, kind: str) -> Sequence[Piece]:
    pieces: list[Piece] = []
    end = 0
    for token in Dialect.get_or_raise(_DIALECTS[kind]).tokenize(sql):
        if gap := sql[end : token.start]:
            hint = _HINT.fullmatch(gap)
            blank = Piece("blank", " " if gap[0].isspace() else "/**/")  # MySQL: 5--/**/1 is 6, and 5-- 1 is 5
            pieces.append(Piece("hint", f" {hint[1]} ") if hint else blank)
        end = token.end + 1
        piece = Piece(_kind(token.token_type, sql[token.start : end]), sql[token.start : end])
        if pieces and pieces[-1].text == ":" and piece.kind == "word":
            pieces[-1] = Piece("parameter", f":{piece.text}")
        else:
            pieces.append(piece)
    return pieces


def _kind(read_as: TokenType, text: str) -> str:
    if read_as is TokenType.IDENTIFIER:
        return "name"
    if read_as is TokenType.HINT:
        return "hint"
    if read_as.name.endswith("STRING"):
        return "text"
    return "word" if _WORD.fullmatch(text) else "sign"
