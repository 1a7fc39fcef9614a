"""Which records an answer is made of: that of each step, of equal owners all, and none where no id is configured."""

import pytest

from bridge.sdk import UnexpectedAnswer
from tests.support.crm import Crm, owners

CALLER = "+84901234567"
STEPS = """
steps:
  - path: contacts
    query: {q: "{{ caller.e164 }}"}
    records: items
    record: id
    match: phone
    take: {company: company}
  - path: companies/{{ company }}
    record: number
    take: {owner_id: owner}
"""
ONCE = """
steps:
  - path: contacts
    query: {q: "{{ caller.e164 }}"}
    records: items
    record: id
    match: phone
    take: {company: company}
  - path: companies
    once: true
    json: {ids: "{{ all.company }}"}
    repeatable: true
    records: items
    record: number
    take: {owner_id: owner}
"""


def contact(id_: object, company: int) -> dict[str, object]:
    return {"id": id_, "phone": CALLER, "company": company}


def records(found) -> dict[str | None, str | None]:
    return {owner.id: owner.record for owner in found}


def test_an_owner_stands_in_the_records_of_all_steps_that_led_to_him():
    contacts = {"items": [contact(42, 1), contact("43", 2), contact(44, 1)]}
    with Crm({"contacts": contacts, "companies/1": {"number": "A-1", "owner": 7}, "companies/2": {"owner": 8}}) as crm:
        assert records(owners(crm, STEPS)) == {"7": "42, A-1, 44", "8": "43"}


def test_a_request_for_all_rows_at_once_keeps_the_records_of_all():
    contacts = {"items": [contact(42, 1), contact(43, 2)]}
    companies = {"items": [{"number": 1, "owner": 7}, {"number": 2, "owner": 8}]}
    with Crm({"contacts": contacts, "companies": companies}) as crm:
        assert records(owners(crm, ONCE)) == {"7": "42, 43, 1", "8": "42, 43, 2"}


@pytest.mark.parametrize("id_", [None, ""])
def test_a_record_without_an_id_costs_nobody_his_owner(id_):
    with Crm({"contacts": {"items": [contact(id_, 1)]}, "companies/1": {"owner": 7}}) as crm:
        assert records(owners(crm, STEPS)) == {"7": None}


def test_an_id_that_is_none_is_told_as_what_does_not_fit():
    with (
        Crm({"contacts": {"items": [contact({"odd": 1}, 1)]}, "companies/1": {"owner": 7}}) as crm,
        pytest.raises(UnexpectedAnswer, match="record"),
    ):
        owners(crm, STEPS)


def test_a_record_alone_ends_no_search_by_other_forms():
    text = """
steps:
  - path: contacts
    query: {q: "{{ form }}"}
    forms: [e164, national]
    records: items
    record: id
    match: phone
    take: {owner_id: owner}
"""
    answers = iter(
        [{"items": [{"id": 1, "phone": CALLER, "owner": None}]}, {"items": [{"id": 2, "phone": CALLER, "owner": 7}]}]
    )
    with Crm({"contacts": lambda _question: next(answers)}) as crm:
        assert records(owners(crm, text)) == {"7": "2"}
