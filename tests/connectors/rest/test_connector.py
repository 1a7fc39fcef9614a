"""The rest connector against a real HTTP server: what each setting does."""

import re
from typing import Any

import pytest

from bridge.sdk import (
    Call,
    Deadline,
    Owner,
    PhoneNumber,
    SourceError,
    SourceRejected,
    SourceUnavailable,
    UnexpectedAnswer,
)
from bridge.sdk.phone import Unread, unread_told_to
from connectors.rest.connector import RestConnector
from tests.support.crm import Crm, Question, Says, config, in_turn, lookup, owners

LAN = {"id": 1, "phone": "0901 234 567", "owner": {"id": 7, "email": "lan@congty.example"}}
MINH = {"id": 2, "phone": "+84 90 123 45 67", "owner": {"id": 8, "email": "minh@congty.example"}}
ANOTHER = {"id": 3, "phone": "0901 234 568", "owner": {"id": 9, "email": "hoa@congty.example"}}

ONE_STEP = """
steps:
  - path: contacts
    query: {phone: "{{ caller.national }}"}
    records: results
    match: phone
    take: {owner_id: owner.id, email: owner.email}
"""

TWO_STEPS = """
steps:
  - path: contacts
    query: {phone: "{{ caller.national }}"}
    match: phone
    take: {owner_id: owner}
  - path: "users/{{ owner_id }}"
    where: active
    take: {email: email}
"""


def test_the_owner_is_taken_from_the_record() -> None:
    with Crm({"contacts": {"results": [LAN]}}) as crm:
        assert owners(crm, ONE_STEP) == [Owner(id="7", email="lan@congty.example")]
        assert crm.asked[0].query == [("phone", "0901234567")]


def test_two_records_with_two_owners_give_both_in_order_and_each_once() -> None:
    with Crm({"contacts": {"results": [MINH, LAN, MINH]}}) as crm:
        assert [owner.id for owner in owners(crm, ONE_STEP)] == ["8", "7"]


def test_another_customers_record_in_the_answer_does_not_count() -> None:
    with Crm({"contacts": {"results": [ANOTHER]}}) as crm:
        assert owners(crm, ONE_STEP) == []


def test_a_record_with_a_number_from_before_2018_counts() -> None:
    with Crm({"contacts": {"results": [{**LAN, "phone": "0123.456.7890"}]}}) as crm:
        assert [owner.id for owner in owners(crm, ONE_STEP, caller="0834567890")] == ["7"]


@pytest.mark.parametrize(
    ("match", "record"),
    [
        ("[phone, mobile]", {"phone": None, "mobile": "84901234567"}),
        ("[phone, mobile]", {"mobile": "0901234567"}),
        ("phone", {"phone": "\u200b090\u00a0123\u00a04567\r\n"}),
        ("phone", {"phone": "0912345678\n0901234567"}),
        ("phone", {"phone": "028 3812 3456 / 0901234567"}),
        ("phone", {"phone": 901234567}),
        ("phones", {"phones": ["02838123456", "0901234567"]}),
        ("'phones[].number'", {"phones": [{"number": ""}, {"number": "0901234567"}]}),
        ("""'"phone.main"'""", {"phone.main": "0901234567"}),
        ("exact", {}),
    ],
)
def test_every_number_that_match_names_is_compared(match: str, record: dict[str, Any]) -> None:
    text = f"steps: [{{path: 'c/{{{{ caller.national }}}}', match: {match}, take: {{owner_id: id}}}}]"
    with Crm({"c/0901234567": [{"id": 7, **record}]}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["7"]


@pytest.mark.parametrize("phone", [None, "", False, "unknown", "no number", [], "0901234568", ["1", None]])
def test_a_record_without_the_callers_number_does_not_count(phone: object) -> None:
    with Crm({"contacts": {"results": [{**LAN, "phone": phone}]}}) as crm:
        assert owners(crm, ONE_STEP) == []


def test_a_misspelt_phone_field_is_an_error_that_names_the_fields_there_are() -> None:
    with Crm({"contacts": {"results": [LAN]}}) as crm, pytest.raises(UnexpectedAnswer) as error:
        owners(crm, ONE_STEP.replace("match: phone", "match: [phne, mobile]"))
    expected = "step 1 (contacts): match: there is no `phne` and `mobile`; the fields that came are: id, phone, owner"
    assert str(error.value) == expected


@pytest.mark.parametrize(
    ("right", "wrong", "key"),
    [
        ("owner_id: owner.id", "owner_id: owner.ident", "take.owner_id"),
        ("records: results", "records: result", "records"),
        ("match: phone", "match: phone\n    each: owners", "each"),
        ("match: phone", "match: phone\n    where: active", "where"),
    ],
)
def test_a_misspelt_field_is_an_error_and_never_nobody(right: str, wrong: str, key: str) -> None:
    with Crm({"contacts": {"results": [LAN]}}) as crm, pytest.raises(UnexpectedAnswer, match=f"{key}: there is no `"):
        owners(crm, ONE_STEP.replace(right, wrong))


def test_a_field_that_may_be_left_out_is_written_with_an_alternative() -> None:
    text = ONE_STEP.replace("owner_id: owner.id", "owner_id: \"owner_id || ''\"").replace(", email: owner.email", "")
    with Crm({"contacts": {"results": [{"phone": "0901234567"}]}}) as crm:
        assert owners(crm, text) == []


def test_a_later_step_uses_what_an_earlier_one_took_once_for_each_value() -> None:
    people = [{"phone": "0901234567", "owner": owner} for owner in (7, 8, 7)]
    scripts = {
        "contacts": people,
        "users/7": {"email": "lan@congty.example", "active": True},
        "users/8": {"email": "minh@congty.example", "active": True},
    }
    with Crm(scripts) as crm:
        assert [owner.email for owner in owners(crm, TWO_STEPS)] == ["lan@congty.example", "minh@congty.example"]
        first, *others = [question.path for question in crm.asked]
        assert (first, sorted(others)) == ("/api/contacts", ["/api/users/7", "/api/users/8"])


def test_an_owner_who_left_does_not_count() -> None:
    scripts = {
        "contacts": {"phone": "0901234567", "owner": 7},
        "users/7": {"email": "x@congty.example", "active": False},
    }
    with Crm(scripts) as crm:
        assert owners(crm, TWO_STEPS) == []


def test_a_customer_without_an_owner_costs_no_further_request() -> None:
    with Crm({"contacts": {"phone": "0901234567", "owner": None}}) as crm:
        found = lookup(crm, TWO_STEPS)
        assert found.owners == []
        assert "step 2 (users/…): not asked: there is no owner_id" in found.lines
        assert len(crm.asked) == 1


def test_a_step_can_run_once_for_all_values() -> None:
    text = """
    steps:
      - path: contacts
        query: {phone: "{{ caller.national }}"}
        match: phone
        take: {id: owner}
      - path: users
        once: true
        json: {ids: "{{ all.id }}"}
        where: active
        take: {owner_id: id, email: email}
    """
    people = [{"phone": "0901234567", "owner": owner} for owner in (7, None, 8, 7)]
    users = [{"id": 8, "email": "b@x", "active": True}, {"id": 7, "email": "a@x", "active": False}]
    with Crm({"contacts": people, "users": users}) as crm:
        assert owners(crm, text) == [Owner(id="8", email="b@x")]
        assert crm.asked[1].json == {"ids": [7, 8]}
        crm.scripts["contacts"] = [{"phone": "0901234567", "owner": None}]
        assert owners(crm, text) == []
        assert len(crm.asked) == 3


def test_items_within_a_record_are_several_owners() -> None:
    text = ONE_STEP.replace(
        "take: {owner_id: owner.id, email: owner.email}", "each: 'team[?on]'\n    take: {owner_id: id}"
    )
    team = [{"id": 7, "on": True}, {"id": 8, "on": False}, {"id": 9, "on": True}]
    with Crm({"contacts": {"results": [{"phone": "0901234567", "team": team}]}}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["7", "9"]
        for nobody in ([], None, False):
            crm.scripts["contacts"] = {"results": [{"phone": "0901234567", "team": nobody}]}
            assert owners(crm, text) == []


def test_a_list_among_the_values_gives_a_row_for_each_element() -> None:
    text = ONE_STEP.replace("{owner_id: owner.id, email: owner.email}", "{owner_id: 'team[].id', name: 'company'}")
    record = {"phone": "0901234567", "company": "A", "team": [{"id": 7}, {"id": None}, {"id": 8}]}
    with Crm({"contacts": {"results": [record]}}) as crm:
        assert owners(crm, text) == [Owner(id="7", name="A"), Owner(id="8", name="A")]
        with pytest.raises(UnexpectedAnswer, match="use 'each'"):
            owners(crm, text.replace("company", "team[].id"))


def test_an_owner_can_be_an_extension() -> None:
    text = ONE_STEP.replace("{owner_id: owner.id, email: owner.email}", "{extension: ext}")
    with Crm({"contacts": {"results": [{**LAN, "ext": "0101"}]}}) as crm:
        assert owners(crm, text) == [Owner(extension="0101")]
        for wrong in ("101:102", "x101", "\u0661\u0660\u0661", "101\n102"):
            crm.scripts["contacts"] = {"results": [{**LAN, "ext": wrong}]}
            with pytest.raises(UnexpectedAnswer):
                owners(crm, text)


def test_spellings_are_tried_in_turn_until_a_record_counts() -> None:
    text = ONE_STEP.replace("caller.national", "form").replace(
        "records:", "forms: [national, legacy, e164]\n    records:"
    )

    def by_form(question: Question) -> object:
        return {"results": [LAN] if question.query == [("phone", "+84901234567")] else [ANOTHER]}

    with Crm({"contacts": by_form}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["7"]
        # 090 has no spelling from before 2018, so nothing is asked for it
        assert [question.query[0][1] for question in crm.asked] == ["0901234567", "+84901234567"]
        assert owners(crm, text.replace("[national, legacy, e164]", "[e164, national]"))
        assert len(crm.asked) == 3


def test_all_spellings_can_be_tried() -> None:
    text = ONE_STEP.replace("caller.national", "form").replace("records:", "forms: all\n    records:")
    with Crm({"contacts": {"results": []}}) as crm:
        assert owners(crm, text) == []
        assert tuple(question.query[0][1] for question in crm.asked) == PhoneNumber.parse("0901234567").likely_forms


def test_a_request_can_be_made_for_each_of_several_texts_and_all_records_count() -> None:
    text = ONE_STEP.replace("path: contacts", "for_each: {module: [Leads, Contacts]}\n    path: '{{ module }}/search'")
    with Crm({"Leads/search": {"results": [MINH]}, "Contacts/search": {"results": [LAN]}}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["8", "7"]


def test_requests_are_bounded() -> None:
    people = [{"phone": "0901234567", "owner": owner} for owner in range(1, 50)]
    scripts = {"contacts": people} | {f"users/{n}": {"email": "x@x", "active": True} for n in range(50)}
    with Crm(scripts) as crm:
        with pytest.raises(UnexpectedAnswer, match=r"step 2 .*more than max_requests \(4\) would be needed"):
            owners(crm, "max_requests: 4" + TWO_STEPS)
        assert len(crm.asked) == 4


def test_records_are_bounded() -> None:
    with Crm({"contacts": {"results": [ANOTHER] * 1001}}) as crm, pytest.raises(UnexpectedAnswer, match="too much"):
        owners(crm, ONE_STEP)


def test_a_status_can_mean_nobody() -> None:
    text = ONE_STEP.replace("records:", "nobody_status: [404, 204]\n    records:")
    for status in (404, 204):
        with Crm({"contacts": Says(status=status, raw=b"")}) as crm:
            assert owners(crm, text) == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Says(status=404), UnexpectedAnswer),
        (Says(status=204, raw=b""), UnexpectedAnswer),
        (Says(status=403), SourceRejected),
        (Says(status=401), SourceRejected),
        (Says(status=400), SourceRejected),
        (Says(status=500), SourceUnavailable),
        (Says(status=429), SourceUnavailable),
        (Says(raw=b"<html>Sign in</html>"), UnexpectedAnswer),
        (Says(raw=b""), UnexpectedAnswer),
        (Says(raw=b'{"results": ['), UnexpectedAnswer),
    ],
)
def test_any_other_answer_is_an_error_that_names_the_step(said: Says, error: type[Exception]) -> None:
    with Crm({"contacts": said}) as crm, pytest.raises(error, match=r"^step 1 \(contacts\): "):
        owners(crm, ONE_STEP)


def test_a_condition_can_mean_nobody() -> None:
    with Crm({"contacts": {"count": 0, "results": None}}) as crm:
        with pytest.raises(UnexpectedAnswer, match="found null, neither a list of records nor a record"):
            owners(crm, ONE_STEP)
        assert owners(crm, ONE_STEP.replace("records:", "nobody_when: count == `0`\n    records:")) == []


@pytest.mark.parametrize(
    ("said", "nobody"),
    [
        (Says({"message": "contact not found"}, status=404), True),
        (Says(raw=b"", status=404), False),
        (Says(raw=b"", status=204), True),
        (Says({"message": "no such page"}, status=404), False),
        (Says(raw=b"<html>Not Found</html>", status=404), False),
        (Says({"message": "contact not found"}, status=400), False),
    ],
)
def test_a_status_means_nobody_only_if_the_condition_beside_it_holds_too(said: Says, nobody: bool) -> None:
    said_so = "nobody_status: [404, 204]\n    nobody_when: contains(message || '', 'contact not found')\n    records:"
    text = ONE_STEP.replace("records:", said_so)
    with Crm({"contacts": said}) as crm:
        if nobody:
            assert owners(crm, text) == []
        else:
            with pytest.raises(SourceError):
                owners(crm, text)


@pytest.mark.parametrize("spelling", ["caller.national", "caller.nsn", "caller.interleaved", "form"])
def test_a_foreign_number_is_never_asked_for_without_its_country(spelling: str) -> None:
    """A Thai +66 901234567 is dialled 0901234567 at home: somebody else's number here."""
    forms = "forms: [national, nsn, interleaved]\n    " if spelling == "form" else ""
    text = ONE_STEP.replace("match: phone", f"{forms}match: exact")
    text = re.sub(r"\{\{.*?\}\}", f"{{{{ {spelling} }}}}", text)
    with Crm({"contacts": {"results": []}}) as crm:
        owners(crm, text, "+66901234567")
        asked = [value for question in crm.asked for _, value in question.query]
    assert asked
    assert all("66" in value or "%6%6%9" in value for value in asked), asked


def test_an_error_in_a_good_answer_is_found_and_told_in_the_crms_words() -> None:
    text = ONE_STEP.replace("records:", "error_when: error\n    error_message: error.message\n    records:")
    said = {"error": {"message": "no rights on\n0901234567"}, "results": []}
    with Crm({"contacts": said}) as crm, pytest.raises(SourceRejected) as error:
        owners(crm, text)
    assert str(error.value) == "step 1 (contacts): the answer is an error: error (no rights on …567)"


def test_an_answer_can_ask_to_try_later_whatever_its_status() -> None:
    text = ONE_STEP.replace("records:", "busy_when: \"[0].code == 'LIMIT'\"\n    records:")
    for status in (200, 403):
        said = Says([{"code": "LIMIT"}], status=status, headers=(("Retry-After", "7"),))
        with Crm({"contacts": said}) as crm, pytest.raises(SourceUnavailable) as error:
            owners(crm, text)
        assert error.value.retry_after == 7
    with Crm({"contacts": Says(status=403, raw=b"no json")}) as crm, pytest.raises(SourceRejected):
        owners(crm, text)


def test_a_session_that_has_ended_is_renewed_once_and_its_values_keep_their_type() -> None:
    text = """
    auth:
      type: login
      request: {path: login, json: {user: cti, password: "{{ secrets.password }}"}}
      take: {uid: result}
      expired_when: "error.code == `100`"
    secrets: {password: planted-secret}
    steps:
      - path: query
        json: {uid: "{{ login.uid }}", phone: "{{ caller.e164 }}"}
        records: result
        error_when: error
        match: phone
        take: {owner_id: owner}
    """

    def query(question: Question) -> object:
        return (
            {"result": [{"phone": "0901234567", "owner": 7}]}
            if question.json["uid"] == 13
            else {"error": {"code": 100}}
        )

    with Crm({"login": in_turn({"result": 12}, {"result": 13}), "query": query}) as crm:
        assert owners(crm, text) == [Owner(id="7")]
        assert [question.path for question in crm.asked] == ["/api/login", "/api/query"] * 2
        crm.scripts["login"] = {"result": 12}
        with pytest.raises(SourceRejected, match="the answer is an error: error"):
            owners(crm, text)


def test_nothing_is_asked_after_the_deadline() -> None:
    with Crm({"contacts": {"results": [LAN]}}) as crm:
        connector = RestConnector(config(ONE_STEP, crm.url))
        with pytest.raises(SourceUnavailable):
            connector.find_owners(Call(PhoneNumber.parse("0901234567")), Deadline(0.0, lambda: 1.0))
        connector.close()
        assert crm.asked == []


def test_headers_of_the_connector_go_with_every_request_unless_the_step_has_its_own() -> None:
    text = 'headers: {X-Shop: "{{ settings.shop }}", X-Kind: all}\nsettings: {shop: hanoi}' + ONE_STEP.replace(
        "query:", "headers: {x-kind: mine}\n    query:"
    )
    with Crm({"contacts": {"results": []}}) as crm:
        owners(crm, text)
        sent = crm.asked[0].headers
        assert (sent["x-shop"], sent["x-kind"], sent["accept"]) == ("hanoi", "mine", "application/json")


def test_the_hotline_is_there_for_templates_and_empty_when_the_call_has_none() -> None:
    text = ONE_STEP.replace(
        "query: {", 'query: {line: "{{ hotline.national if hotline else 0 }}", also: "{{ hotline.nsn }}", '
    )
    with Crm({"contacts": {"results": []}}) as crm:
        owners(crm, text, hotline="842499950291")
        owners(crm, text)
        assert [question.query[0] for question in crm.asked] == [("line", "02499950291"), ("line", "0")]
        assert crm.asked[1].query[1] == ("also", "")


def test_a_connector_knows_whether_its_answer_depends_on_the_hotline() -> None:
    for text, reads in ((ONE_STEP, False), (ONE_STEP.replace("query: {", "query: {l: '{{ hotline.nsn }}', "), True)):
        connector = RestConnector(config(text))
        assert connector.reads_hotline is reads
        connector.close()


def test_an_owners_empty_login_does_not_keep_a_later_step_from_using_that_of_the_bridge() -> None:
    text = """
    auth: {type: login, request: {path: in, json: {}}, take: {t: t}}
    steps:
      - {path: contacts, match: phone, take: {owner_id: owner, login: user}}
      - {path: "{{ login.t }}/users/{{ owner_id }}", take: {email: email}}
    """
    contact = {"phone": "0901234567", "owner": 7, "user": None}
    scripts = {"in": {"t": "x"}, "contacts": contact, "x/users/7": {"email": "lan@congty.example"}}
    with Crm(scripts) as crm:
        assert owners(crm, text) == [Owner("7", "lan@congty.example")]


@pytest.mark.parametrize(
    ("caller", "spelling", "asked"),
    [
        ("0901234567", "caller.forms", ["0901234567", "+84901234567", "84901234567", "0084901234567", "840901234567"]),
        ("0834567890", "caller.nsns", ["834567890", "1234567890"]),
        ("0901234567", "caller.nsn", ["0901234567"]),
        ("02203123456", "caller.nsn", ["02203123456"]),
        ("0834567890", "caller.legacy", ["01234567890"]),
        ("+66901234567", "caller.forms", ["+66901234567", "0066901234567", "66901234567"]),
        ("+66901234567", "caller.digits", ["66901234567"]),
        ("+66901234567", "form", ["+66901234567", "66901234567"]),
        ("+951234567", "caller.digits", []),
        ("+2203123456", "caller.e164", []),
        ("+951234567", "form", []),
    ],
)
def test_what_is_not_compared_again_is_asked_for_in_spellings_that_are_nobody_elses(
    caller: str, spelling: str, asked: list[str]
) -> None:
    """+951234567 is of Yangon, 951234567 is 0951234567 of Vietnam without its zero; +220 is Gambia, 0220 Hải Dương."""
    forms = "forms: [national, nsn, digits, legacy]\n    " if spelling == "form" else ""
    text = ONE_STEP.replace("match: phone", f"{forms}match: exact")
    text = re.sub(r"\{\{.*?\}\}", f"{{{{ {spelling} }}}}", text)
    with Crm({"contacts": {"results": []}}) as crm:
        found = lookup(crm, text, caller)
        assert found.owners == []
        assert [value for question in crm.asked for _, value in question.query] == asked
        assert asked or "compares no more" in found.lines[-1]


def test_with_phone_fields_every_spelling_may_be_asked_for() -> None:
    with Crm({"contacts": {"results": [{**LAN, "phone": "951234567"}]}}) as crm:
        assert owners(crm, ONE_STEP.replace("caller.national", "caller.digits"), "+951234567") == []
        assert crm.asked[0].query == [("phone", "+951234567")]


def test_a_full_page_without_the_caller_is_an_error_and_a_shorter_one_means_nobody() -> None:
    text = ONE_STEP.replace("match: phone", "match: phone\n    full_page: 3")
    with Crm({"contacts": {"results": [ANOTHER, ANOTHER]}}) as crm:
        assert owners(crm, text) == []
        crm.scripts["contacts"] = {"results": [ANOTHER, ANOTHER, ANOTHER]}
        with pytest.raises(UnexpectedAnswer, match="3 records came, as many as there can be at once, and none holds"):
            owners(crm, text)
        crm.scripts["contacts"] = {"results": [ANOTHER, ANOTHER, LAN]}
        assert [owner.id for owner in owners(crm, text)] == ["7"]


def test_opening_may_take_as_long_as_reading_the_users() -> None:
    users = "users: {path: u, take: {owner_id: id}, timeout: 10m}\n"
    for text, seconds in ((ONE_STEP, 0.0), (users + ONE_STEP, 600.0)):
        connector = RestConnector(config(text))
        assert connector.opening_takes == seconds
        connector.close()


@pytest.mark.parametrize("phone", ["0901234567 ::: 0912345678", "SĐT 1: 0901234567", "0901234567_Zalo", "+0901234567"])
def test_a_record_counts_by_a_number_with_other_signs_around_it(phone: str) -> None:
    with Crm({"contacts": {"results": [{**LAN, "phone": phone}]}}) as crm:
        assert [owner.id for owner in owners(crm, ONE_STEP)] == ["7"]


def test_a_record_is_never_taken_for_another_ones_by_what_is_left_of_its_number() -> None:
    for phone in ("09****4567", "0901 xxx 567", "66: 0901234567", "090a1234567"):
        with Crm({"contacts": {"results": [{**LAN, "phone": phone}]}}) as crm, unread_told_to([].append):
            assert owners(crm, ONE_STEP) == []


def test_a_number_that_cannot_be_read_is_told_to_whoever_listens() -> None:
    heard: list[Unread] = []
    with Crm({"contacts": {"results": [{**LAN, "phone": "0901 xxx 567"}]}}) as crm, unread_told_to(heard.append):
        assert owners(crm, ONE_STEP) == []
    assert [str(one) for one in heard] == ["'•••• … 567': some of its digits are hidden"]
