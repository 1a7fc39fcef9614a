"""The recipes of docs/no-owner.md find the owners in answers of the shape that the vendors' documents give them."""

import pytest
import yaml

from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceRejected, SourceUnavailable
from connectors.rest.config.config import RestConfig
from connectors.rest.connector import RestConnector
from tests.support.crm import Crm, Says, in_turn
from tests.support.documents import ROOT, blocks, rows

NO_OWNER = ROOT / "docs/no-owner.md"


def recipe(heading, crm, number=0):
    """Return the settings of a recipe, turned to a server of ours."""
    found = [block for block in blocks("yaml", NO_OWNER) if block.heading == heading][number]
    (settings,) = yaml.safe_load(found.text).values()
    assert settings.pop("type") == "rest"
    text = yaml.safe_dump(settings).replace(settings["base_url"], crm.url)
    return yaml.safe_load(text.replace("https://id.kiotviet.vn", crm.url))


def ask(settings, caller="0901234567"):
    """Open a connector, ask it once, and close it."""
    connector = RestConnector(RestConfig.model_validate(settings))
    try:
        connector.open()
        return list(connector.find_owners(Call(PhoneNumber.parse(caller)), Deadline.after(5)))
    finally:
        connector.close()


def kiotviet():
    people = [{"id": 100, "userName": "lan", "givenName": "Lan", "isActive": True}]
    left = [{"id": 101, "userName": "nghi", "givenName": "Nghi", "isActive": False}]
    return {
        "connect/token": {"access_token": "issued", "expires_in": 86400, "token_type": "Bearer"},
        "users": {"total": 2, "pageSize": 100, "data": people + left},
        "customers": {"data": [{"id": 7, "contactNumber": "0901234567"}, {"id": 8, "contactNumber": "09012345671"}]},
        "invoices": {"data": [{"id": 1, "soldById": 100, "soldByName": "Lan", "customerId": 7}]},
    }


def test_kiotviet_names_the_seller_of_the_latest_invoice():
    with Crm(kiotviet()) as crm:
        assert ask(recipe("KiotViet", crm)) == [Owner("100", login="lan", name="Lan")]
        token, users, customers, invoices = crm.asked
        assert ("scopes", "PublicApi.Access") in token.form
        assert dict(users.query)["currentItem"] == "0"
        assert dict(customers.query)["contactNumber"] == "0901234567"
        assert dict(invoices.query)["customerIds"] == "7"
        assert (invoices.headers["retailer"], invoices.headers["authorization"]) == ("congty", "Bearer issued")


def test_kiotviet_names_nobody_who_has_left_and_for_nobody_who_never_bought():
    with Crm(kiotviet()) as crm:
        crm.scripts["invoices"] = {"data": [{"id": 1, "soldById": 101}]}
        assert ask(recipe("KiotViet", crm)) == []
        crm.scripts["invoices"] = {"data": []}
        assert ask(recipe("KiotViet", crm)) == []
        crm.scripts["customers"] = {"data": []}
        crm.asked.clear()
        assert ask(recipe("KiotViet", crm), "0834567890") == []
        numbers = [dict(asked.query)["contactNumber"] for asked in crm.asked if asked.path.endswith("customers")]
        assert numbers == ["0834567890", "+84834567890", "01234567890"]


@pytest.mark.parametrize("path", ["users", "customers", "invoices"])
def test_kiotviet_s_own_words_are_told_if_it_refuses(path):
    with Crm(kiotviet()) as crm:
        crm.scripts[path] = Says({"responseStatus": {"errorCode": "X", "message": "no such shop"}}, status=420)
        with pytest.raises(SourceRejected, match="no such shop"):
            ask(recipe("KiotViet", crm))


def test_kiotviet_reads_all_pages_of_users():
    first = [{"id": number, "userName": "x", "givenName": "X"} for number in range(100)]
    last = [{"id": 100, "userName": "lan", "givenName": "Lan"}]
    with Crm(kiotviet()) as crm:
        crm.scripts["users"] = in_turn({"data": first}, {"data": last})
        assert ask(recipe("KiotViet", crm)) == [Owner("100", login="lan", name="Lan")]


@pytest.mark.parametrize("shop", ["Haravan", "Sapo"])
def test_a_tag_names_the_extension(shop):
    def customer(tags, phone="0901234567", further=None):
        return {"id": 1, "phone": phone, "addresses": [{"phone": further}], "tags": tags}

    with Crm({}) as crm:
        settings = recipe(shop, crm)
        for customers, expected in (
            ([customer("VIP, nv:101")], ["101"]),
            ([customer("nv:102,nv:101")], ["101", "102"]),
            ([customer("nv:102", phone=None, further="+84901234567")], ["102"]),
            ([customer("nv:101", phone="09012345671")], []),
            ([customer("VIP")], []),
            ([customer(None)], []),
            ([customer("nv:101"), customer("nv:102")], ["101", "102"]),
        ):
            crm.script({"customers": customers})
            assert ask(settings) == [Owner(extension=extension) for extension in expected], customers
        crm.script({"customers": []})
        assert ask(settings, "0834567890") == []
        asked = [dict(question.query)["query"].removeprefix("phone:") for question in crm.asked]
        assert asked == ["0834567890", "+84834567890", "01234567890"]
        crm.script(Says(status=429, raw=b""))
        with pytest.raises(SourceUnavailable):
            ask(settings)


def zendesk():
    agents = [
        {"id": 21, "email": "lan@congty.example", "name": "Lan", "active": True, "suspended": False},
        {"id": 22, "email": "nghi@congty.example", "name": "Nghi", "active": True, "suspended": True},
    ]
    customers = [
        {
            "id": 31,
            "phone": "+84901234567",
            "role": "end-user",
            "user_fields": {"account_manager": "lan@congty.example"},
        },
        {
            "id": 32,
            "phone": "+849012345671",
            "role": "end-user",
            "user_fields": {"account_manager": "x@congty.example"},
        },
    ]
    return {
        "users.json": {"users": agents, "next_page": None},
        "users/search.json": {"users": customers, "next_page": None},
        "search.json": {"results": [{"id": 41, "requester_id": 31, "assignee_id": 21}]},
    }


def test_zendesk_names_the_assignee_of_the_latest_ticket():
    with Crm(zendesk()) as crm:
        settings = recipe("Zendesk", crm)
        assert ask(settings) == [Owner("21", "lan@congty.example", name="Lan")]
        agents, customers, tickets = crm.asked
        assert [value for name, value in agents.query if name == "role[]"] == ["agent", "admin"]
        assert dict(customers.query)["query"] == 'role:end-user phone:"+84901234567"'
        assert dict(tickets.query)["query"] == "type:ticket requester:31"
        for assignee in (22, None):
            crm.scripts["search.json"] = {"results": [{"id": 41, "requester_id": 31, "assignee_id": assignee}]}
            assert ask(settings) == []
        crm.scripts["search.json"] = {"results": []}
        assert ask(settings) == []


def test_zendesk_names_whom_a_field_of_the_customer_names():
    with Crm(zendesk()) as crm:
        assert ask(recipe("Zendesk", crm, 1)) == [Owner(email="lan@congty.example")]
        assert len(crm.asked) == 1
        crm.scripts["users/search.json"] = {
            "users": [{"id": 31, "phone": "0901234567", "user_fields": {"account_manager": ""}}]
        }
        assert ask(recipe("Zendesk", crm, 1)) == []


def monday(*columns):
    """Answer as the boards' API: users to a query without variables, else an item with these columns."""
    users = [
        {"id": "51", "email": "lan@congty.example", "name": "Lan", "enabled": True},
        {"id": "52", "email": "nghi@congty.example", "name": "Nghi", "enabled": False},
        {"id": "53", "email": "minh@congty.example", "name": "Minh", "enabled": True},  # a team has this id too
    ]

    def answer(question):
        if "variables" not in question.json:
            return {"data": {"users": users}}
        return {"data": {"items_page_by_column_values": {"items": [{"id": "61", "column_values": list(columns)}]}}}

    return answer


def test_monday_names_the_people_of_a_column():
    phone = {"id": "contact_phone", "text": "84901234567"}
    people = [{"id": "51", "kind": "person"}, {"id": "52", "kind": "person"}, {"id": "53", "kind": "team"}]
    with Crm({}) as crm:
        settings = recipe("monday", crm)
        crm.script(monday(phone, {"id": "people", "text": "Lan, Nghi", "persons_and_teams": people}))
        assert ask(settings) == [Owner("51", "lan@congty.example", name="Lan")]
        variables = crm.asked[-1].json["variables"]
        assert variables["board"] == "1234567890"
        assert {"0901234567", "84901234567"} <= set(variables["numbers"])
        crm.script(monday({**phone, "text": "84901234568"}, {"id": "people", "persons_and_teams": people}))
        assert ask(settings) == []
        crm.script(monday(phone, {"id": "people", "text": "", "persons_and_teams": []}))
        assert ask(settings) == []


@pytest.mark.parametrize(
    ("words", "kind"), [("Complexity budget exhausted", SourceUnavailable), ("Not authenticated", SourceRejected)]
)
def test_monday_tells_errors_with_status_200(words, kind):
    def answer(question):
        return {"errors": [{"message": words}]} if "variables" in question.json else monday()(question)

    with Crm({}) as crm:
        settings = recipe("monday", crm)
        crm.script(answer)
        with pytest.raises(kind):
            ask(settings)


def test_every_system_of_the_table_has_its_section():
    headings = {block.heading for block in blocks("yaml", NO_OWNER)}
    systems = {row.cells[0] for row in rows(NO_OWNER)}
    assert headings - systems == {"An exported list"}
    assert systems < headings
