"""A step that asks and is answered in XML: what is put in stays in its place, and what is secret is not shown."""

import pytest

from bridge.sdk import Owner, UnexpectedAnswer
from connectors.rest.templates.request import RequestTemplate
from connectors.rest.templates.scope import known_names
from tests.support.crm import Crm, Says, lookup, owners

STEP = """
secrets: {pin: planted}
steps:
  - answer: xml
    body: |
      <find>
        <wsse:Password xmlns:wsse="urn:w">{{ secrets.pin }}</wsse:Password><phone>{{ caller.national }}</phone>
      </find>
    records: contacts.contact
    match: phone
    take: {owner_id: owner}
"""


def sent(body, **values):
    with known_names(set(values)):
        return RequestTemplate.model_validate({"body": body}).build("https://crm.example", values).body.decode()


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("Lan & <b>", "Lan &amp; &lt;b&gt;"),
        ("\"'", "&quot;&apos;"),
        ("]]></a><!--", "]]&gt;&lt;/a&gt;&lt;!--"),
        ("Nguyễn", "Nguyễn"),
    ],
)
def test_what_is_put_in_stays_a_text_or_a_value(value, escaped):
    assert sent('<r b="{{ x }}">{{ x }}</r>', x=value) == f'<r b="{escaped}">{escaped}</r>'


@pytest.mark.parametrize("value", ["a\0b", "\uffff", "\x1b"])
def test_what_xml_cannot_carry_is_not_sent(value):
    with pytest.raises(UnexpectedAnswer, match="characters that XML cannot carry"):
        sent("<r>{{ x }}</r>", x=value)


@pytest.mark.parametrize("times", [1, 2])
def test_a_record_counts_whether_it_comes_once_or_twice(times):
    contact = "<contact><phone>0901234567</phone><owner>7</owner></contact>"
    with Crm({}) as crm:
        crm.script(Says(raw=f"<contacts>{contact * times}</contacts>".encode()))
        assert owners(crm, STEP) == [Owner("7")]


def test_an_element_that_is_empty_holds_no_records_and_one_that_is_not_there_is_an_error():
    with Crm({}) as crm:
        crm.script(Says(raw=b"<contacts/>"))
        assert owners(crm, STEP) == []
        crm.script(Says(raw=b"<answer/>"))
        with pytest.raises(UnexpectedAnswer, match=r"there is no `contacts.contact`; the fields that came are: answer"):
            owners(crm, STEP)


def test_xml_that_was_not_expected_says_what_to_write():
    with Crm({}) as crm:
        crm.script(Says(raw=b'<?xml version="1.0"?><contacts/>'))
        with pytest.raises(UnexpectedAnswer, match="answered 200 with XML, not JSON: write answer: xml"):
            owners(crm, STEP.replace("- answer: xml\n    body", "- body"))


def test_an_element_that_is_called_a_secret_is_not_shown():
    with Crm({}) as crm:
        crm.script(Says(raw=b"<contacts/>"))
        (line,) = [line for line in lookup(crm, STEP).lines if "<phone>" in line]
        assert "<phone>0901234567</phone>" in line
        assert "planted" not in line
        assert "planted" in crm.asked[0].body.decode()
