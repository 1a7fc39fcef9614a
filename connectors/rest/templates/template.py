"""Texts and JSON with `{{ placeholders }}` in the configuration, filled in leaf by leaf.

A template is a Jinja2 text that stands in one leaf of the parsed YAML: a value that is put in can never reach beyond
its leaf, and each position (path, query, header, JSON) encodes the finished leaf itself. Everything about a template
that can be wrong without a call is found when the configuration is loaded: syntax, filters, names, forms of a number.

The language is kept small by a list of what a template may consist of: texts, placeholders, filters, `if` and `for`.
There are no calls and no multiplication, so no template can run for long or fill the memory; on top of that the
sandbox forbids Python's inner attributes and a rendered text has a greatest length.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

from jinja2 import TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression
from pydantic import PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from bridge.sdk import SourceError, UnexpectedAnswer
from connectors.rest.templates.check import check
from connectors.rest.templates.sandbox import ABSENT, TELLS_DERIVED, Sandbox, as_text
from connectors.rest.templates.scope import scope

_LONGEST_TEXT = 64 * 1024
_SECRET_GROUPS = {"secrets", "login", "challenge"}
_TELL_LITTLE = {"default", "length"}  # filters whose result is no secret, or may have come from elsewhere


class Template:
    """One text of the configuration, compiled when it is loaded.

    `encode` turns each value that is put in into text, as its position needs it. Raises ValueError for wrong syntax
    and for names that are not in scope.
    """

    def __init__(self, source: str, names: set[str] | None = None, encode: Callable[[object], str] = as_text) -> None:
        sandbox = Sandbox(encode)
        try:
            tree = sandbox.parse(source)
            self.names = check(tree, scope() if names is None else names)
            _have_derived_told(tree)
            self._text = sandbox.from_string(tree)
            self._single = _single_expression(tree, sandbox)
        except TemplateSyntaxError as error:
            braces = "" if source.count("{{") == source.count("}}") else ": write {{ … }}, with two braces at both ends"
            raise ValueError(f"not a template: {(error.message or '').rstrip('.')}{braces}") from None
        self.source = source

    def __repr__(self) -> str:
        return f"Template({self.source!r})"

    @property
    def is_constant(self) -> bool:
        """Tell whether the text is the same for every call."""
        return not self.names

    def render(self, names: Mapping[str, object]) -> str:
        """Return the text with every placeholder filled in.

        Raises UnexpectedAnswer if something that it names is not there, cannot stand in a text, or is far too long.
        """
        with self._explaining():
            text = ""
            for piece in self._text.generate(names):
                text += piece
                if len(text) > _LONGEST_TEXT:
                    raise UnexpectedAnswer(f"the text becomes longer than {_LONGEST_TEXT} characters")
            return text

    def value(self, names: Mapping[str, object]) -> object:
        """Return the value itself, with its type, if the whole text is one placeholder; else the same as `render`."""
        if self._single is None:
            return self.render(names)
        with self._explaining():
            return _plain(self._single(names))

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except SourceError as error:
            raise UnexpectedAnswer(f"template {self._short()}: {error}") from None
        except Exception as error:  # noqa: BLE001 - whatever a filter meets in a CRM's answer; may quote the value
            why = "a value that it names is missing" if "Undefined" in type(error).__name__ else "cannot be filled in"
            raise UnexpectedAnswer(f"template {self._short()}: {why}") from None

    def _short(self) -> str:
        return repr(self.source if len(self.source) <= 80 else self.source[:79] + "…")  # noqa: PLR2004


def _have_derived_told(tree: nodes.Template) -> None:
    """Have each placeholder that makes something else of a secret, such as a hash of it, tell what comes out."""
    for output in tree.find_all(nodes.Output):
        for at, node in enumerate(output.nodes):
            if isinstance(node, nodes.Expr) and _derives(node):
                told = nodes.Filter(node, TELLS_DERIVED, [], [], None, None, lineno=node.lineno)
                told.environment = node.environment
                output.nodes[at] = told


def _derives(node: nodes.Expr) -> bool:
    changes = (found for found in (node, *node.find_all(nodes.Filter)) if isinstance(found, nodes.Filter))
    secret = any(name.name in _SECRET_GROUPS for name in (*node.find_all(nodes.Name),))
    return secret and any(found.name not in _TELL_LITTLE for found in changes)


def _plain(value: object) -> object:
    """Return the value if it is JSON through and through, with nothing missing in it and no endless text."""
    if value is ABSENT:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if value is not None and len(as_text(value)) > _LONGEST_TEXT:
        raise UnexpectedAnswer(f"the text becomes longer than {_LONGEST_TEXT} characters")
    return value


def _single_expression(tree: nodes.Template, sandbox: Sandbox) -> TemplateExpression | None:
    """Compile the template as one value if it consists of one placeholder and nothing else."""
    match tree.body:
        case [nodes.Output(nodes=[nodes.Expr() as expression])] if not isinstance(expression, nodes.TemplateData):
            assignment = nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)
            return TemplateExpression(
                sandbox.from_string(nodes.Template([assignment], lineno=1)), undefined_to_none=False
            )
    return None


class DataTemplate:
    """JSON-like data of the configuration whose texts are templates. Raises ValidationError, each problem located."""

    def __init__(self, data: object, names: set[str] | None = None) -> None:
        problems: list[InitErrorDetails] = []
        self._data = _compile(data, scope() if names is None else names, (), problems)
        if problems:
            raise ValidationError.from_exception_data("template", problems, hide_input=True)
        self.names = frozenset().union(*(leaf.names for leaf in _templates(self._data)))

    def __repr__(self) -> str:
        return f"DataTemplate({self._data!r})"

    def source_of(self, key: str) -> str:
        """Return the text under a key as it was written, nothing if there is none."""
        template = self._data.get(key) if isinstance(self._data, dict) else None
        return template.source if isinstance(template, Template) else ""

    def render(self, names: Mapping[str, object]) -> object:
        """Return the data with every template filled in; a text that is one placeholder keeps its value's type."""
        return _fill(self._data, names)

    def constants(self, name: str = "") -> Iterator[tuple[str, str]]:
        """Give each text into which nothing is put, with the name under which it stands: `name`, if none of its own."""
        return _constants(self._data, name)


def _constants(data: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, Template):
        if data.is_constant:
            yield name, data.source
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _constants(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from _constants(value, name)


def _compile(data: object, names: set[str], place: tuple[str | int, ...], problems: list[InitErrorDetails]) -> object:
    if isinstance(data, dict) and all(isinstance(key, str) for key in data):
        return {key: _compile(value, names, (*place, key), problems) for key, value in data.items()}
    if isinstance(data, list):
        return [_compile(value, names, (*place, index), problems) for index, value in enumerate(data)]
    if data is None or isinstance(data, (bool, int, float)):
        return data
    try:
        if isinstance(data, dict):
            raise ValueError("keys are texts: put numbers, yes, no, on and off in quotes")  # noqa: TRY004, TRY301
        return _template(data, names)
    except ValueError as error:
        problem = PydanticCustomError("template", "{problem}", {"problem": str(error)})
        problems.append(InitErrorDetails(type=problem, loc=place, input=None))
        return None


def _templates(data: object) -> Iterator[Template]:
    if isinstance(data, Template):
        yield data
    elif isinstance(data, (dict, list)):
        for value in data.values() if isinstance(data, dict) else data:
            yield from _templates(value)


def _fill(data: object, names: Mapping[str, object]) -> object:
    if isinstance(data, Template):
        return data.value(names)
    if isinstance(data, dict):
        filled = {key: _fill(value, names) for key, value in data.items()}
        return {key: value for key, value in filled.items() if value is not ABSENT}
    if isinstance(data, list):
        return [value for value in (_fill(item, names) for item in data) if value is not ABSENT]
    return data


def _template(value: object, names: set[str] | None = None) -> Template:
    """Compile what stands in a leaf of the YAML; numbers and truth values count as the text that was written."""
    if isinstance(value, (bool, int, float)):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise ValueError("write a text here")  # noqa: TRY004 - pydantic reports a ValueError
    return Template(value, names)


TextTemplate = Annotated[
    Template, PlainValidator(_template), WithJsonSchema({"type": ["string", "number", "boolean"], "format": "template"})
]
"""A text in the configuration with `{{ placeholders }}`."""

JsonTemplate = Annotated[DataTemplate, PlainValidator(DataTemplate), WithJsonSchema({"description": "any JSON"})]
"""Any JSON data in the configuration, its texts with `{{ placeholders }}`."""
