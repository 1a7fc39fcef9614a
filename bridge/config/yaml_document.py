"""A YAML file read into plain values, with the place of every key and value remembered.

Stricter than YAML on purpose, because an admin's slip must never pass silently: a key given twice, a tab, an anchor or
a tag is an error that says what to write instead. Scalars follow YAML 1.2's core schema (https://yaml.org/spec/1.2.2/,
10.3.2), so that `no` stays a text and `101:10` is no sexagesimal number; a number that would not print as it was
written (`0101`, `1.50`) stays a text, so that an extension keeps its zero.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from bridge.config.content import LARGEST_DOCUMENT
from bridge.config.interpolation import sources_of
from bridge.config.odd_characters import odd_character, without_odd_characters
from bridge.config.yaml_hints import slip_in_text, syntax_slip
from bridge.sdk.disk.file_kind import kind_of
from bridge.sdk.disk.unreadable_file import what_is_there, why_unreadable
from bridge.sdk.errors import ConfigError, Problem
from bridge.sdk.tables.text_file import guess_encoding

_DEEPEST_NESTING = 50

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+", re.ASCII)
_STANDARD_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq", "null"))

KeyPath = tuple[str | int, ...]
Fill = Callable[[str], str]


class _Loader(yaml.SafeLoader):
    """SafeLoader's scanner and parser; tags are resolved here instead, by YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way of declaring them


class Document:
    """The values of one YAML file (`data`), where each of them stands, and what is wrong with it so far."""

    def __init__(self, file: str, text: str, fill: Fill) -> None:
        self.file = file
        self.directory = Path(file).absolute().parent
        self.problems: list[Problem] = []
        self.misread = False
        """Whether the structure itself is in doubt: more complaints would only follow from the first."""
        self._fill = fill
        self._keys: dict[KeyPath, yaml.Mark] = {}
        self._values: dict[KeyPath, yaml.Mark] = {}
        self._overridden: set[KeyPath] = set()
        self._origins: dict[KeyPath, str] = {}
        node = self._parse(text)
        self.data = None if node is None else self._value(node, ())

    def override(self, section: str, values: Mapping[str, object]) -> None:
        """Let values from the command line count instead of what is written in a section."""
        written = self.data.setdefault(section, {}) if isinstance(self.data, dict) else None
        if isinstance(written, dict):
            written.update(values)
            self._overridden |= {(section, key) for key in values}
            if (section,) not in self._values:
                self._overridden.add((section,))

    def problem(self, path: KeyPath, message: str, *, at_key: bool = False) -> Problem:
        """Describe what is wrong at `path`, located there or, if nothing stands there, at what encloses it."""
        if path in self._overridden:
            return Problem("command line", 0, 0, dotted(path), message)
        marks = (self._keys, self._values) if at_key else (self._values, self._keys)
        for length in range(len(path), -1, -1):
            mark = marks[0].get(path[:length]) or marks[1].get(path[:length])
            if mark is not None:
                return self._at(mark, path, message + ("" if at_key else self._origins.get(path, "")))
        return self._at(None, path, message)

    def holds(self, path: KeyPath) -> bool:
        """Tell whether something is written at `path`."""
        return path in self._values or path in self._overridden

    def value(self, path: KeyPath) -> object:
        """Return what is written at `path`, which has to hold something."""
        found: Any = self.data
        for part in path:
            found = found[part]
        return found

    def _parse(self, text: str) -> yaml.Node | None:
        try:
            for event in _events(text):
                self._refuse(event)
            return None if self.problems else yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark, message = syntax_slip(error, text, _Loader)
            self.problems.append(self._at(mark, (), message))
        except yaml.reader.ReaderError as error:
            line, column = _place(text, error.position)
            message = f"the character U+{int(error.character):04X} may not stand in YAML"
            self.problems.append(Problem(self.file, line, column, "", message))
        except _TooDeepError:
            self.problems.append(Problem(self.file, 0, 0, "", f"nested more than {_DEEPEST_NESTING} levels deep"))
        return None

    def _refuse(self, event: yaml.Event) -> None:
        """Note what YAML allows but a configuration has no use for."""
        if isinstance(event, yaml.AliasEvent) or (isinstance(event, yaml.NodeEvent) and event.anchor):
            message = (
                "anchors and aliases (& and *) are not supported: write the value out, or quote a text with & or *"
            )
        elif getattr(event, "tag", None):
            message = "tags (!) are not supported: leave it out, and quote a text starting with !"
        else:
            return
        if all(problem.message != message for problem in self.problems):  # once is enough
            self.problems.append(self._at(event.start_mark, (), message))

    def _at(self, mark: Any, path: KeyPath, message: str) -> Problem:  # noqa: ANN401 - PyYAML has two types of marks
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        return Problem(self.file, line, column, dotted(path), message)

    def _value(self, node: yaml.Node, path: KeyPath) -> object:
        self._values[path] = node.start_mark
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path) if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                hint = "a value with '{{…}}' has to stand in quotes; a key has to be a plain text"
                self.problems.append(self.problem(path, hint))
                continue
            inner = (*path, key)
            first = self._keys.get(inner)
            self._keys.setdefault(inner, key_node.start_mark)
            if first is not None:
                message = f"given twice: it already stands in line {first.line + 1}"
                self.problems.append(self._at(key_node.start_mark, inner, message))
                continue
            values[key] = self._value(value_node, inner)
        return values

    def _key(self, node: yaml.ScalarNode, path: KeyPath) -> str:
        """Return a key, without what nobody sees of it: then nothing else need be said of it."""
        text = str(node.value)
        if not (slip := odd_character(text, quoted=node.style is not None)):
            return self._fill_in(text, path)
        seen = without_odd_characters(text)
        self.problems.append(self._at(node.start_mark, (*path, seen), slip))
        self.misread = True
        return seen

    def _scalar(self, node: yaml.Node, path: KeyPath) -> object:
        text = str(node.value)
        if getattr(node, "style", None) is not None:
            return self._fill_in(text, path)
        if _NULL.fullmatch(text):
            return None
        if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
            return _TRUE.fullmatch(text) is not None
        if _INTEGER.fullmatch(text) and len(text) < 20 and str(int(text)) == text:  # noqa: PLR2004 - 64 bits
            return int(text)
        if _FLOAT.fullmatch(text) and repr(float(text)) == text:
            return float(text)
        return self._fill_in(text, path, quoted=False)

    def _fill_in(self, text: str, path: KeyPath, *, quoted: bool = True) -> str:
        try:
            filled = self._fill(text) if "${" in text else text
        except ValueError as error:
            self.problems.append(self.problem(path, str(error)))
            return text
        if filled != text and (sources := sources_of(text)):
            self._origins[path] = f" (the value comes from {' and '.join(sources)})"
        if slip := slip_in_text(filled, quoted=quoted):
            self.problems.append(self.problem(path, slip))
        return filled


class _TooDeepError(Exception):
    """The nesting of the file is no configuration's."""


def _events(text: str) -> Iterator[yaml.Event]:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST_NESTING:
            raise _TooDeepError
        yield event


def _place(text: str, position: int) -> tuple[int, int]:
    before = text[:position].split("\n")
    return len(before), len(before[-1]) + 1


def dotted(path: KeyPath) -> str:
    """Write a path as admins read it: `routes[0].connectors`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _decoded(name: str, raw: bytes) -> str:
    """Return the text of a file. Raises ConfigError if it is none, or not UTF-8."""
    line = column = 0
    if kind := kind_of(BytesIO(raw)):
        message = f"is {kind.name}, and the configuration is a plain text: save it as UTF-8 text"
    elif guess_encoding(BytesIO(raw)).startswith("utf-16"):
        message = "is UTF-16 (Notepad calls it Unicode): save the file as UTF-8 text"
    else:
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line, column = _place(raw[: error.start].decode("utf-8"), error.start)
            message = "not UTF-8: save the file as UTF-8 text"
    raise ConfigError([Problem(name, line, column, "", message)])


_CONFIGURATION = ("at least api_keys and connectors", "'api_keys: [change-me]'")


def read_document(
    file: Path, fill: Fill, read: Callable[[], bytes], holds: tuple[str, str] = _CONFIGURATION
) -> Document:
    """Read `file` by `read`; `fill` puts in what `${…}` stands for and raises ValueError where it cannot.

    `holds` says what such a file needs, and how that is written.

    Raises ConfigError if the file cannot be read, is no UTF-8 text, or is not a YAML mapping. Slips that leave the
    rest readable are in the document's `problems` instead, to be reported with all others.
    """
    name = str(file)
    try:
        raw = read()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        why = f"{error.strerror}: {file.absolute()}{what_is_there(file)}" if missing else why_unreadable(file, error)
        message = f"cannot be read: {why}"
        raise ConfigError([Problem(name, 0, 0, "", message)]) from None
    if len(raw) > LARGEST_DOCUMENT:
        raise ConfigError([Problem(name, 0, 0, "", "larger than 1 MiB: this is no configuration")])
    document = Document(name, _decoded(name, raw), fill)
    if document.problems and (document.data is None or document.misread):
        raise ConfigError(document.problems)
    if document.data is None:
        raise ConfigError([Problem(name, 0, 0, "", f"the file is empty; it needs {holds[0]}")])
    if not isinstance(document.data, dict):
        message = f"the file has to hold keys with values, such as {holds[1]}"
        raise ConfigError([document.problem((), message)])
    return document
