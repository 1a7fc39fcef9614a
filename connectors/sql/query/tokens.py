"""An SQL text cut into words, quotes, comments and signs, so that what stands in quotes is never taken for SQL.

Only what the checks of `query.py` need: this is no parser. Databases differ in what a quote is, so each kind of
database has its own pattern.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STRING = r"'(?:[^']|'')*'"
_STRING_WITH_BACKSLASHES = r"'(?:[^'\\]|\\.|'')*'"
_STANDARD_NAME = r'"(?:[^"]|"")*"'
_BACKTICKED_NAME = r"`(?:[^`]|``)*`"
_BRACKETED_NAME = r"\[[^\]]*\]"

_QUOTES = {
    "postgresql": (rf"[eE]{_STRING_WITH_BACKSLASHES}|{_STRING}|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", _STANDARD_NAME),
    "mysql": (rf'{_STRING_WITH_BACKSLASHES}|"(?:[^"\\]|\\.|"")*"', _BACKTICKED_NAME),
    "mssql": (_STRING, rf"{_STANDARD_NAME}|{_BRACKETED_NAME}"),
    "sqlite": (_STRING, rf"{_STANDARD_NAME}|{_BACKTICKED_NAME}|{_BRACKETED_NAME}"),
}
"""How texts and names are quoted, by SQLAlchemy's name of the database."""


def _pattern(kind: str) -> re.Pattern[str]:
    text, name = _QUOTES[kind]
    line_comment = r"--(?=\s|$)[^\n]*|\#[^\n]*" if kind == "mysql" else r"--[^\n]*"
    return re.compile(
        rf"""(?P<comment>{line_comment}|/\*.*?\*/)
        |(?P<text>{text})
        |(?P<name>{name})
        |(?P<open>['"`]|/\*)
        |(?P<parameter>:[^\W\d]\w*)
        |(?P<word>[^\W\d][\w$]*)
        |(?P<number>\d[\w.]*)
        |(?P<blank>\s+)
        |(?P<sign>::|.)""",
        re.VERBOSE | re.DOTALL,
    )


_PATTERNS = {kind: _pattern(kind) for kind in _QUOTES}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an SQL text; `depth` counts the brackets that are open around it."""

    kind: str
    text: str
    depth: int = 0

    @property
    def word(self) -> str:
        """The word in capitals, or nothing if it is none: what stands in quotes is none."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def named(self) -> str:
        """The name that it may stand for, without its quotes, or nothing."""
        if self.kind == "name":
            return self.text[1:-1]
        return self.text if self.kind == "word" else ""


def tokens_of(sql: str, kind: str) -> Sequence[Token]:
    """Cut an SQL text for a kind of database; all pieces together are the text again.

    Raises ValueError if a quote, a comment or a bracket is opened and never closed.
    """
    tokens: list[Token] = []
    depth = 0
    for found in _PATTERNS[kind].finditer(sql):
        text = found[0]
        if found["open"]:
            raise ValueError(f"a {'comment' if text == '/*' else 'quote'} is opened ({text}) and never closed")
        depth -= text == ")"
        tokens.append(Token(str(found.lastgroup if found.lastgroup != "tag" else "text"), text, depth))
        depth += text == "("
        if depth < 0:
            raise ValueError("a bracket is closed that was never opened")
    if depth:
        raise ValueError("a bracket is opened and never closed")
    return tokens
