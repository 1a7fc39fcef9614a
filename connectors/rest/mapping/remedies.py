"""What to write instead of an expression that is no JMESPath, where it is plain what was meant."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_WORD = re.compile(r"[^\s.,\[\](){}|&=!<>'\"`@*?]+")
_CONDITION = re.compile(r"\[\s*[\w.\"]+\s*(?:==|!=|<=?|>=?)")
_WORDS = re.compile(r"\w+(?: +\w+)+")
_SIGNS = {"and": "&&", "or": "||"}


@dataclass(frozen=True, slots=True)
class _End:
    """Where an expression ends to be one."""

    source: str
    at: int

    @property
    def here(self) -> str:
        return self.source[self.at : self.at + 1]

    @property
    def before(self) -> str:
        return self.source[: self.at].rstrip()

    @property
    def word(self) -> str:
        words = _WORD.finditer(self.source)
        return next((found[0] for found in words if found.start() <= self.at < found.end()), "")


def remedy(source: str, at: int) -> str:
    """Return what to write instead, behind a colon, of a source that the library read until `at`; "" if unknown."""
    end = _End(source, at)
    return next((f": {told}" for rule in _RULES if (told := rule(end))), "")


def _template(end: _End) -> str:
    return "what stands here is JMESPath alone: leave {{ and }} out" if "{{" in end.source else ""


def _sign(end: _End) -> str:
    if end.here == "=":
        return "equal is written =="
    if end.here == ">" and end.before.endswith("<"):
        return "unequal is written !="
    if end.here == "/":
        return f"a field within another is written with a dot: {end.source.replace('/', '.')}"
    return "a text stands in plain single quotes: 'so'" if end.here in {"‘", "’", "“", "”"} else ""  # noqa: RUF001


def _spoken(end: _End) -> str:
    if sign := _SIGNS.get(end.word.lower()):
        return f"write {sign} for '{end.word}'"
    return "write ! for 'not'" if end.before.lower().split()[-1:] == ["not"] else ""


def _number(end: _End) -> str:
    if end.here.isdigit() and end.before.endswith("."):
        return f"an entry of a list is written [{end.word}], behind the list's name without a dot"
    if end.here.isdigit() and end.before.endswith(("=", "<", ">")):
        return f"a number to compare with stands in backticks: `{end.word}`"
    return ""


def _condition(end: _End) -> str:
    opened = end.source.rfind("[", 0, end.at + 1)
    if opened < 0 or not _CONDITION.match(end.source, opened):
        return ""
    return "a condition in [ ] begins with a question mark: [?type == 'customer']"


def _name(end: _End) -> str:
    """Say how a name is written that has more in it than plain letters, digits and _."""
    if end.here == ":":
        return f"in XML a prefix is left out: {end.word.rpartition(':')[2]}"
    quoted = """stands in double quotes, and these in single ones: '"{}"'"""
    odd = re.search(r"[^A-Za-z0-9_]", end.word)
    if odd and not end.word.startswith("-"):
        what = "a dash" if odd[0] == "-" else "an accent" if odd[0].isalpha() else odd[0]
        return f"a name with {what} {quoted.format(end.word)}"
    words = _WORDS.fullmatch(end.source.strip())
    return f"a name with a blank {quoted.format(words[0])}" if words else ""


_RULES: tuple[Callable[[_End], str], ...] = (_template, _sign, _spoken, _number, _condition, _name)
