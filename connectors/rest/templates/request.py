"""A request as the configuration writes it: method, path, query, headers and body, each leaf a template.

What is put into a path becomes part of one segment, whatever it holds; query and form values are encoded as a whole,
JSON is rendered as data, what stands in XML is escaped, and a header takes no control characters. So no value can
change what is asked.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal, Self
from urllib.parse import quote, unquote, urlencode

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from bridge.sdk import UnexpectedAnswer
from bridge.sdk.http import Request
from bridge.sdk.http.credentials import HeaderName
from connectors.rest.templates.sandbox import as_text
from connectors.rest.templates.scope import scope
from connectors.rest.templates.template import DataTemplate, JsonTemplate, Template, TextTemplate
from connectors.rest.templates.xml_body import XmlBody

_GRAPHQL = re.compile(r"(?:\s|#[^\n]*\n)*(?:(?:query|mutation|fragment)\b[^{}]*(?:\{\{.*?\}\}[^{}]*)*\{|\{(?![{%#]))")
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~"


def _segment(value: object) -> str:
    text = as_text(value)
    if not text:
        raise UnexpectedAnswer("an empty text cannot be put into a path")
    return quote(text, safe="")


def _leaves_its_place(path: str) -> bool:
    return any(unquote(segment) in {".", ".."} for segment in path.split("/"))


def _path(value: object) -> Template:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError("write a path here")  # noqa: TRY004 - pydantic reports a ValueError
    literal = re.sub(r"\{[{%#].*?[}%#]\}", "x", value)
    if "://" in literal or literal.startswith("//"):
        raise ValueError("a path is added to base_url and cannot name a host")
    if "?" in literal or "#" in literal:
        raise ValueError("a path has no '?' and no '#'; parameters stand under 'query'")
    if _leaves_its_place(literal):
        raise ValueError("a path cannot contain '.' or '..'")
    return Template(value, scope(), _segment)


PathTemplate = Annotated[
    Template, PlainValidator(_path), WithJsonSchema({"type": ["string", "integer"], "format": "template"})
]
"""A path in the configuration; what is put into it is percent-encoded, `/` included."""


class Parameter:
    """The value of a query or form parameter: a text, a list (the parameter is repeated), or `{json: …}` as text."""

    def __init__(self, written: object) -> None:
        self._json = isinstance(written, dict)
        if isinstance(written, dict) and list(written) != ["json"]:
            raise ValueError("write a text, a list of texts, or 'json:' with the data to send as JSON text")
        self._template = DataTemplate(written)
        parts = written if isinstance(written, list) else [written]
        if not self._json and any(part is None or isinstance(part, (dict, list)) for part in parts):
            raise ValueError("write a text, a list of texts, or 'json:' with the data to send as JSON text")
        self.names = self._template.names

    def constants(self, name: str) -> Iterator[tuple[str, str]]:
        """Give each text into which nothing is put, with the name under which it stands: `name`, if none of its own."""
        return self._template.constants(name)

    def texts(self, names: Mapping[str, object]) -> list[str]:
        """Return the values to send; an empty list leaves the parameter out."""
        value = self._template.render(names)
        if isinstance(value, dict) and self._json:
            return [to_json(value["json"])]
        return [as_text(item) for item in _flat(value)]


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _flat(item)
    else:
        yield value


ParameterTemplate = Annotated[
    Parameter,
    PlainValidator(Parameter),
    WithJsonSchema({"anyOf": [{"type": ["string", "number", "boolean", "array"]}, {"type": "object"}]}),
]
"""The value of a query or form parameter in the configuration."""


def to_json(data: object) -> str:
    """Return the data as JSON. Raises UnexpectedAnswer for NaN and the like, which a CRM's answer may have held."""
    try:
        return json.dumps(data, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise UnexpectedAnswer("a number that JSON does not know cannot be sent") from None


class RequestTemplate(BaseModel):
    """One request of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    path: PathTemplate = Field(
        default_factory=lambda: Template("", set()),
        description="Path below base_url, a template; without it base_url itself is asked.",
    )
    method: Literal["GET", "POST"] | None = Field(
        default=None, description="HTTP method; without it POST if there is a body, else GET."
    )
    query: dict[str, ParameterTemplate] = Field(
        default={}, description="Parameters in the URL, templates; a list repeats the parameter."
    )
    headers: dict[HeaderName, TextTemplate] = Field(default={}, description="Headers, templates.")
    json_body: JsonTemplate | None = Field(
        default=None, alias="json", description="Body to send as JSON; its texts are templates."
    )
    form: dict[str, ParameterTemplate] | None = Field(
        default=None, description="Body to send as form fields, templates; a list repeats the field."
    )
    body: XmlBody | None = Field(
        default=None, description="Body to send as XML, a template; what is put in is escaped."
    )

    def constants(self) -> Iterator[tuple[str, str]]:
        """Give each text of the query and the body into which nothing is put, with the name under which it stands."""
        for name, parameter in (*self.query.items(), *(self.form or {}).items()):
            yield from parameter.constants(name)
        if self.json_body is not None:
            yield from self.json_body.constants()

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        bodies = sum(body is not None for body in (self.json_body, self.form, self.body))
        if bodies > 1:
            raise ValueError("a request has one body: 'json', 'form' or 'body'")
        if self.method == "GET" and bodies:
            raise ValueError("a GET request has no body: write 'method: POST', or use 'query'")
        return self

    @cached_property
    def names(self) -> frozenset[str]:
        """The names from outside that the request's templates use."""
        templates: list[Template | Parameter] = [self.path, *self.query.values(), *self.headers.values()]
        templates += (self.form or {}).values()
        used = frozenset[str]().union(*(template.names for template in templates))
        return used.union(*(body.names for body in (self.json_body, self.body) if body))

    @cached_property
    def is_graphql(self) -> bool:
        """Whether the body asks in GraphQL: `{"query": "query($phone: String) { … }"}`, or the short `{ … }`."""
        return self.json_body is not None and _GRAPHQL.match(self.json_body.source_of("query")) is not None

    def build(self, base_url: str, names: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Request:
        """Return the request with every template filled in; `headers` are sent too, unless the request has its own.

        Raises UnexpectedAnswer if a value is missing or cannot stand where it is needed.
        """
        own = {name: header_text(name, template.render(names)) for name, template in self.headers.items()}
        sent = {name: text for name, text in (headers or {}).items() if name.lower() not in map(str.lower, own)} | own
        body, content_type = self._body(names)
        if body is not None and "content-type" not in map(str.lower, sent):
            sent["Content-Type"] = content_type
        method = self.method or ("GET" if body is None else "POST")
        return Request(method, self._url(base_url, names), _pairs(self.query, names), sent, body)

    def _url(self, base_url: str, names: Mapping[str, object]) -> str:
        path = quote(self.path.render(names), safe=_PATH_CHARACTERS).removeprefix("/")
        if _leaves_its_place(path):
            raise UnexpectedAnswer(f"template {self.path.source!r}: a value would leave its place in the path")
        return f"{base_url.rstrip('/')}/{path}" if path else base_url

    def _body(self, names: Mapping[str, object]) -> tuple[bytes | None, str]:
        if self.json_body is not None:
            return to_json(self.json_body.render(names)).encode(), "application/json"
        if self.form is not None:
            return urlencode(_pairs(self.form, names)).encode(), "application/x-www-form-urlencoded"
        if self.body is not None:
            return self.body.render(names).encode(), "text/xml; charset=utf-8"
        return None, ""


def _pairs(parameters: Mapping[str, Parameter], names: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple((key, text) for key, parameter in parameters.items() for text in parameter.texts(names))


def header_text(name: str, text: str) -> str:
    """Return the value of a header. Raises UnexpectedAnswer if it could not be sent as one."""
    if not (text.isascii() and text.isprintable()):
        raise UnexpectedAnswer(f"header {name}: its value holds characters that cannot stand in a header")
    return text.strip()
