"""Steps that begin anew: what they find stands beside what was found before, or in its place."""

import pytest

from bridge.sdk import Owner
from tests.support.crm import Crm, lookup, owners

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
        assert told.lines[-1] == "step 2 (leads): not asked: something has been found before"
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
