"""What `lookup --explain` tells about a lookup, and what it never shows."""

import pytest

from bridge.errors import SourceError
from connectors.rest import RestConnector
from tests.support.crm import Crm, Says, config, in_turn, lookup, owners

TEXT = """
secrets: {hook: planted/the hook}
auth: {type: query, name: apiKey, value: planted-key}
headers: {X-Token: planted-header}
steps:
  - path: "{{ secrets.hook }}/contacts"
    query: {phone: "{{ form }}", session_id: planted-session}
    forms: [national, e164]
    records: results
    match: [phone, mobile]
    where: open
    take: {owner_id: owner.id, email: owner.email}
  - path: "users/{{ owner_id }}"
    take: {name: name}
"""


def test_each_request_each_record_and_each_value_is_explained() -> None:
    records = [
        {"phone": "0901234566", "mobile": None, "open": True, "owner": {"id": 5, "email": None}},
        {"phone": "0901234567", "mobile": "", "open": False, "owner": {"id": 6, "email": None}},
        {"phone": "0901234567", "mobile": "", "open": True, "owner": {"id": 7, "email": None}},
    ]
    answers = in_turn({"results": records[:1]}, {"results": records})
    with Crm({"planted%2Fthe%20hook/contacts": answers, "users/7": {"name": "Lan"}}) as crm:
        found = lookup(crm, TEXT)
        lines = [line.rpartition(" in ")[0] if line.endswith(" ms") else line for line in found.lines]
        first = "step 1 ({{ secrets.hook }}/contacts): "
        assert lines == [
            f"{first}GET {crm.url}/•••/contacts?phone=0901234567&session_id=••• → 200",
            f"{first}1 record(s)",
            f"{first}record 1 does not count: it does not hold the caller's number in phone, mobile (…566)",
            f"{first}GET {crm.url}/•••/contacts?phone=+84901234567&session_id=••• → 200",
            f"{first}3 record(s)",
            f"{first}record 1 does not count: it does not hold the caller's number in phone, mobile (…566)",
            f"{first}record 2: an item does not count, open does not hold",
            f"{first}record 3: owner_id = 7 (owner.id)",
            f"{first}record 3: email = None (owner.email)",
            f"step 2 (users/{{{{ owner_id }}}}): GET {crm.url}/users/7 → 200",
            "step 2 (users/{{ owner_id }}): 1 record(s)",
            "step 2 (users/{{ owner_id }}): record 1: name = 'Lan' (name)",
        ]
        assert ("apiKey", "planted-key") in crm.asked[0].query


def test_a_customer_without_an_owner_is_explained() -> None:
    text = "steps: [{path: '{{ caller.nsn }}', match: phone, take: {owner_id: owner}}]"
    with Crm({"901234567": [{"phone": "0901234567", "owner": None}]}) as crm:
        assert lookup(crm, text).lines[-1] == "step 1 ({{ caller.nsn }}): what was found has no owner"


@pytest.mark.parametrize(
    "said", [{"error": "planted-key planted/the hook planted%2Fthe%20hook"}, Says(status=500), {"results": "planted"}]
)
def test_no_secret_is_in_an_error(said: object) -> None:
    text = TEXT.replace("records:", "error_when: error || ''\n    error_message: error\n    records:")
    with Crm({"planted%2Fthe%20hook/contacts": said}) as crm, pytest.raises(SourceError) as error:
        owners(crm, text)
    assert "planted" not in f"{error.value!r} {error.value.__cause__!r}"


def test_a_live_token_is_masked() -> None:
    text = """
    auth: {type: login, request: {path: login, json: {}}, take: {token: token}, query: {q: "{{ login.token }}"}}
    steps: [{path: "by/{{ login.token }}", error_when: error, error_message: error, take: {owner_id: id}}]
    """
    with Crm({"login": {"token": "planted-token"}, "by/planted-token": {"id": "planted-token", "error": None}}) as crm:
        assert "planted" not in "".join(lookup(crm, text).lines)
        crm.scripts["by/planted-token"] = {"error": "bad planted-token"}
        with pytest.raises(SourceError, match=r"\(bad •••\)"):
            owners(crm, text)


def test_opening_signs_in_ahead_of_the_first_call() -> None:
    text = """
    auth: {type: login, request: {path: login, json: {}}, take: {token: token}, headers: {A: "{{ login.token }}"}}
    steps: [{path: c, take: {owner_id: id}}]
    """
    with Crm({"login": {"token": "t"}}) as crm:
        connector = RestConnector(config(text, crm.url))
        assert crm.asked == []
        connector.open()
        connector.close()
        assert [question.path for question in crm.asked] == ["/api/login"]
