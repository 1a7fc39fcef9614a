"""What an answer in XML is to JMESPath, and what of it is refused."""

import pytest

from bridge.sdk import UnexpectedAnswer
from bridge.sdk.http import Response, is_broken
from connectors.rest.mapping.expression import Expression
from connectors.rest.mapping.xml_answer import repeated, xml_data

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def data(body, *lists, headers=None):
    content = body.encode() if isinstance(body, str) else body
    return xml_data(Response(200, headers or {}, {}, content, "crm.example"), frozenset(lists))


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        ("<r><a>Lan</a><b>7</b></r>", {"a": "Lan", "b": "7"}),
        ("<r><a/><b></b><c> </c></r>", {"a": None, "b": None, "c": None}),
        ('<s:r xmlns:s="urn:s" xmlns="urn:d"><s:a>1</s:a><b>2</b></s:r>', {"a": "1", "b": "2"}),
        ('<r id="7" xmlns:k="urn:k" k:x="8"><a>1</a></r>', {"_id": "7", "_x": "8", "a": "1"}),
        ('<r><a id="7">Lan</a></r>', {"a": {"_id": "7", "_text": "Lan"}}),
        ("<r><a>1</a><a>2</a></r>", {"a": ["1", "2"]}),
        (f'<r {XSI}><a xsi:nil="true"/><b xsi:nil="false">1</b></r>', {"a": None, "b": "1"}),
        (f'<r {XSI}><a xsi:type="xsd:int">7</a></r>', {"a": "7"}),
        ("<r><!-- no --><a>x<![CDATA[<y> & ]]>z</a></r>", {"a": "x<y> & z"}),
        ("<r><a>Nguy&#7877;n &amp; Lan &lt;1&gt;</a></r>", {"a": "Nguyễn & Lan <1>"}),
        ('<!DOCTYPE r SYSTEM "http://127.0.0.1:1/r.dtd"><r><a>1</a></r>', {"a": "1"}),
    ],
)
def test_elements_are_objects_texts_and_lists(body, holds):
    assert data(body) == {"r": holds}


def test_an_element_that_is_gone_through_as_a_list_is_one_if_it_comes_once():
    assert data("<r><a>1</a></r>", "a") == {"r": {"a": ["1"]}}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("a.b[].c", {"b"}),
        ("a[].b[*].c", {"a", "b"}),
        ("a.b[?c == '1'].d[0]", {"b", "d"}),
        ("not_null(a.b[].c, d[].e)", {"b", "d"}),
        ("a.b.c", set()),
    ],
)
def test_what_stands_before_brackets_is_gone_through_as_a_list(expression, names):
    assert repeated([Expression(expression)]) == names


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ('<?xml version="1.0" encoding="UTF-8"?><r>Lân</r>'.encode(), {}),
        ("\ufeff<r>Lân</r>".encode(), {}),
        ('\r\n\ufeff\n <?xml version="1.0" encoding="utf-8"?><r>Lân</r>'.encode(), {}),
        ('<?xml version="1.0" encoding="utf-16"?><r>Lân</r>'.encode("utf-16"), {}),
        ('<?xml version="1.0" encoding="windows-1258"?><r>Lân</r>'.encode("windows-1258"), {}),
        ("<r>Lân</r>".encode("windows-1258"), {"Content-Type": "text/xml; charset=windows-1258"}),
        ('<?xml version="1.0" encoding="iso-8859-1"?><r>Lân</r>'.encode(), {}),
    ],
)
def test_bytes_are_read_by_what_they_are_and_else_by_what_is_declared(body, headers):
    assert data(body, headers=headers) == {"r": "Lân"}


def test_bytes_that_are_no_characters_spoil_their_own_text_alone():
    found = data(b"<r><a>L\xe2n</a><b>7</b></r>")
    assert found["r"]["b"] == "7"
    assert is_broken(found["r"]["a"])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "an empty body, not XML"),
        (b" \r\n", "an empty body, not XML"),
        (b'{"a": 1}', "JSON, not XML: leave out answer: xml"),
        (b"<!DOCTYPE html><html><body/></html>", "an HTML page, not XML"),
        (b"<!-- x --><html/>", "an HTML page, not XML"),
        (b"<r>\n<a></r>", "a body that is not XML in its line 2: mismatched tag"),
        (b"<r/><r/>", "a body that is not XML in its line 1"),
        (b"--uuid:1\r\nContent-Type: application/xop+xml\r\n\r\n<r/>\r\n--uuid:1--", "several parts (MTOM"),
        (b"good morning", "a body that is not XML in its line 1: syntax error"),
        (b"<r>&#1;</r>", "a body that is not XML in its line 1"),
        (b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>', "XML that declares entities"),
        (b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]><r>&a;</r>', "XML that declares entities"),
        (b'<!DOCTYPE r [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]><r/>', "XML that declares entities"),
        (b"<r>" + b"<a/>" * 400_000 + b"</r>", "400002 tags: 200000 at most"),
        (b"<a>" * 101 + b"</a>" * 101, "nested more than 100 elements deep"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_is_no_xml_or_would_take_too_long_is_refused_in_words(body, told):
    with pytest.raises(UnexpectedAnswer) as error:
        data(body)
    assert told in str(error.value)
