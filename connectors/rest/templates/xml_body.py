"""A body in XML, as SOAP wants it: a text whose placeholders stand where a text or the value of an attribute may stand.

What is put in is escaped, so that it stays in its place: it ends no element and begins none.
"""

import re
from typing import Annotated
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate
from xml.sax.saxutils import escape

from pydantic import PlainValidator, WithJsonSchema

from bridge.sdk import UnexpectedAnswer
from connectors.rest.templates.sandbox import as_text
from connectors.rest.templates.scope import scope
from connectors.rest.templates.template import Template

_QUOTES = {'"': "&quot;", "'": "&apos;"}
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry, not even escaped (https://www.w3.org/TR/xml/#charsets)."""
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_OTHER_TAGS = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)
_UNESCAPED = re.compile(r"<!\[CDATA\[(?:(?!\]\]>).)*\{\{|<!--(?:(?!-->).)*\{\{|<\?(?:(?!\?>).)*\{\{", re.DOTALL)
_FILLED_IN = "&#120;"
"""What stands for a placeholder in a trial: it may stand where text may, and in no name."""


def _escaped(value: object) -> str:
    text = as_text(value)
    if _NO_CHARACTER.search(text):
        raise UnexpectedAnswer("a value holds characters that XML cannot carry")
    return escape(text, _QUOTES)


def _xml_body(value: object) -> Template:
    if not isinstance(value, str):
        raise ValueError("write the XML as a text here, below 'body: |'")  # noqa: TRY004 - pydantic reports a ValueError
    if _UNESCAPED.search(value):
        raise ValueError("{{ … }} cannot stand in CDATA, in a comment or in <? … ?>: write it as text, it is escaped")
    template = Template(value.strip(), scope(), _escaped)
    parser = ParserCreate()
    try:
        parser.Parse(_OTHER_TAGS.sub("", _PLACEHOLDER.sub(_FILLED_IN, value.strip())), True)
    except ExpatError as error:
        why = f"line {error.lineno} of it is no XML: {ErrorString(error.code)}"
        raise ValueError(f"{why}; {{{{ … }}}} may stand as text or as the value of an attribute") from None
    return template


XmlBody = Annotated[Template, PlainValidator(_xml_body), WithJsonSchema({"type": "string", "format": "template"})]
"""A body in XML in the configuration."""
