"""Connectors that are right in ways that a kit may not expect, and what their CRMs answer."""

from typing import Any, ClassVar
from xml.etree import ElementTree as ET

from bridge.sdk import UnexpectedAnswer
from bridge.testing import Reply
from tests.support.mistakes import Right


def xml(body):
    return Reply(body=body.encode(), headers=("Content-Type: application/xml",))


class ACrmOfXml:
    """What a CRM answers that speaks XML."""

    found: ClassVar[Any] = xml(
        "<customers><customer><phone>0901 234 567</phone><owner>lan@congty.example</owner></customer></customers>"
    )
    nobody: ClassVar[Any] = xml("<customers/>")
    also_failures = (xml("<error>quota</error>"),)


class ReadsXml(Right):
    def records(self, answer):
        try:
            tree = ET.fromstring(answer.body)
        except ET.ParseError:
            raise UnexpectedAnswer("no XML") from None
        if tree.tag != "customers":
            raise UnexpectedAnswer("no customers")
        return [{field.tag: field.text for field in customer} for customer in tree]


class ACrmWithACustomerAbroad:
    """What a CRM answers about a customer abroad, and that it knows another one whose number looks the same."""

    caller = "+66901234567"
    found: ClassVar[Any] = {"customers": [{"phone": "+66 90 123 4567", "owner": "lan@congty.example"}]}
    nobody: ClassVar[Any] = {"customers": []}
    also_failures = ({"error": "quota"},)


class ACrmThatKnowsSomebodyAbroad:
    """What a CRM answers that knows, besides, a customer abroad, of the same owner."""

    others = ("+66901234567",)
    also_failures = ({"error": "quota"},)
    nobody: ClassVar[Any] = {"customers": []}

    def found(self, request):
        phone = "+66 90 123 4567" if request.query.get("phone") == "+66901234567" else "0901 234 567"
        return {"customers": [{"phone": phone, "owner": "lan@congty.example"}]}
