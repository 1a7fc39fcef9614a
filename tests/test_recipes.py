"""The recipes of docs/rest.md find the owners in the answers of the CRMs that they are for.

The answers of Odoo, EspoCRM, SuiteCRM and BottleCRM are recorded ones, shortened; those of Bitrix24 are from the
vendor's documents.
"""

import pytest
import yaml

from bridge.connector import Owner
from bridge.errors import SourceRejected, SourceUnavailable
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


def test_odoo():
    partners = [
        {"id": 14, "phone": "0901234567", "mobile": False, "user_id": [6, "Nguyễn Thị Lan"]},
        {"id": 19, "phone": "0901234567", "mobile": False, "user_id": False},
        {"id": 21, "phone": False, "mobile": "+84 90 123 45 67", "user_id": [11, "Đỗ Văn Nghi"]},
    ]
    users = [
        {"id": 6, "login": "lan", "email": "lan@congty.example", "name": "Nguyễn Thị Lan", "active": True},
        {"id": 11, "login": "nghi", "email": "nghi@congty.example", "name": "Đỗ Văn Nghi", "active": False},
    ]

    def odoo(question):
        params = question.json["params"]
        answers = {"login": 12, "search_read": partners, "read": users}
        return {"jsonrpc": "2.0", "id": 1, "result": answers[params["args"][4] if len(params["args"]) > 3 else "login"]}

    with Crm({"jsonrpc": odoo}) as crm:
        text = recipe("Odoo 17", crm)
        assert owners(crm, text) == [Owner("6", "lan@congty.example", "lan", "Nguyễn Thị Lan")]
        assert crm.asked[-1].json["params"]["args"][5] == [[6, 11]]
        owners(crm, text, "0834567890")
        assert crm.asked[-1].json["params"]["args"][:2] == ["odoo17", 12]
        assert crm.asked[-1].json["params"]["args"][5] == [
            [
                *("|", "|", ["phone_sanitized", "=", "+84834567890"]),
                *(["phone_mobile_search", "ilike", "834567890"], ["phone_mobile_search", "=", "01234567890"]),
            ]
        ]
        denied = {"code": 200, "message": "Odoo Server Error", "data": {"message": "Access Denied"}}
        for refusal in ({"jsonrpc": "2.0", "id": 1, "result": False}, {"result": 12, "error": denied}):
            crm.script(refusal)
            with pytest.raises(SourceRejected):
                owners(crm, text)


def test_espocrm():
    contacts = [
        {"id": "6b03c0c443595a632", "phoneNumber": "+84 90 123 45 67", "assignedUserId": "6b03c0c3d20f0e5ce"},
        {"id": "6b03c0c4886b5c831", "phoneNumber": "0901234567", "assignedUserId": None},
    ]
    minh = {"id": "6b03c0c3d20f0e5ce", "userName": "minh", "emailAddress": "minh@congty.example", "isActive": True}
    with Crm({"Contact": {"total": 2, "list": contacts}, "User/6b03c0c3d20f0e5ce": minh}) as crm:
        text = recipe("EspoCRM", crm)
        assert owners(crm, text) == [Owner("6b03c0c3d20f0e5ce", "minh@congty.example", "minh")]
        values = {value for key, value in crm.asked[0].query if key == "where[0][value][]"}
        assert values >= {"0901234567", "84901234567", "0084901234567", "901234567"}
        crm.scripts["User/6b03c0c3d20f0e5ce"] = {**minh, "isActive": False}
        assert owners(crm, text) == []
        crm.script({"total": 0, "list": []})
        assert owners(crm, text, "0834567890") == []
        assert ("where[0][value][]", "01234567890") in crm.asked[0].query
        crm.script(Says(status=401, raw=b""))
        with pytest.raises(SourceRejected):
            owners(crm, text)


def test_suitecrm():
    def contact(phone, user):
        numbers = {"phone_home": phone, "phone_mobile": "", "phone_work": "", "phone_other": ""}
        return {"type": "Contact", "attributes": {**numbers, "assigned_user_id": user, "assigned_user_name": "Lan"}}

    lan = {
        "data": {"type": "User", "id": "564f2dec", "attributes": {"full_name": "Lan", "email1": "lan@congty.example"}}
    }
    scripts = {
        "Api/access_token": {"token_type": "Bearer", "expires_in": 3600, "access_token": "eyJ0"},
        "Api/V8/module/Contacts": {"data": [contact("0901234567", "564f2dec"), contact("0901 2345 671", "68f6929e")]},
        "Api/V8/module/Users/564f2dec": lan,
    }
    with Crm(scripts) as crm:
        text = recipe("SuiteCRM", crm)
        assert owners(crm, text) == [Owner("564f2dec", "lan@congty.example", name="Lan")]
        query = dict(crm.asked[1].query)
        assert query["filter[phone_home][like]"] == query["filter[phone_mobile][like]"] == "%9%0%1%2%3%4%5%6%7"
        crm.scripts["Api/V8/module/Contacts"] = {"meta": {"message": "no result"}, "data": []}
        assert owners(crm, text, "0834567890") == []
        assert dict(crm.asked[-1].query)["filter[phone_work][like]"] == "%1%2%3%4%5%6%7%8%9%0"


def test_bitrix24():
    people = [
        {"CRM_ENTITY_TYPE": "CONTACT", "ASSIGNED_BY_ID": "17", "ASSIGNED_BY": {"USER_PHONE_INNER": "101"}},
        {"CRM_ENTITY_TYPE": "LEAD", "ASSIGNED_BY_ID": "18", "ASSIGNED_BY": {"USER_PHONE_INNER": None}},
    ]
    with Crm({}) as crm:
        text = recipe("Bitrix24", crm).replace("${BITRIX_WEBHOOK}", "hook")
        crm.script({"result": people})
        assert owners(crm, text) == [Owner("17", extension="101"), Owner("18")]
        assert crm.asked[0].path == "/api/rest/1/hook/telephony.externalCall.searchCrmEntities"
        crm.script({"result": []})
        assert owners(crm, text) == []
        crm.script(Says({"error": "QUERY_LIMIT_EXCEEDED"}, status=503))
        with pytest.raises(SourceUnavailable):
            owners(crm, text)
        crm.script({"error": "insufficient_scope", "error_description": "no scope"})
        with pytest.raises(SourceRejected, match="no scope"):
            owners(crm, text)
