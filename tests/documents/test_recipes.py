"""The recipes of docs/rest.md find the owners in the answers of the CRMs that they are for."""

import pytest
import yaml

from bridge.sdk import Owner, SourceRejected, SourceUnavailable
from tests.support.crm import Crm, Says, owners
from tests.support.documents import ROOT, block

REST = ROOT / "docs/rest.md"


def recipe(heading, crm):
    """Return the connector of a recipe, turned to a server of ours."""
    settings = yaml.safe_load(block(REST, heading, "yaml").text)["crm"]
    assert settings.pop("type") == "rest"
    return yaml.safe_dump(settings).replace(settings["base_url"].rstrip("/"), crm.url)


def test_the_simple_recipe():
    records = [{"phone": "0901 234 567", "mobile": "", "owner": {"email": "lan@congty.example", "name": "Lan"}}]
    with Crm({"contacts/search": {"results": records}}) as crm:
        assert owners(crm, recipe("A simple CRM", crm)) == [Owner(email="lan@congty.example", name="Lan")]
        assert owners(crm, recipe("A simple CRM", crm), "0901234568") == []


def bottle_contact(*people):
    owner = {
        "phone": "+84 90 123 45 67",
        "assigned_to": [
            {"is_active": active, "user_details": {"email": f"{name}@congty.example", "name": name, "is_active": True}}
            for name, active in people
        ],
    }
    return {"contact_obj": owner}


def test_bottlecrm():
    duplicates = [
        {"id": "b6bfdbff", "name": "Dũng Hồ Quốc", "phone": "+84 90 123 45 67", "matched_on": ["phone"]},
        {"id": "13023694", "name": "Tuấn Huỳnh Hữu", "phone": "0901234567", "matched_on": ["phone"]},
    ]
    scripts = {
        "contacts/duplicates/": {"duplicates": duplicates},
        "contacts/b6bfdbff/": bottle_contact(("minh", True), ("nghi", False)),
        "contacts/13023694/": bottle_contact(),
    }
    with Crm(scripts) as crm:
        text = recipe("BottleCRM", crm)
        assert owners(crm, text) == [Owner(email="minh@congty.example", name="minh")]
        assert crm.asked[0].json == {"phone": "+84901234567"}
        crm.script({"duplicates": []})
        assert owners(crm, text, "0834567890") == []
        assert [question.json["phone"] for question in crm.asked] == ["+84834567890", "01234567890"]
        crm.script(Says({"detail": "throttled"}, status=429, headers=(("Retry-After", "30"),)))
        with pytest.raises(SourceUnavailable):
            owners(crm, text)


def test_graphql():
    nodes = [{"phone": "0901 234 567", "mobile": None, "owner": {"id": "u7", "email": "lan@congty.example"}}]
    with Crm({"graphql": {"data": {"contacts": {"nodes": nodes}}}}) as crm:
        text = recipe("GraphQL", crm)
        assert owners(crm, text) == [Owner("u7", "lan@congty.example")]
        assert "0901234567" in crm.asked[0].json["variables"]["phones"]
        crm.script({"data": None, "errors": [{"message": "slow down", "extensions": {"code": "THROTTLED"}}]})
        with pytest.raises(SourceUnavailable):
            owners(crm, text)
        crm.script({"data": {"contacts": {"nodes": []}}, "errors": [{"message": "no field mobile"}]})
        with pytest.raises(SourceRejected, match="no field mobile"):
            owners(crm, text)


def soap(inner):
    return Says(
        raw=f"""<?xml version="1.0" encoding="utf-8"?>
        <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inner}</s:Body></s:Envelope>""".encode(),
        headers=(("Content-Type", "text/xml"),),
    )


def soap_contacts(*owned):
    """Write contacts, each with its owner's id and telephone numbers."""
    contacts = (
        f"<c:Contact><c:Phones>{''.join(f'<c:Phone><c:Number>{number}</c:Number></c:Phone>' for number in numbers)}"
        f'</c:Phones><c:Owner id="{owner}"><c:Name>Lan &amp; Co</c:Name></c:Owner></c:Contact>'
        for owner, *numbers in owned
    )
    inner = f"<c:Contacts>{''.join(contacts)}</c:Contacts>"
    return soap(f'<c:FindContactsResponse xmlns:c="urn:crm">{inner}</c:FindContactsResponse>')


def test_soap(monkeypatch):
    monkeypatch.setenv("CRM_PASSWORD", "planted")
    with Crm({}) as crm:
        text = recipe("XML and SOAP", crm)
        crm.elsewhere = soap_contacts(("7", "0901 234 567"))
        assert owners(crm, text) == [Owner("7", name="Lan & Co")]
        assert crm.asked[0].method == "POST"
        assert crm.asked[0].headers["content-type"] == "text/xml; charset=utf-8"
        assert crm.asked[0].headers["soapaction"] == '"urn:crm/FindContacts"'
        assert b"<Phone>0901234567</Phone>" in crm.asked[0].body
        crm.script(soap_contacts(("7", "024 3999 0001", "0901 234 567"), ("8", "0901234567"), ("9", "0901234568")))
        assert [owner.id for owner in owners(crm, text)] == ["7", "8"]
        crm.script(soap_contacts())
        assert owners(crm, text) == []
        fault = "<s:Fault><faultcode>s:Client</faultcode><faultstring>no such action</faultstring></s:Fault>"
        crm.script(soap(fault))
        with pytest.raises(SourceRejected, match=r"error_when|an error: .*\(no such action\)"):
            owners(crm, text)
        crm.script(Says(raw=soap(fault).raw, status=500))
        with pytest.raises(SourceUnavailable, match=r"answered 500 \(no such action\)"):
            owners(crm, text)
