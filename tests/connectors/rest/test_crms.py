"""Real CRMs in the connector's words, other than in the recipes of docs/rest.md: what is asked, what comes of it."""

from typing import Any

from bridge.sdk import Owner
from tests.support.crm import Crm, owners


def test_espocrm_through_one_json_parameter() -> None:
    where = '{where: [{type: endsWith, attribute: phoneNumberNumeric, value: "{{ caller.nsn }}"}], maxSize: 5}'
    text = f"""
    steps:
      - path: Contact
        query: {{searchParams: {{json: {where}}}}}
        records: list
        match: phoneNumber
        take: {{owner_id: assignedUserId}}
    """
    with Crm({"Contact": {"list": [{"phoneNumber": "0901.234.567", "assignedUserId": "a"}]}}) as crm:
        assert owners(crm, text) == [Owner("a")]
        assert (
            crm.asked[0]
            .query[0][1]
            .startswith('{"where":[{"type":"endsWith","attribute":"phoneNumberNumeric","value":"9')
        )


def test_a_crm_with_several_owners_embedded_in_the_record() -> None:
    text = """
    auth: {type: bearer, token: personal-token}
    steps:
      - path: contacts/
        forms: [national, e164]
        query: {phone: "{{ form }}", limit: 5}
        records: results
        match: [phone, phone_e164]
        each: "assigned_to[?is_active]"
        take: {owner_id: user_details.id, email: user_details.email, name: user_details.name}
    """

    def profile(name: str, *, active: bool = True) -> dict[str, Any]:
        return {"is_active": active, "user_details": {"id": name, "email": f"{name}@congty.example", "name": name}}

    contact = {
        "phone": "0901234567",
        "phone_e164": "",
        "assigned_to": [profile("lan"), profile("hoa", active=False), profile("minh")],
    }
    with Crm({"contacts/": {"count": 1, "results": [contact]}}) as crm:
        assert [owner.name for owner in owners(crm, text)] == ["lan", "minh"]
        crm.scripts["contacts/"] = {"count": 1, "results": [{**contact, "assigned_to": []}]}
        assert owners(crm, text) == []


def test_bitrix24_by_duplicates_then_contacts_then_users() -> None:
    text = """
    steps:
      - path: crm.duplicate.findbycomm
        json: {type: PHONE, entity_type: CONTACT, values: "{{ caller.forms }}"}
        nobody_when: "result == `[]`"
        records: result.CONTACT
        match: exact
        take: {contact: "@"}
      - path: crm.item.list
        once: true
        json: {entityTypeId: 3, select: [id, assignedById], filter: {"@id": "{{ all.contact }}"}}
        records: result.items
        take: {user: assignedById}
      - path: user.get
        once: true
        json: {FILTER: {ID: "{{ all.user }}"}}
        records: result
        where: ACTIVE
        take: {owner_id: ID, email: EMAIL, extension: UF_PHONE_INNER}
    """
    scripts = {
        "crm.duplicate.findbycomm": {"result": {"CONTACT": [275, 2297]}},
        "crm.item.list": {"result": {"items": [{"id": 275, "assignedById": 9}, {"id": 2297, "assignedById": 9}]}},
        "user.get": {"result": [{"ID": "9", "ACTIVE": True, "EMAIL": "lan@congty.example", "UF_PHONE_INNER": "101"}]},
    }
    with Crm(scripts) as crm:
        assert owners(crm, text) == [Owner("9", "lan@congty.example", extension="101")]
        assert [question.json for question in crm.asked[1:]] == [
            {"entityTypeId": 3, "select": ["id", "assignedById"], "filter": {"@id": [275, 2297]}},
            {"FILTER": {"ID": [9]}},
        ]
        crm.scripts["crm.duplicate.findbycomm"] = {"result": []}
        assert owners(crm, text) == []


def test_records_that_are_keyed_by_their_id() -> None:
    text = """
    steps:
      - path: customer/search
        form: {version: "2.0", data: {json: {mobile: "{{ caller.national }}"}}}
        error_when: "code != `1`"
        records: values(data.customers)
        match: mobile
        take: {login: saleName}
    """
    said = {"code": 1, "data": {"customers": {"5": {"mobile": "0901234567", "saleName": "lan"}}}}
    with Crm({"customer/search": said}) as crm:
        assert owners(crm, text) == [Owner(login="lan")]
        assert crm.asked[0].form == [("version", "2.0"), ("data", '{"mobile":"0901234567"}')]


def test_a_query_in_a_language_of_its_own() -> None:
    text = """
    steps:
      - path: query
        query:
          q: "SELECT Owner.Email FROM Contact WHERE Phone IN ('{{ caller.forms | join("','") }}') LIMIT 5"
        records: records
        match: [Phone, MobilePhone]
        where: Owner.IsActive
        take: {owner_id: OwnerId, email: Owner.Email}
    """.replace('join("', 'join(\\"').replace('")', '\\")')
    record = {
        "Phone": None,
        "MobilePhone": "+84901234567",
        "OwnerId": "005",
        "Owner": {"Email": "a@b", "IsActive": True},
    }
    with Crm({"query": {"records": [record]}}) as crm:
        assert owners(crm, text) == [Owner("005", "a@b")]
        assert "Phone IN ('0901234567','+84901234567'," in crm.asked[0].query[0][1]
