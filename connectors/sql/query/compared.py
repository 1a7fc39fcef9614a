"""Whether a query compares the caller's number as a whole, or may find other customers' numbers as well.

There are more ways to find too much than anybody can list. So the list is of what is certain: the parameter stands
directly beside `=` or in `IN (…)`, and every step from there up to the whole query lets no row pass for which that does
not hold. Whatever else a query does with the number, its rows count only if they bring along the number that was found.
"""

from collections.abc import Container, Mapping, Sequence

from sqlglot import exp

from connectors.sql.query.reading import Piece

AT_HOME = frozenset(("national_at_home", "nsn_at_home"))
"""Those that are somebody else's number in another country than the caller's."""

SPELLINGS = ("e164", "national", "nsn", "digits", "legacy", "interleaved", "forms", *sorted(AT_HOME))
"""The parameters that are the caller's number."""

_PATTERNS = {
    exp.Like: "LIKE",
    exp.ILike: "ILIKE",
    exp.RegexpLike: "REGEXP or ~",
    exp.RegexpILike: "~*",
    exp.SimilarTo: "SIMILAR TO",
    exp.Glob: "GLOB",
    exp.Match: "MATCH",
    exp.MatchAgainst: "MATCH",
    exp.Between: "BETWEEN",
}
_CUTS = frozenset(
    (
        *("LEFT", "RIGHT", "SUBSTR", "SUBSTRING", "SUBSTRING_INDEX", "MID", "STUFF", "SPLIT_PART", "MOD"),
        *("POSITION", "STRPOS", "INSTR", "LOCATE", "CHARINDEX", "PATINDEX", "STARTS_WITH", "REGEXP_LIKE"),
        *("REGEXP_MATCH", "REGEXP_MATCHES", "REGEXP_SUBSTR", "REGEXP_INSTR", "REGEXP_COUNT", "REGEXP_EXTRACT"),
    )
)
_VALUES = (exp.Column, exp.Literal, exp.Func, exp.Dot, exp.Bracket, exp.DPipe, exp.AtTimeZone, exp.Subquery)
_NO_VALUES = (exp.Predicate, exp.Connector, exp.Case)
_TEXTS = (exp.DType.TEXT, exp.DType.VARCHAR)

_BOTH = ("this", "expression")
_HOLDS: Mapping[type[exp.Expr], Container[str | None]] = {
    **dict.fromkeys((exp.Paren, exp.Where, exp.Having, exp.Exists, exp.Any), ("this",)),
    **dict.fromkeys((exp.From, exp.Subquery, exp.Lateral, exp.Except), ("this",)),
    **dict.fromkeys((exp.And, exp.Or, exp.EQ, exp.Union, exp.Intersect), _BOTH),
    exp.In: ("query",),
    exp.Join: ("this", "on"),
    exp.Select: ("where", "having", "from_", "joins"),
}
"""Where in something larger a part may stand so that no row comes for which the part does not hold."""


def is_a_column(parameter: exp.Expr) -> bool:
    """Tell whether a parameter is among what a SELECT returns, not among what it asks."""
    part = parameter
    while part.parent and not isinstance(part.parent, (exp.Select, exp.Values, exp.Where)):
        part = part.parent
    return isinstance(part.parent, exp.Values) or part.arg_key == "expressions"


def finds_more(tree: exp.Query, bare: Sequence[Piece]) -> str:
    """Return why other customers' numbers may be found, too, or nothing if the caller's is compared as a whole.

    `bare` are the pieces without blanks.
    """
    for piece, following in zip(bare, [*bare[1:], bare[-1]], strict=True):
        if piece.text == "%" or (piece.named.upper() in _CUTS and following.text == "("):
            return f"{piece.text} also finds other customers' numbers"
    for parameter in tree.find_all(exp.Placeholder):
        if parameter.name in SPELLINGS and not _is_whole(parameter):
            if pattern := parameter.find_ancestor(*_PATTERNS):
                return f"{_PATTERNS[type(pattern)]} also finds other customers' numbers"
            return (
                f":{parameter.name} is not compared by = or IN (…) alone, in a condition that has to hold, on every "
                "side of an OR or a UNION, so others' numbers may be found, too"
            )
    return ""


def _is_whole(parameter: exp.Expr) -> bool:
    """Tell whether a parameter is compared as a whole, and nothing around that loosens it."""
    value = parameter
    while isinstance(value.parent, (exp.Cast, exp.Collate)) and value.arg_key == "this":
        if isinstance(value.parent, exp.Cast) and not _is_text(value.parent.to):
            return False
        value = value.parent
    match value.parent:
        case exp.EQ(this=one, expression=other) as condition:
            found = [other if value is one else one]
        case exp.In(this=one, expressions=others) as condition if value is one or all(map(_asks, others)):
            found = (others or [condition.args.get("query", value)]) if value is one else [one]
        case _:
            return False
    comes_from_rows = any(side.find(exp.Column, exp.Subquery) for side in found)
    return comes_from_rows and all(map(_is_value, found)) and _holds(condition)


def _is_text(type_: exp.Expr) -> bool:
    """Tell whether a type leaves a text as it is: with a length, it may cut."""
    return type_.this in _TEXTS and not type_.expressions


def _is_value(part: exp.Expr) -> bool:
    """Tell whether something is no condition: behind one, `=` may belong to something else."""
    if isinstance(part, (exp.Paren, exp.Any)):
        return _is_value(part.this)
    return isinstance(part, _VALUES) and not isinstance(part, _NO_VALUES) and part.name.upper() != "ALL"


def _holds(part: exp.Expr, left: Sequence[exp.Expr] = ()) -> bool:
    """Tell whether a query returns no row for which a part of it does not hold: no NOT (…), no coalesce(…, true).

    `left` is what stands under WITH and led here: one that names itself comes back to where it began.
    """
    while (around := part.parent) is not None:
        if isinstance(around, exp.CTE):
            return around in left or _is_used(around, left)
        if not _has_to_hold(part, around):
            return False
        part = around
    return True


def _has_to_hold(part: exp.Expr, around: exp.Expr) -> bool:
    """Tell whether what is around a part holds only if the part does."""
    match around:
        case exp.EQ() if not isinstance(part, (exp.Subquery, exp.Any)):
            return False
        case exp.Or() | exp.Union() if not (_asks(around.this) and _asks(around.expression)):
            return False
    return (
        part.arg_key in _HOLDS.get(type(around), ())
        and not _is_outer(part, around)
        and not _is_always_a_row(part, around)
    )


def _asks(side: exp.Expr) -> bool:
    """Tell whether one side of an OR or a UNION asks for the caller, itself or by what stands under WITH."""
    if any(parameter.name in SPELLINGS for parameter in side.find_all(exp.Placeholder)):
        return True
    asking = {cte.alias.casefold() for cte in side.root().find_all(exp.CTE) if cte.find(exp.Placeholder)}
    return any(table.name.casefold() in asking for table in side.find_all(exp.Table))


def _is_used(named: exp.CTE, left: Sequence[exp.Expr]) -> bool:
    """Tell whether what stands under WITH is used, and no row comes without it."""
    tables = [table for table in named.root().find_all(exp.Table) if table.name.casefold() == named.alias.casefold()]
    used = [table for table in tables if table.find_ancestor(exp.CTE) is not named]
    return bool(used) and all(_holds(table, (*left, named)) for table in used)


def _is_outer(part: exp.Expr, around: exp.Expr) -> bool:
    """Tell whether rows come from an outer join, for which the part need not hold."""
    if isinstance(around, exp.Lateral):
        return around.args.get("cross_apply") is False or bool(around.args.get("outer"))
    if isinstance(part, exp.Join) and (part.side or part.kind == "OUTER"):
        return True
    joined = around if part.arg_key in {"from_", "joins"} else part if not isinstance(part, exp.Select) else None
    return any(join.side in {"RIGHT", "FULL"} for join in (joined.args.get("joins") or () if joined else ()))


def _is_always_a_row(part: exp.Expr, around: exp.Expr) -> bool:
    """Tell whether a SELECT in another returns a row though it found none: count(*) is 0 then."""
    if not isinstance(part, exp.Select) or part.args.get("group"):
        return False
    counted = [column.unalias() for column in part.selects if column.find(exp.AggFunc)]
    is_null = all(isinstance(column, (exp.Max, exp.Min)) for column in counted) and not isinstance(around, exp.Exists)
    return bool(part.args.get("having")) or (bool(counted) and not is_null)
