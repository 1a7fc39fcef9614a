"""Whose number a record holds: what the CRM knows of its country counts before what somebody typed."""

from itertools import count
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.sdk import Deadline, Lane, Owner, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.phone import Unread, unread_told_to
from connectors.rest.config.match import PhoneFields
from connectors.rest.mapping.expression import Expression
from connectors.rest.own_numbers import OwnNumbers
from tests.support.crm import Crm, config, lookup, owners

TEXT = """
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn_at_home }}"}
    match: %s
    take: {owner_id: owner}
"""
COUNTRY = TEXT % "{fields: [phone, mobile], country: country}"
INTERNATIONAL = TEXT % "{fields: [phone, mobile], international: e164}"
BOTH = TEXT % "{fields: [phone, mobile], international: e164, country: country}"

HERE, THAI = "0812345678", "+66812345678"


def found(text: str, caller: str, **record: Any) -> bool:
    with Crm(
        {"contacts": [{"phone": None, "mobile": None, "country": None, "e164": None, "owner": 7, **record}]}
    ) as crm:
        return owners(crm, text, caller) == [Owner("7")]


@pytest.mark.parametrize("country", ["TH", "th", "+66", "66", 66, "0066", "Thailand", "Thái Lan", "Thailand (+66)"])
def test_a_number_is_one_of_the_country_beside_it(country: object) -> None:
    assert found(COUNTRY, THAI, phone="081 234 5678", country=country)
    assert not found(COUNTRY, HERE, phone="081 234 5678", country=country)


@pytest.mark.parametrize("country", ["VN", "84", "Việt Nam", None, "", False, "null"])
def test_a_country_that_is_empty_or_ours_changes_nothing(country: object) -> None:
    assert found(COUNTRY, HERE, phone="081 234 5678", country=country)
    assert not found(COUNTRY, THAI, phone="081 234 5678", country=country)


@pytest.mark.parametrize("country", ["Atlantis", "+999", "chi nhánh 2"])
def test_beside_a_country_that_nobody_knows_only_a_whole_number_counts(country: str) -> None:
    assert not found(COUNTRY, HERE, phone="081 234 5678", country=country)
    assert found(COUNTRY, HERE, phone="+84 81 234 5678", country=country)
    assert found(COUNTRY, THAI, phone="+66 81 234 5678", country=country)


def test_a_number_with_a_plus_is_what_it_says_whatever_stands_beside_it() -> None:
    assert found(COUNTRY, HERE, phone="+84 81 234 5678", country="TH")
    assert found(COUNTRY, THAI, phone="+66 81 234 5678", country="VN")


@pytest.mark.parametrize("written", ["+66812345678", "66812345678", 66812345678, "0066 81 234 5678", ["+66812345678"]])
def test_the_crms_own_form_counts_before_what_was_typed(written: object) -> None:
    assert found(INTERNATIONAL, THAI, phone="081 234 5678", e164=written)
    assert not found(INTERNATIONAL, HERE, phone="081 234 5678", e164=written)


@pytest.mark.parametrize("empty", [None, "", False, []])
def test_what_was_typed_counts_where_the_crm_has_made_nothing_of_it(empty: object) -> None:
    assert found(INTERNATIONAL, HERE, phone="081 234 5678", e164=empty)


def test_another_number_beside_the_international_one_is_of_the_same_country() -> None:
    assert found(INTERNATIONAL, "0901234567", phone="028 3899 0001", mobile="0901234567", e164="+842838990001")
    assert found(INTERNATIONAL, "+66812345679", phone="081 234 5678", mobile="081 234 5679", e164="+66812345678")
    assert not found(INTERNATIONAL, "0812345679", phone="081 234 5678", mobile="081 234 5679", e164="+66812345678")


def test_another_number_beside_the_international_one_is_of_the_country_that_is_named() -> None:
    record = {"phone": "+66 81 234 5678", "mobile": "0901234567", "e164": "+66812345678", "country": "VN"}
    assert found(BOTH, "0901234567", **record)
    assert found(BOTH, THAI, **record)
    assert not found(BOTH, HERE, **{**record, "phone": "081 234 5678"})


def test_what_is_only_tried_is_not_told_as_unread() -> None:
    heard: list[Unread] = []
    record = {"phone": "+66 81 234 5678", "mobile": "0901234567", "e164": "+66812345678", "country": "VN"}
    with unread_told_to(heard.append):
        assert found(BOTH, "0901234567", **record)
        assert not heard
        assert not found(BOTH, "0901234567", **{**record, "mobile": "0901 xxx 567"})
    assert len(heard) == 1


def test_a_number_without_its_code_is_no_international_form() -> None:
    assert not found(TEXT % "{international: e164}", HERE, e164="0812345678")
    assert found(TEXT % "{international: e164}", HERE, e164="84812345678")


def test_numbers_in_a_list_have_each_a_country_of_their_own() -> None:
    text = TEXT % "[phone, {within: more, fields: number, country: code}]"
    more = [{"number": "812345678", "code": "+66"}, {"number": "901234567", "code": "+84"}]
    assert found(text, THAI, more=more)
    assert found(text, "0901234567", more=more)
    assert not found(text, HERE, more=more)
    assert found(text, HERE, phone=HERE, more=None)
    assert found(text.replace("within: more", "within: more.main"), THAI, more={"main": more[0]})


@pytest.mark.parametrize(
    ("match", "problem"),
    [
        ("{fields: [phone, mobile], country: land}", "match: country: there is no `land`"),
        ("{fields: phone, international: e614}", "match: international: there is no `e614`"),
        ("{fields: fone}", "match: there is no `fone`"),
        ("{within: more, fields: number}", "match: within: there is no `more`"),
    ],
)
def test_a_misspelt_field_is_an_error_and_never_another_country(match: str, problem: str) -> None:
    record = {"phone": HERE, "country": "TH", "owner": 7}
    with Crm({"contacts": [record]}) as crm, pytest.raises(UnexpectedAnswer, match=problem):
        owners(crm, TEXT % match)


@pytest.mark.parametrize(
    ("match", "problem"),
    [
        ("{country: country}", "needs 'fields' or 'international'"),
        ("{international: e164, country: country}", "'country' is that of 'fields'"),
        ("{field: phone}", "field"),
        ("[{fields: 'phone ||'}]", "not a JMESPath expression"),
        ("[]", "at least 1 item"),
    ],
)
def test_what_cannot_be_meant_is_told_when_the_file_is_loaded(match: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        config(TEXT % match)


@pytest.mark.parametrize(
    ("form", "asked"),
    [("nsn_at_home", "812345678"), ("national_at_home", "0812345678"), ("nsn", "66812345678"), ("national", THAI)],
)
def test_a_caller_from_abroad_is_asked_for_as_at_home_only_if_the_step_says_so(form: str, asked: str) -> None:
    with Crm({"contacts": []}) as crm:
        owners(crm, COUNTRY.replace("nsn_at_home", form), THAI)
        assert crm.asked[0].query == [("phone", asked)]


@pytest.mark.parametrize(("form", "asked"), [("nsn_at_home", "901234567"), ("national_at_home", "0901234567")])
def test_a_caller_from_here_is_at_home(form: str, asked: str) -> None:
    with Crm({"contacts": []}) as crm:
        owners(crm, COUNTRY.replace("nsn_at_home", form))
        assert crm.asked[0].query == [("phone", asked)]


def test_a_search_that_compares_nothing_never_asks_as_at_home() -> None:
    with Crm({"contacts": [{"owner": 7}]}) as crm:
        owners(crm, TEXT % "exact", THAI)
        assert crm.asked[0].query == [("phone", "66812345678")]


def test_the_explanation_names_the_fields() -> None:
    with Crm({"contacts": [{"phone": "0901234560", "mobile": "", "country": "TH", "e164": "", "owner": 7}]}) as crm:
        said = lookup(crm, BOTH, THAI).lines[-1]
        assert said.endswith("it does not hold the caller's number in e164, phone, mobile (…560)")


@pytest.mark.parametrize("match", [Expression("phone"), PhoneFields(fields=["phone"], international="e164")])
def test_judging_many_texts_ends_when_the_time_is_over(match: Expression | PhoneFields) -> None:
    record = {"phone": ["0 1"] * 30, "e164": "+84901234567"}
    with Lane(spent=count().__next__).turn(Deadline.after(0.0)), pytest.raises(SourceUnavailable):
        OwnNumbers("VN", lambda _line: None).of([match], record)
