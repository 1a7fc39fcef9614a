"""The configuration file as people may see it: where each thing stands, and no secret, whatever is wrong with the file.

What `${…}` stands for is not looked at, and comments are left out, for an old key may stand there. In a file that is
valid the models say which values are secret. In one with problems nobody knows, so a value is shown only if it stands
at the same place of the file in force; and where even the structure is in doubt, no value is shown at all.
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import yaml

from bridge.config.interpolation import SECRET_NAME, sources_of
from bridge.config.sections import Settings
from bridge.config.yaml_document import KeyPath, dotted
from bridge.sdk.secrets import MASK

_COMMENT = re.compile(r"#.*")
_CARRIERS = frozenset({"headers", "cookies", "params", "console"})
"""Sections whose values may be credentials under any name."""
_LONG_WORD = re.compile(r"[A-Za-z0-9_+=-]{20,}", re.ASCII)
_ADDRESS = re.compile(r"(?P<scheme>[a-z0-9+]+://)(?:[^/\s@]*@)?(?P<host>[A-Za-z0-9.:\[\]-]*)[^\s\"']*", re.ASCII)
"""With credentials, a path or a query that may hold one: a webhook's key stands in its path."""
_OF_A_QUERY = re.compile(r"(?P<name>[?&][\w.-]+=)[^&\s\"']*")
_LINE_OF_A_KEY = re.compile(r"(?P<indent>\s*(?:- +)*)(?P<key>[A-Za-z_][\w.-]*):", re.ASCII)
_WORD = re.compile(r"[a-z_]{2,24}", re.ASCII)
_SHORTEST_PART = 4
_HIDDEN = "\0"


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A configuration file that could be used, and all secrets of what it says."""

    document: bytes
    secrets: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class _Scalar:
    path: KeyPath
    node: yaml.ScalarNode
    is_key: bool


def shown_lines(document: bytes, secrets: AbstractSet[str] | None, in_force: ReadFile) -> list[tuple[int, str]]:
    """Return the lines with their numbers, masked; `secrets` is None for a file with problems.

    The lines of a text that is masked have one line together.
    """
    text = _decoded(document)
    known = {one.path: one.node.value for one in _scalars(_decoded(in_force.document)) or () if not one.is_key}
    names = {part for path in known for part in path if isinstance(part, str)} | set(Settings.model_fields)
    scalars = _scalars(text)
    if scalars is None:
        return [(number, _key_alone(line, names)) for number, line in enumerate(text.splitlines(), 1)]
    parts, end = [], 0
    for one in sorted(scalars, key=lambda scalar: scalar.node.start_mark.index):
        begin, last = one.node.start_mark.index, one.node.end_mark.index
        parts += [_COMMENT.sub("", text[end:begin]), _shown(one, text[begin:last], secrets, in_force, known, names)]
        end = last
    parts.append(_COMMENT.sub("", text[end:]))
    lines = enumerate("".join(parts).split("\n"), 1)
    return [(number, line.rstrip()) for number, line in lines if line != _HIDDEN]


def changed_keys(document: bytes, before: bytes) -> list[str]:
    """Name the keys with another value than before, in the order of the files, and those that are in one file alone."""
    now, then = (
        {one.path: one.node.value for one in _scalars(_decoded(raw)) or () if not one.is_key}
        for raw in (document, before)
    )
    return [dotted(path) for path in dict.fromkeys([*now, *then]) if now.get(path) != then.get(path)]


def _shown(
    one: _Scalar,
    written: str,
    secrets: AbstractSet[str] | None,
    in_force: ReadFile,
    known: Mapping[KeyPath, str],
    names: AbstractSet[str],
) -> str:
    value = str(one.node.value)
    if one.is_key:
        is_shown = (
            not _is_secret(value, secrets) if secrets is not None else value in names or bool(_WORD.fullmatch(value))
        )
        return written if is_shown else _masked(written)
    if "${" in value:
        return f"{MASK} {', '.join(sources_of(value))}" + _line_ends(written)
    if secrets is None and known.get(one.path) != value:
        return _masked(written)
    if _carries(one.path) or _is_secret(value, in_force.secrets if secrets is None else secrets):
        return _masked(written)
    if one.node.style in {"|", ">"}:
        first, end, rest = written.partition("\n")
        written = _COMMENT.sub("", first) + end + rest
    return _OF_A_QUERY.sub(rf"\g<name>{MASK}", _ADDRESS.sub(rf"\g<scheme>\g<host>/{MASK}", written))


def _carries(path: KeyPath) -> bool:
    """Tell whether what stands at a place is a credential by the names that lead there."""
    return any(isinstance(part, str) and (part in _CARRIERS or SECRET_NAME.search(part)) for part in path)


def _is_secret(value: str, secrets: AbstractSet[str]) -> bool:
    parts = (secret for secret in secrets if len(secret) >= _SHORTEST_PART)
    return (
        value in secrets or any(part in value for part in parts) or any(map(_is_like_a_key, _LONG_WORD.findall(value)))
    )


def _is_like_a_key(word: str) -> bool:
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word))


def _masked(written: str) -> str:
    return MASK + _line_ends(written)


def _line_ends(written: str) -> str:
    """Return what keeps the numbers of the lines behind a text of several lines."""
    count = written.count("\n")
    ends_whole = written.endswith("\n")
    return "".join(f"\n{_HIDDEN}" for _ in range(count - ends_whole)) + "\n" * ends_whole


def _key_alone(line: str, names: AbstractSet[str]) -> str:
    found = _LINE_OF_A_KEY.match(line)
    if found and found["key"] in names:
        rest = line[found.end() :].strip()
        return f"{found['indent']}{found['key']}:{f' {MASK}' if rest else ''}"
    return MASK if line.strip() else ""


def _decoded(document: bytes) -> str:
    text = document.decode("utf-8-sig", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _scalars(text: str) -> list[_Scalar] | None:
    """Return all keys and values, None if the text is not to be understood."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return list(_within(root, (), set())) if root else []
    except (yaml.YAMLError, RecursionError):
        return None


def _within(node: yaml.Node, path: KeyPath, seen: set[int]) -> Iterator[_Scalar]:
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield _Scalar(path, node, is_key=False)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _within(item, (*path, index), seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if isinstance(key, yaml.ScalarNode):
                yield _Scalar((*path, name), key, is_key=True)
            else:
                yield from _within(key, path, seen)
            yield from _within(value, (*path, name), seen)
