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
