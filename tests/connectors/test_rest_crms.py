"""Real CRMs in the connector's words: their answers as recorded, shortened; what is asked and what comes of it."""

from typing import Any

import pytest

from bridge.connector import Owner
from bridge.errors import SourceRejected, SourceUnavailable
from tests.support.crm import Crm, Question, Says, owners

ODOO = """
secrets: {key: api-key}
settings: {database: odoo17, user: cti}
auth:
  type: login
  request:
    path: jsonrpc
    json:
      {jsonrpc: "2.0", method: call, id: 1, params: {service: common, method: login,
       args: ["{{ settings.database }}", "{{ settings.user }}", "{{ secrets.key }}"]}}
  take: {uid: result}
steps:
  - path: jsonrpc
    json:
      jsonrpc: "2.0"
      method: call
      id: 1
      params:
        service: object
        method: execute_kw
        args:
          - "{{ settings.database }}"
          - "{{ login.uid }}"
          - "{{ secrets.key }}"
          - res.partner
          - search_read
          - [["|", "|", [phone_sanitized, "=", "{{ caller.e164 }}"], [phone_mobile_search, ilike, "{{ caller.nsn }}"],
              [phone_mobile_search, "=", "{{ caller.legacy or caller.national }}"]]]
          - {fields: [phone, mobile, user_id], limit: 10}
    error_when: error
    error_message: error.data.message
    records: result
    match: [phone, mobile]
    take: {user: "user_id[0]"}
  - path: jsonrpc
    once: true
    json:
      jsonrpc: "2.0"
      method: call
      id: 1
      params:
        service: object
        method: execute_kw
        args: ["{{ settings.database }}", "{{ login.uid }}", "{{ secrets.key }}", res.users, read, ["{{ all.user }}"],
               {fields: [login, email, name, active]}]
    error_when: error
    error_message: error.data.message
    records: result
    where: active
    take: {owner_id: id, login: login, email: email, name: name}
"""

PARTNERS: list[dict[str, Any]] = [
    {"id": 14, "phone": "0901234567", "mobile": False, "user_id": [6, "Nguyễn Thị Lan"]},
    {"id": 15, "phone": False, "mobile": "+84 90 123 45 67", "user_id": [7, "Trần Quang Minh"]},
    {"id": 19, "phone": "090 123 4567", "mobile": False, "user_id": False},
    {"id": 20, "phone": "0901234568", "mobile": False, "user_id": [8, "Hoa"]},
    {"id": 21, "phone": "0901234567", "mobile": False, "user_id": [11, "Nghi"]},
]
USERS: list[dict[str, Any]] = [
    {"id": 6, "login": "lan", "email": "lan@congty.example", "name": "Nguyễn Thị Lan", "active": True},
    {"id": 7, "login": "minh", "email": False, "name": "Trần Quang Minh", "active": True},
    {"id": 11, "login": "nghi", "email": "nghi@congty.example", "name": "Nghi", "active": False},
]


def odoo(question: Question) -> object:
    params = question.json["params"]
    if params["service"] == "common":
        return {"jsonrpc": "2.0", "id": 1, "result": 12}
    if params["args"][1] != 12:
        return {"error": {"code": 200, "data": {"message": "Access Denied"}}}
    if params["args"][3] == "res.partner":
        return {"result": PARTNERS}
    return {"result": [user for user in USERS if user["id"] in params["args"][5][0]]}


def test_odoo_over_json_rpc() -> None:
    with Crm({"jsonrpc": odoo}) as crm:
        assert owners(crm, ODOO) == [
            Owner("6", "lan@congty.example", "lan", "Nguyễn Thị Lan"),
            Owner("7", None, "minh", "Trần Quang Minh"),
        ]
        login, search, read = (question.json["params"]["args"] for question in crm.asked)
        assert login == ["odoo17", "cti", "api-key"]
        assert search[:2] == ["odoo17", 12]
        assert search[5][0][2:] == [
            ["phone_sanitized", "=", "+84901234567"],
            ["phone_mobile_search", "ilike", "901234567"],
            ["phone_mobile_search", "=", "0901234567"],
        ]
        assert read[5] == [[6, 7, 11]]


def test_odoo_without_a_match_and_with_a_wrong_key() -> None:
    with Crm(
        {"jsonrpc": lambda question: {"result": 12 if question.json["params"]["service"] == "common" else []}}
    ) as crm:
        assert owners(crm, ODOO) == []
    with Crm({"jsonrpc": {"jsonrpc": "2.0", "id": 1, "result": False}}) as crm, pytest.raises(SourceRejected):
        owners(crm, ODOO)
    denied = {"error": {"code": 200, "data": {"message": "Access Denied"}}, "result": 12}
    with Crm({"jsonrpc": denied}) as crm, pytest.raises(SourceRejected, match="Access Denied"):
        owners(crm, ODOO)


ESPO = """
auth: {type: header, name: X-Api-Key, value: api-key}
steps:
  - path: Contact
    query:
      "where[0][type]": in
      "where[0][attribute]": phoneNumberNumeric
      "where[0][value][]": ["{{ caller.national }}", "{{ caller.digits }}", "00{{ caller.digits }}", "{{ caller.nsn }}"]
      select: id,phoneNumber,assignedUserId
    records: list
    match: exact
    take: {owner_id: assignedUserId}
  - path: "User/{{ owner_id }}"
    where: isActive
    take: {email: emailAddress, login: userName}
"""


def test_espocrm() -> None:
    contacts = {
        "total": 3,
        "list": [
            {"id": "6b03c0c443595a632", "phoneNumber": "+84 90 123 45 67", "assignedUserId": "6b03c0c3d20f0e5ce"},
            {"id": "6b03c0c430eb4371a", "phoneNumber": "0901234567", "assignedUserId": "6b03c0c3beab3f280"},
            {"id": "6b03c0c4886b5c831", "phoneNumber": "0901234567", "assignedUserId": None},
        ],
    }
    scripts = {
        "Contact": contacts,
        "User/6b03c0c3d20f0e5ce": {"emailAddress": "minh@congty.example", "userName": "minh", "isActive": True},
        "User/6b03c0c3beab3f280": {"emailAddress": "lan@congty.example", "userName": "lan", "isActive": False},
    }
    with Crm(scripts) as crm:
        assert owners(crm, ESPO) == [Owner("6b03c0c3d20f0e5ce", "minh@congty.example", "minh")]
        assert crm.asked[0].headers["x-api-key"] == "api-key"
        values = [value for key, value in crm.asked[0].query if key == "where[0][value][]"]
        assert values == ["0901234567", "84901234567", "0084901234567", "901234567"]
        crm.scripts["Contact"] = {"total": 0, "list": []}
        assert owners(crm, ESPO) == []
        crm.scripts["Contact"] = Says(status=401, raw=b"")
        with pytest.raises(SourceRejected):
            owners(crm, ESPO)


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


SUITE = """
auth: {type: oauth2_client_credentials, token_url: BASE/Api/access_token, client_id: id, client_secret: secret}
steps:
  - for_each: {module: [Contacts, Leads]}
    path: "Api/V8/module/{{ module }}"
    query:
      "filter[operator]": or
      "filter[phone_mobile][like]": "{{ caller.interleaved }}"
      "filter[phone_work][like]": "{{ caller.nsn | interleave }}"
      "page[size]": 10
    records: data
    match: [attributes.phone_mobile, attributes.phone_work]
    take: {owner_id: attributes.assigned_user_id, name: attributes.assigned_user_name}
  - path: "Api/V8/module/Users/{{ owner_id }}"
    records: data
    take: {email: attributes.email1}
"""


def test_suitecrm() -> None:
    def person(phone: str, user: str) -> dict[str, Any]:
        attributes = {"phone_mobile": "", "phone_work": phone, "assigned_user_id": user, "assigned_user_name": "Lan"}
        return {"type": "Contact", "attributes": attributes}

    scripts = {
        "Api/access_token": {"token_type": "Bearer", "expires_in": 3600, "access_token": "eyJ0"},
        "Api/V8/module/Contacts": {"data": [person("0901234567", "564f"), person("90123456701", "68f6")]},
        "Api/V8/module/Leads": {"data": [person("(090) 123-4567", "")]},
        "Api/V8/module/Users/564f": {"data": {"type": "User", "attributes": {"email1": "lan@congty.example"}}},
    }
    with Crm(scripts) as crm:
        assert owners(crm, SUITE.replace("BASE", crm.url)) == [Owner("564f", "lan@congty.example", name="Lan")]
        assert crm.asked[1].headers["authorization"] == "Bearer eyJ0"
        assert ("filter[phone_work][like]", "%9%0%1%2%3%4%5%6%7") in crm.asked[1].query
        empty = {"meta": {"message": "Request was successful, but there is no result"}, "data": []}
        crm.scripts |= {"Api/V8/module/Contacts": empty, "Api/V8/module/Leads": empty}
        assert owners(crm, SUITE.replace("BASE", crm.url)) == []


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


BITRIX = """
secrets: {webhook: hook-secret}
settings: {user: 1}
steps:
  - path: "rest/{{ settings.user }}/{{ secrets.webhook }}/telephony.externalCall.searchCrmEntities"
    json: {PHONE_NUMBER: "{{ caller.e164 }}"}
    busy_when: error == 'QUERY_LIMIT_EXCEEDED' || error == 'OVERLOAD_LIMIT'
    error_when: error
    error_message: error_description
    records: result
    match: exact
    take: {owner_id: ASSIGNED_BY_ID, extension: ASSIGNED_BY.USER_PHONE_INNER}
"""


def test_bitrix24_in_one_call() -> None:
    path = "rest/1/hook-secret/telephony.externalCall.searchCrmEntities"
    with Crm({path: {"result": []}}) as crm:
        assert owners(crm, BITRIX) == []
        found = [
            {"CRM_ENTITY_TYPE": "CONTACT", "ASSIGNED_BY_ID": "17", "ASSIGNED_BY": {"USER_PHONE_INNER": "101"}},
            {"CRM_ENTITY_TYPE": "LEAD", "ASSIGNED_BY_ID": 18, "ASSIGNED_BY": {"USER_PHONE_INNER": None}},
        ]
        crm.scripts[path] = {"result": found}
        assert owners(crm, BITRIX) == [Owner("17", extension="101"), Owner("18")]
        crm.scripts[path] = Says({"error": "QUERY_LIMIT_EXCEEDED"}, status=503)
        with pytest.raises(SourceUnavailable):
            owners(crm, BITRIX)
        crm.scripts[path] = {"error": "insufficient_scope", "error_description": "no scope at rest/1/hook-secret/"}
        with pytest.raises(SourceRejected) as error:
            owners(crm, BITRIX)
        assert "(no scope at rest/1/•••/)" in str(error.value)


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
