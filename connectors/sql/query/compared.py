"""Whether a query compares the caller's number as a whole, or may find other customers' numbers as well.

There are more ways to find too much than anybody can list. So the list is of what is certain: in a condition that has
to hold, the parameter stands directly beside `=` or in `IN (…)`. Whatever else a query does with the number, its rows
count only if they bring along the number that was found.
"""

import re
from collections.abc import Iterator, Sequence

from connectors.sql.query.tokens import Token

_CONDITIONS = frozenset(("WHERE", "ON", "HAVING"))
_COLUMNS = frozenset(("SELECT", "VALUES"))
_CLAUSES = _CONDITIONS | _COLUMNS | {"FROM", "JOIN", "GROUP", "ORDER", "LIMIT", "OFFSET", "UNION"}
_BEGINS = _CONDITIONS | {"AND", "OR"}
_ENDS = frozenset(
    (
        *("AND", "OR", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "WINDOW", "OPTION"),
        *("UNION", "EXCEPT", "INTERSECT", "JOIN", "INNER", "CROSS", "LEFT", "RIGHT", "FULL", "NATURAL"),
    )
)
_OUTER = frozenset(("LEFT", "RIGHT", "FULL", "OUTER"))

_PATTERNS = frozenset(
    ("LIKE", "ILIKE", "REGEXP", "RLIKE", "SIMILAR", "GLOB", "MATCH", "CONTAINS", "FREETEXT", "BETWEEN")
)
_CUTS = frozenset(
    (
        *("LEFT", "RIGHT", "SUBSTR", "SUBSTRING", "SUBSTRING_INDEX", "MID", "STUFF", "SPLIT_PART", "MOD"),
        *("POSITION", "STRPOS", "INSTR", "LOCATE", "CHARINDEX", "PATINDEX", "STARTS_WITH", "REGEXP_LIKE"),
        *("REGEXP_MATCH", "REGEXP_MATCHES", "REGEXP_SUBSTR", "REGEXP_INSTR", "REGEXP_COUNT", "REGEXP_EXTRACT"),
    )
)
_VALUE = r"(?!.*\b(?:NOT|IS|ALL|CASE|XOR|DIV|MOD|LIKE|REGEXP)\b)(?:->>?|#>>?|\|\||::|[\w\s.()\[\]])+"
_CALLER = r"\s*\?\s*(?:::\s*(?:TEXT|VARCHAR)\s*)?(?:COLLATE\b[\w\s.]*)?"
_EQUAL = re.compile(rf"{_VALUE}==?{_CALLER}|{_CALLER}==?{_VALUE}|{_CALLER}IN\s*\(\s*\)\s*|{_VALUE}\bIN\s*\?\s*")
_IN_A_LIST = re.compile(rf"{_VALUE}\bIN\s*\(\s*\)\s*")


def is_a_column(bare: Sequence[Token], at: int) -> bool:
    """Tell whether the parameter is among what a SELECT returns, not among what it asks."""
    return _clause(bare, at) in _COLUMNS


def finds_more(bare: Sequence[Token], callers: frozenset[str]) -> str:
    """Return why other customers' numbers may be found, too, or nothing if the caller's is compared as a whole.

    `bare` are the tokens of a SELECT without blanks and comments, `callers` the parameters that are the number.
    """
    for token, following in zip(bare, [*bare[1:], bare[-1]], strict=True):
        if token.text == "%" or (token.named.upper() in _CUTS and following.text == "("):
            return f"{token.text} also finds other customers' numbers"
    for at, token in enumerate(bare):
        if token.text in callers and not _is_whole(bare, at):
            if way := _pattern_before(bare, at):
                return f"{way} also finds other customers' numbers"
            return (
                f"{token.text} is not compared by = or IN (…) alone, in a condition that has to hold, so others' "
                "numbers may be found, too"
            )
    return ""


def _pattern_before(bare: Sequence[Token], at: int) -> str:
    """Return what compares a parameter as a pattern, LIKE for example, or nothing."""
    for token in reversed(bare[:at]):
        if token.word in _PATTERNS or token.text == "~":
            return token.text
        if token.word in _BEGINS:
            break
    return ""


def _is_whole(bare: Sequence[Token], at: int) -> bool:
    if _clause(bare, at) not in _CONDITIONS or _is_outer_join(bare, at):
        return False
    opener = _opener(bare, at)
    if opener is not None and bare[opener - 1].word == "IN" and bare[opener + 1].word not in {"SELECT", "WITH"}:
        alone = bare[at - 1].text in {"(", ","} and bare[at + 1].text in {")", ","}
        return alone and bool(_IN_A_LIST.fullmatch(_line(bare, opener - 1))) and _holds_around(bare, opener - 1)
    return bool(_EQUAL.fullmatch(_line(bare, at))) and _holds_around(bare, at)


def _holds_around(bare: Sequence[Token], at: int) -> bool:
    """Tell whether the brackets around a comparison leave it as it is: no NOT (…), no coalesce(…, true)."""
    opener = _opener(bare, at)
    if opener is None:
        return True
    if bare[opener + 1].word in {"SELECT", "WITH"}:
        clause = _clause(bare, opener)
        turned = clause in _CONDITIONS and re.search(r"[<>!]|\b(?:NOT|ALL|CASE)\b", _line(bare, opener))
        holds = clause not in _COLUMNS and not turned and not _is_outer_join(bare, opener)
    else:
        closer = next(place for place in range(at, len(bare)) if bare[place].depth < bare[at].depth)
        behind = bare[closer + 1] if closer + 1 < len(bare) else None
        holds = bare[opener - 1].text == "(" or bare[opener - 1].word in _BEGINS
        holds = holds and (behind is None or behind.text == ")" or behind.word in _ENDS)
    return holds and _holds_around(bare, opener)


def _opener(bare: Sequence[Token], at: int) -> int | None:
    """Return where the innermost bracket around a token is opened, None if there is none."""
    return next((place for place in range(at - 1, -1, -1) if bare[place].depth < bare[at].depth), None)


def _outward(bare: Sequence[Token], at: int) -> Iterator[int]:
    """Give the places before a token that are in no bracket which it is not in, from near to far."""
    depth = bare[at].depth
    for place in range(at - 1, -1, -1):
        if bare[place].depth <= depth:
            depth = bare[place].depth
            yield place


def _clause(bare: Sequence[Token], at: int) -> str:
    """Return the clause that a token stands in: WHERE, SELECT and so on."""
    for place in _outward(bare, at):
        if bare[place].word in _CLAUSES and bare[place - 1].word != "DISTINCT":  # DISTINCT ON (…)
            return bare[place].word
    return ""


def _is_outer_join(bare: Sequence[Token], at: int) -> bool:
    """Tell whether a token belongs to an outer join, which keeps rows for which the condition does not hold."""
    if _clause(bare, at) not in {"ON", "JOIN"}:
        return False
    join = next((place for place in _outward(bare, at) if bare[place].word == "JOIN"), 0)
    return bare[join - 1].word in _OUTER


def _line(bare: Sequence[Token], at: int) -> str:
    """Return the condition around a token, without what is in brackets in it; a parameter at `at` is `?`."""
    depth, first, last = bare[at].depth, at, at + 1
    while first and bare[first - 1].depth >= depth and not _is_border(bare[first - 1], depth, _BEGINS):
        first -= 1
    while last < len(bare) and bare[last].depth >= depth and not _is_border(bare[last], depth, _ENDS):
        last += 1
    return "".join(_shown(bare[place], place == at) for place in range(first, last) if bare[place].depth == depth)


def _is_border(token: Token, depth: int, words: frozenset[str]) -> bool:
    return token.depth == depth and token.word in words


def _shown(token: Token, is_asked: bool) -> str:
    if token.kind == "parameter":
        return " ? " if is_asked else " X "
    return token.text if token.kind == "sign" else f" {token.word or 'X'} "
