"""An answer in XML as the objects, lists and texts that JMESPath goes through.

An element is an object of what is in it, a text if that is all, null if there is nothing. Prefixes of namespaces are
left out; an attribute stands beside the elements as `_name`, the text of an element with attributes as `_text`. What
comes several times is a list, and what an expression goes through as a list, `Phone[].Number`, is one if it comes once.
"""

import re
from collections.abc import Container, Iterable, Sequence
from xml.parsers.expat import ErrorString, ExpatError

import xmltodict

from bridge.sdk import UnexpectedAnswer, give_way
from bridge.sdk.http import Response, with_replacements
from connectors.rest.mapping.expression import Expression

_DEEPEST = 100
_MOST_TAGS, _CHARACTERS_PER_TAG = 200_000, 10
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance:"
"""Whose attributes say how an element is to be read (https://www.w3.org/TR/xmlschema-1/#Instance_Document_Constructs)."""
_NIL = "\0nil"
_HALF = "\udcfd"
_BLANK = b"\xef\xbb\xbf \t\r\n"
_LONGEST_HEAD = 200
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']""")
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+)?html", re.IGNORECASE | re.DOTALL)
_STEPS = 64


def xml_data(response: Response, lists: Container[str]) -> object:
    """Return what the body holds; elements whose names are in `lists` are lists however often they come.

    Entities are refused, and so is a document that would take too long. Bytes that are no characters are left in the
    texts as halves of characters, as by `Response.json`. Raises UnexpectedAnswer if it is no such XML.
    """
    body = response.body
    declared = _DECLARED.search(body[:_LONGEST_HEAD])
    text = response.text("surrogateescape", declared[1].decode("ascii") if declared else "")
    text = text.lstrip("\ufeff \t\r\n")  # many a script writes a line break before all
    whole = with_replacements(text)
    if problem := _clear_problem(body, whole):
        raise UnexpectedAnswer(f"{response.host} answered {response.status} with {problem}")
    try:
        return xmltodict.parse(
            whole,
            process_namespaces=True,
            attr_prefix="_",
            cdata_key="_text",
            force_list=lists,
            postprocessor=_Namer(is_broken=whole != text),  # type: ignore[arg-type]  # it may leave out, too
        )
    except ExpatError as error:
        problem = f"a body that is not XML in its line {error.lineno}: {ErrorString(error.code)}"
    except ValueError:  # what xmltodict says of an entity
        problem = "XML that declares entities, which are refused"
    raise UnexpectedAnswer(f"{response.host} answered {response.status} with {problem}")


def is_xml(body: bytes) -> bool:
    """Tell whether a body says that it is XML, and is no page."""
    return body.lstrip(_BLANK).startswith(b"<?xml") and not _HTML.match(body)


def repeated(expressions: Iterable[Expression]) -> frozenset[str]:
    """Return the names of the fields that expressions go through as lists: `Phone` of `Phones.Phone[].Number`."""
    return frozenset(name for expression in expressions for name in expression.lists)


class _Namer:
    """Gives what is found its name without a namespace, and sorts out what only says how it is to be read."""

    def __init__(self, *, is_broken: bool) -> None:
        self._is_broken = is_broken
        self._steps = 0

    def __call__(self, path: Sequence[object], key: str, value: object) -> tuple[str, object] | None:
        self._steps += 1
        if self._steps % _STEPS == 0:
            give_way()
        if len(path) > _DEEPEST:
            raise UnexpectedAnswer(f"the answer's XML is nested more than {_DEEPEST} elements deep")
        if key == "_xmlns":
            return None
        if key.startswith(f"_{_SCHEMA_INSTANCE}"):
            return (_NIL, value) if key.endswith(":nil") else None
        if isinstance(value, str) and self._is_broken:
            value = value.replace("\ufffd", _HALF)
        name = key.rpartition(":")[2]
        return f"_{name}" if key.startswith("_") and ":" in key else name, _unless_nil(value)


def _unless_nil(value: object) -> object:
    """Return what an element holds that says whether it is null, beside it."""
    if not isinstance(value, dict) or _NIL not in value:
        return value
    if value.pop(_NIL) in {"true", "1"}:
        return None
    return value.get("_text") if not value.keys() - {"_text"} else value


def _clear_problem(body: bytes, text: str) -> str:
    """Return what is wrong with a body as can be seen without going through it, or nothing."""
    start = body.lstrip(_BLANK)[:1]
    if not start:
        return "an empty body, not XML"
    if _HTML.match(body):
        return "an HTML page, not XML: is the address right, or is it a login page?"
    if body.lstrip(_BLANK).startswith(b"--"):
        return "a message of several parts (MTOM or attachments), not XML alone: is there a way to ask without them?"
    if start in {b"{", b"["}:
        return "JSON, not XML: leave out answer: xml"
    most = max(_MOST_TAGS, len(text) // _CHARACTERS_PER_TAG)
    if len(text) > most and (count := text.count("<")) > most:
        return f"{count} tags: {most} at most"
    return ""
