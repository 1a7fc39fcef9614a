"""Steps that begin anew: what they find stands beside what was found before, or in its place."""

import pytest

from bridge.sdk import Call, Deadline, Owner, PhoneNumber, SourceUnavailable, UnexpectedAnswer
from connectors.rest.connector import RestConnector
from tests.support.crm import Crm, Question, Says, config, in_turn, lookup, owners

BOTH = """
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}"}
    match: phone
    take: {owner_id: owner}
  - path: leads
    start: %s
    query: {phone: "{{ caller.nsn }}"}
    match: phone
    take: {owner_id: user}
"""


def contact(owner: object) -> list[object]:
    return [{"phone": "0901234567", "owner": owner}]


def lead(user: object) -> list[object]:
    return [{"phone": "0901234567", "user": user}]


def paths(crm: Crm) -> list[str]:
    return [question.path.removeprefix("/api/") for question in crm.asked]


def ids(found: list[Owner]) -> list[str | None]:
    return [owner.id for owner in found]


def test_also_adds_what_it_finds_behind_what_was_found_before() -> None:
    with Crm({"contacts": contact(1), "leads": lead(2)}) as crm:
        assert ids(owners(crm, BOTH % "also")) == ["1", "2"]
        crm.scripts["contacts"] = []
        assert ids(owners(crm, BOTH % "also")) == ["2"]
        crm.scripts |= {"contacts": contact(1), "leads": []}
        assert ids(owners(crm, BOTH % "also")) == ["1"]
        crm.scripts["leads"] = lead(1)
        assert ids(owners(crm, BOTH % "also")) == ["1"]


def test_otherwise_is_asked_only_if_nothing_was_found() -> None:
    with Crm({"contacts": contact(1), "leads": lead(2)}) as crm:
        told = lookup(crm, BOTH % "otherwise")
        assert ids(told.owners) == ["1"]
        assert paths(crm) == ["contacts"]
        assert told.lines[-1] == "step 2 (leads): not asked: an owner who counts has been found before"
        crm.scripts["contacts"] = []
        assert ids(owners(crm, BOTH % "otherwise")) == ["2"]


def test_a_customer_of_whom_nothing_was_taken_is_nothing_found() -> None:
    with Crm({"contacts": contact(None), "leads": lead(2)}) as crm:
        assert ids(owners(crm, BOTH % "otherwise")) == ["2"]


def test_a_step_behind_a_start_is_made_for_the_rows_of_both() -> None:
    text = (BOTH % "also").rstrip() + '\n  - {path: "users/{{ owner_id }}", where: active, take: {email: mail}}'
    users = {f"users/{number}": {"active": number != 3, "mail": f"u{number}@congty.example"} for number in (1, 2, 3)}
    with Crm({"contacts": contact(1), "leads": lead(2), **users}) as crm:
        assert [owner.email for owner in owners(crm, text)] == ["u1@congty.example", "u2@congty.example"]
        crm.scripts["contacts"] = contact(3)
        assert [owner.email for owner in owners(crm, text)] == ["u2@congty.example"]


WITH_NAMES_OF_ITS_OWN = """
steps:
  - {path: contacts, query: {p: "{{ caller.nsn }}"}, match: phone, take: {owner_id: owner}}
  - {path: leads, start: also, query: {p: "{{ caller.nsn }}"}, match: phone, take: {lead: user}}
  - %s
"""
EACH = '{path: "leads/{{ lead }}", take: {owner_id: owner}}'
TOGETHER = '{path: owners, once: true, query: {id: "{{ all.lead }}"}, take: {owner_id: owner}}'


@pytest.mark.parametrize("last", [EACH, TOGETHER])
def test_rows_that_began_elsewhere_pass_a_step_that_uses_a_name_they_do_not_have(last: str) -> None:
    scripts = {"contacts": contact(1), "leads": lead(5), "leads/5": {"owner": 2}, "owners": {"owner": 2}}
    with Crm(scripts) as crm:
        text = WITH_NAMES_OF_ITS_OWN % last
        assert ids(owners(crm, text)) == ["1", "2"]
        crm.asked.clear()
        crm.scripts["leads"] = []
        assert ids(owners(crm, text)) == ["1"]
        assert paths(crm) == ["contacts", "leads"]


@pytest.mark.parametrize("last", [EACH, TOGETHER])
def test_a_row_whose_name_is_there_but_empty_ends_as_ever(last: str) -> None:
    with Crm({"contacts": contact(1), "leads": lead(None)}) as crm:
        assert ids(owners(crm, WITH_NAMES_OF_ITS_OWN % last)) == ["1"]
        assert paths(crm) == ["contacts", "leads"]


def test_a_step_for_all_rows_leaves_the_others_in_their_order() -> None:
    text = """
    steps:
      - {path: contacts, query: {p: "{{ caller.nsn }}"}, match: phone, take: {owner_id: owner}}
      - {path: leads, start: also, query: {p: "{{ caller.nsn }}"}, match: phone, take: {lead: user}}
      - {path: deals, start: also, query: {p: "{{ caller.nsn }}"}, match: phone, take: {owner_id: owner}}
      - {path: owners, once: true, query: {id: "{{ all.lead }}"}, take: {owner_id: owner}}
    """
    scripts = {"contacts": contact(1), "leads": lead(5) + lead(6), "deals": contact(3), "owners": {"owner": 2}}
    with Crm(scripts) as crm:
        assert ids(owners(crm, text)) == ["1", "2", "3"]
        assert crm.asked[-1].query == [("id", "5"), ("id", "6")]


def test_several_starts_in_a_row_are_tried_until_one_finds_something() -> None:
    text = """
    steps:
      - {path: a, query: {p: "{{ caller.e164 }}"}, match: exact, take: {owner_id: id}}
      - {path: b, start: otherwise, query: {p: "{{ caller.e164 }}"}, match: exact, take: {owner_id: id}}
      - {path: c, start: otherwise, query: {p: "{{ caller.e164 }}"}, match: exact, take: {owner_id: id}}
    """
    with Crm({"a": [], "b": [{"id": 2}], "c": [{"id": 3}]}) as crm:
        assert ids(owners(crm, text)) == ["2"]
        assert paths(crm) == ["a", "b"]


def test_a_step_behind_an_empty_answer_is_not_asked() -> None:
    text = (BOTH % "also").rstrip() + '\n  - {path: "users/{{ owner_id }}", take: {email: mail}}'
    with Crm({"contacts": [], "leads": []}) as crm:
        assert owners(crm, text) == []
        assert paths(crm) == ["contacts", "leads"]


WITH_USERS = """
users: {path: users, records: results, where: active, take: {owner_id: id, email: mail}}
""" + BOTH.lstrip()


@pytest.mark.parametrize("who", [3, 55, "group:5", None, 0, "0"])
def test_an_owner_who_has_left_or_is_a_group_or_none_is_nothing_found(who: object) -> None:
    users = [{"id": number, "active": number != 3, "mail": f"u{number}@congty.example"} for number in (1, 2, 3)]
    with Crm({"users": {"results": users}, "contacts": contact(who), "leads": lead(2)}) as crm:
        connector = RestConnector(config(WITH_USERS % "otherwise", crm.url))
        connector.open()
        crm.asked.clear()
        lines: list[str] = []
        call = Call(PhoneNumber.parse("0901234567"), None, lines.append)
        assert list(connector.find_owners(call, Deadline.after(5))) == [Owner("2", "u2@congty.example")]
        assert [path for path in paths(crm) if path != "users"] == ["contacts", "leads"]
        assert "what was found has no owner who counts" in lines
        assert len(lines) == len(set(lines))
        connector.close()


def test_an_owner_who_counts_is_known_behind_the_steps_that_he_has_to_pass() -> None:
    text = (BOTH % "otherwise").rstrip() + '\n  - {path: "users/{{ owner_id }}", where: active, take: {email: mail}}'
    users = {f"users/{number}": {"active": number != 3, "mail": f"u{number}@congty.example"} for number in (1, 2, 3)}
    with Crm({"contacts": contact(3), "leads": lead(2), **users}) as crm:
        assert owners(crm, text) == [Owner("2", "u2@congty.example")]
        assert paths(crm) == ["contacts", "users/3", "leads", "users/2"]
        crm.asked.clear()
        crm.scripts["contacts"] = contact(1)
        assert owners(crm, text) == [Owner("1", "u1@congty.example")]
        assert paths(crm) == ["contacts", "users/1"]


def test_otherwise_is_not_asked_if_it_is_not_known_whether_somebody_has_been_found() -> None:
    text = (BOTH % "otherwise").rstrip() + '\n  - {path: "users/{{ owner_id }}", where: active, take: {email: mail}}'
    with Crm({"contacts": contact(3), "leads": lead(2), "users/3": Says(status=500)}) as crm:
        with pytest.raises(SourceUnavailable):
            owners(crm, text)
        assert list(dict.fromkeys(paths(crm))) == ["contacts", "users/3"]


def test_a_step_for_all_rows_is_passed_once_ahead_of_otherwise() -> None:
    text = """
    steps:
      - {path: contacts, query: {p: "{{ caller.nsn }}"}, match: phone, take: {owner_id: owner}}
      - {path: leads, start: otherwise, query: {p: "{{ caller.nsn }}"}, match: phone, take: {owner_id: user}}
      - {path: users, once: true, query: {id: "{{ all.owner_id }}"}, where: active, take: {email: mail}}
    """
    found = {"1": {"active": True, "mail": "u1@congty.example"}, "2": {"active": True, "mail": "u2@congty.example"}}

    def users(question: Question) -> object:
        return [found[value] for _, value in question.query if value in found]

    with Crm({"contacts": contact(1), "leads": lead(2), "users": users}) as crm:
        assert [owner.email for owner in owners(crm, text)] == ["u1@congty.example"]
        assert paths(crm) == ["contacts", "users"]
        crm.asked.clear()
        crm.scripts["contacts"] = contact(3)
        assert [owner.email for owner in owners(crm, text)] == ["u2@congty.example"]
        assert paths(crm) == ["contacts", "users", "leads", "users"]


FULL = """
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}", limit: 3}
    match: phone
    full_page: 3
    take: {owner_id: owner}
"""


def test_a_full_page_of_the_callers_own_without_an_owner_is_not_nobody() -> None:
    with Crm({"contacts": contact(None) * 3}) as crm:
        with pytest.raises(UnexpectedAnswer, match=r"step 1 \(contacts\): 3 records came, .* has an owner who counts"):
            owners(crm, FULL)
        crm.scripts["contacts"] = contact(None) * 2
        assert owners(crm, FULL) == []
        crm.scripts["contacts"] = contact(None) * 2 + contact(7)
        assert ids(owners(crm, FULL)) == ["7"]


def test_a_full_page_without_an_owner_is_no_error_if_another_place_knows_him() -> None:
    text = FULL + BOTH.partition("leads")[0].rpartition("\n")[2] + BOTH[BOTH.index("leads") :] % "otherwise"
    with Crm({"contacts": contact(None) * 3, "leads": lead(2)}) as crm:
        assert ids(owners(crm, text)) == ["2"]
        crm.scripts["leads"] = []
        with pytest.raises(UnexpectedAnswer, match="contacts"):
            owners(crm, text)


def test_a_form_that_finds_records_without_an_owner_is_not_the_last() -> None:
    text = """
    steps:
      - path: contacts
        query: {phone: "{{ form }}"}
        forms: [national, e164, digits]
        match: phone
        take: {owner_id: owner}
    """
    with Crm({"contacts": in_turn(contact(None), contact(7))}) as crm:
        assert ids(owners(crm, text)) == ["7"]
        assert len(crm.asked) == 2


def test_the_same_number_on_a_contact_and_its_company_rings_both_where_the_steps_say_so() -> None:
    text = """
    steps:
      - path: contacts
        query: {phone: "{{ caller.nsn }}"}
        match: phone
        take: {owner_id: owner}
      - path: companies
        start: also
        query: {phone: "{{ caller.nsn }}"}
        match: phone
        take: {owner_id: owner}
    """
    with Crm({"contacts": contact(7), "companies": contact(8)}) as crm:
        assert ids(owners(crm, text)) == ["7", "8"]
