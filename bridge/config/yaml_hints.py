"""What people write by mistake and YAML takes for something else, told in an admin's words and where it was written.

A parser stops where it can go on no longer, which is often a line below the slip.
"""

import re
from contextlib import suppress
from typing import Any

import yaml

from bridge.config.odd_characters import odd_beginning, odd_character

_GLUED = re.compile(r"(?:-\s+)?[\w@.-]+:(?!//)[^\s:]")  # `url:https://…`, in which YAML sees no key
_CURLY = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_ADDRESS = re.compile(r"\s*[a-z0-9+]+://\S*\s*", re.IGNORECASE)

_ADDRESS_BEFORE = re.compile(r"[a-z]+://\S*\Z", re.IGNORECASE)

_ADVICE = {
    "'\\t'": "a tab: indent with blanks",
    "but found another document": "a second document starts here (---): the configuration is one",
    "mapping values are not allowed": "a colon followed by a blank inside a value, or a wrong indentation: put such a "
    "value in quotes",
    "expected <block end>": "the indentation does not fit the lines above",
    "cannot start any token": "a value that starts with this character has to stand in quotes",
    "could not find expected ':'": "in a line above a key has no colon, or no blank after it: write KEY: VALUE",
}
"""What the parser says, and what it means; the first that fits."""

_NO_YAML = (
    (re.compile(r"\s*(?:```|~~~)"), "a fence of Markdown: delete this line"),
    (
        re.compile(r"\[[A-Za-z_][\w .-]*\]\s*(?:#.*)?\Z"),
        "a section as INI files have it: in YAML it is a key, such as `server:`, and what belongs to it is indented",
    ),
    (
        re.compile(r"(?:<{7}|={7}|>{7})(?: |\Z)"),
        "a conflict that git left: keep one of the two versions, and delete this line",
    ),
    (re.compile(r"\s*(?:-\s+)?[\w.-]+\s*=(?:\s|[^=])"), "an equals sign instead of a colon: write KEY: VALUE"),
)
"""Lines of other kinds of files, and what they are."""

_Found = tuple[yaml.Mark | None, str]


def slip_in_text(text: str, *, quoted: bool) -> str:
    """Return what is wrong with a text in the file, whatever it is meant for; nothing if it may be as it is."""
    if not quoted and text and text[0] in _CURLY and text[-1] in _CURLY:
        return "these quotation marks are curly and belong to the text: write \" or ' instead"
    if text != text.strip() and _ADDRESS.fullmatch(text):
        return "the address begins or ends with a blank: take it out"
    return odd_character(text, quoted=quoted)


def syntax_slip(error: yaml.MarkedYAMLError, text: str, loader: Any) -> _Found:  # noqa: ANN401 - PyYAML has no name
    """Return where the slip is that made the parser stop, and what to mend."""
    return _misread(error.problem_mark or error.context_mark, text) or _syntax_slip(error, text, loader)


def _syntax_slip(error: yaml.MarkedYAMLError, text: str, loader: Any) -> _Found:  # noqa: ANN401 - PyYAML has no name
    mark, problem = error.problem_mark or error.context_mark, error.problem or error.context or ""
    if "quoted scalar" in (error.context or "") and "end of stream" in problem:
        return error.context_mark, "a quote is opened here and never closed"
    if mark is not None and text[mark.index - 1 : mark.index + 1] in ("${", "{{"):
        return mark, "inside [ ] and { } a value with '${…}' or '{{…}}' has to stand in quotes"
    if quote := _quote_over_lines(mark, text, loader):
        line = quote.end_mark.line + 1
        return quote.start_mark, f"a quote is opened here and closed in line {line} only: is one missing in this line?"
    if glued := _glued(error, text):
        return glued, "a blank is missing after the colon: write KEY: VALUE"
    if error.context_mark and "while parsing a flow" in (error.context or ""):
        return _unclosed(error.context_mark, mark, problem, text)
    advice = next((advice for told, advice in _ADVICE.items() if told in problem), f"not valid YAML: {problem}")
    return mark, advice


def _misread(mark: yaml.Mark | None, text: str) -> _Found | None:
    """Return the line at or above `mark` that is none of YAML, or has an odd character where YAML's signs stand."""
    lines = text.splitlines()[: mark.line + 1 if mark else None]
    for number, line in enumerate(lines):
        if odd := odd_beginning(line):
            return _mark(text, number, odd[0]), odd[1]
    first = next((number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    for number in dict.fromkeys((first, len(lines) - 2, len(lines) - 1)):
        for form, told in _NO_YAML if 0 <= number < len(lines) else ():
            if form.match(lines[number]):
                return _mark(text, number), told
    return None


def _unclosed(bracket: yaml.Mark, mark: yaml.Mark | None, problem: str, text: str) -> _Found:
    opened = text[bracket.index]
    if "stream end" in problem or mark is None:
        return bracket, f"{opened} is opened here and never closed"
    if text[mark.index] in "?&*!|>%@`":
        told = f"inside [ ] and {{ }} a text with {text[mark.index]} has to stand in quotes"
        return mark, f'{told}, such as url: "https://…"' if _ADDRESS_BEFORE.search(text, 0, mark.index) else told
    closing, line = "}" if opened == "{" else "]", bracket.line + 1
    return mark, f"a comma or a closing {closing} is missing before this: {opened} was opened in line {line}"


def _glued(error: yaml.MarkedYAMLError, text: str) -> yaml.Mark | None:
    """Return where a line begins in which no blank follows the key's colon: the parser stops at the next line."""
    problem, place = error.problem or "", None
    if "could not find expected ':'" in problem:
        place = error.context_mark
    elif "mapping values are not allowed" in problem:
        place = _line_above(error.problem_mark, text)
    return place if place and _GLUED.match(text, place.index) else None


def _quote_over_lines(mark: yaml.Mark | None, text: str, loader: Any) -> yaml.ScalarToken | None:  # noqa: ANN401
    """Return the text in quotes that reaches over several lines and ends where the parser then stopped."""
    found = None
    with suppress(yaml.YAMLError):
        for token in yaml.scan(text, Loader=loader):
            if mark is None or token.start_mark.index >= mark.index:
                break
            if isinstance(token, yaml.ScalarToken) and token.style in ("'", '"'):
                found = token
    if found is None or mark is None or found.start_mark.line == found.end_mark.line:
        return None
    return found if found.end_mark.line == mark.line else None


def _line_above(mark: yaml.Mark | None, text: str) -> yaml.Mark | None:
    """Return where the text of the line above begins, None if there is no such line."""
    if mark is None or mark.line == 0:
        return None
    above = text.splitlines()[mark.line - 1]
    return _mark(text, mark.line - 1, len(above) - len(above.lstrip()))


def _mark(text: str, line: int, column: int = 0) -> yaml.Mark:
    index = sum(map(len, text.splitlines(keepends=True)[:line])) + column
    return yaml.Mark("", index, line, column, None, 0)
