"""What can be wrong in a JMESPath expression although it parses, told before any call is made.

The language takes `true` for a field of that name and "text" in double quotes for a field too, and finds out about
unknown functions only when it meets data: three mistakes that would look like "nobody" for ever.
"""

from typing import Any

from jmespath.exceptions import EmptyExpressionError, IncompleteExpressionError, JMESPathError, LexerError, ParseError
from jmespath.functions import Functions
from jmespath.lexer import Lexer

from bridge.sdk import did_you_mean
from connectors.rest.mapping.remedies import remedy

_COMPARISONS = {"eq", "ne", "lt", "lte", "gt", "gte"}
_FUNCTIONS: dict[str, Any] = Functions.FUNCTION_TABLE


def what_is_wrong(source: str, error: JMESPathError) -> str:
    """Return the library's complaint on one line, in fewer words, and what to write instead."""
    if isinstance(error, EmptyExpressionError):
        return "it is empty"
    if isinstance(error, IncompleteExpressionError):
        return "its end is missing"
    if isinstance(error, LexerError):
        at = error.lex_position
        return f"{error.message}, at character {at + 1}{remedy(source, at)}"
    if isinstance(error, ParseError):
        at = error.lex_position
        if at >= len(source.rstrip()):
            return "its end is missing"
        return f"{error.token_value!r} does not fit, at character {at + 1}{remedy(source, at)}"
    return " ".join(str(error).split())


def check(source: str, tree: Any) -> None:  # noqa: ANN401 - the library's untyped tree
    """Raise ValueError if the expression surely means something else than it looks like."""
    before = None
    for token in Lexer().tokenize(source):
        if before in _COMPARISONS and token["type"] == "quoted_identifier":
            raise ValueError("double quotes mean a field's name in JMESPath; write a text in single quotes")
        before = token["type"]
    _check_node(tree)


def _check_node(node: dict[str, Any]) -> None:
    kind, value = node["type"], node.get("value")
    if kind == "field" and value in {"true", "false", "null"}:
        raise ValueError(f"{value} means a field of that name in JMESPath; write it in backticks: `{value}`")
    if kind == "function_expression":
        _check_function(str(value), len(node["children"]))
    for child in node["children"]:
        if isinstance(child, dict):
            _check_node(child)


def _check_function(name: str, count: int) -> None:
    if name not in _FUNCTIONS:
        guess = did_you_mean(name, _FUNCTIONS) or "; there are: " + ", ".join(sorted(_FUNCTIONS))
        raise ValueError(f"JMESPath has no function {name!r}{guess}")
    needed = _FUNCTIONS[name]["signature"]
    variadic = bool(needed) and bool(needed[-1].get("variadic"))
    if count < len(needed) or (count > len(needed) and not variadic):
        raise ValueError(f"the function {name!r} takes {len(needed)} argument(s), not {count}")
