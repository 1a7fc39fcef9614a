"""A request in GraphQL: errors come with status 200, with or without data, and are errors without being configured."""

import pytest

from bridge.sdk import Owner, SourceRejected, SourceUnavailable
from connectors.rest.templates.request import RequestTemplate
from connectors.rest.templates.scope import known_names
from tests.support.crm import Crm, owners

TEXT = """
steps:
  - path: graphql
    json:
      query: "query($phone: String!) { contacts(phone: $phone) { phone owner { email } } }"
      variables: {phone: "{{ caller.e164 }}"}
    records: data.contacts
    match: phone
    take: {email: owner.email}
"""
CONTACTS = [{"phone": "0901234567", "owner": {"email": "lan@congty.example"}}]
ERRORS = [{"message": "no index for 0901234567"}, {"message": "late", "extensions": {"code": "THROTTLED"}}]


def test_data_without_errors_are_data() -> None:
    with Crm({"graphql": {"data": {"contacts": CONTACTS}}}) as crm:
        assert owners(crm, TEXT) == [Owner(email="lan@congty.example")]
        assert crm.asked[0].json["variables"] == {"phone": "+84901234567"}
        crm.scripts["graphql"] = {"data": {"contacts": CONTACTS}, "errors": []}
        assert owners(crm, TEXT) == [Owner(email="lan@congty.example")]
        crm.scripts["graphql"] = {"data": {"contacts": []}, "errors": None}
        assert owners(crm, TEXT) == []


@pytest.mark.parametrize("data", [None, {"contacts": []}, {"contacts": None}, {"contacts": CONTACTS}])
def test_errors_are_an_error_whatever_stands_beside_them_and_told_in_their_own_words(data: object) -> None:
    told = r"an error of GraphQL.*\(no index for …567; late\)$"
    with Crm({"graphql": {"data": data, "errors": ERRORS}}) as crm, pytest.raises(SourceRejected, match=told):
        owners(crm, TEXT)


@pytest.mark.parametrize("data", [None, {"contacts": []}])
def test_beside_errors_nobody_is_only_what_they_say_themselves(data: object) -> None:
    answer = {"data": data, "errors": ERRORS}
    with Crm({"graphql": answer}) as crm:
        with pytest.raises(SourceRejected):
            owners(crm, TEXT.replace("records:", "nobody_when: '!(data.contacts)'\n    records:"))
        said = "nobody_when: \"errors[0].extensions.code == 'NOT_FOUND'\"\n    records:"
        answer["errors"] = [{"message": "none", "extensions": {"code": "NOT_FOUND"}}]
        assert owners(crm, TEXT.replace("records:", said)) == []


def test_errors_that_pass_by_themselves_are_busy_when() -> None:
    said = "busy_when: \"errors[?extensions.code == 'THROTTLED']\"\n    records:"
    with Crm({"graphql": {"data": None, "errors": ERRORS}}) as crm, pytest.raises(SourceUnavailable):
        owners(crm, TEXT.replace("records:", said))


def test_another_body_may_hold_what_it_calls_errors() -> None:
    text = TEXT.replace(
        '"query($phone: String!) { contacts(phone: $phone) { phone owner { email } } }"', '"{{ caller.nsn }}"'
    )
    with Crm({"graphql": {"data": {"contacts": CONTACTS}, "errors": ERRORS}}) as crm:
        assert owners(crm, text) == [Owner(email="lan@congty.example")]


@pytest.mark.parametrize(
    ("query", "is_graphql"),
    [
        ("{ contacts { phone } }", True),
        ("\n  # by number\n  query Q($p: String) { contacts(phone: $p) { id } }", True),
        ("query { contacts { phone } }", True),
        ("fragment F on Contact { id } query { contacts { ...F } }", True),
        ("query {{ settings.name }} { contacts { phone } }", True),
        ("{{ caller.nsn }}", False),
        ("{% if hotline %}1{% endif %}", False),
        ("query 0901234567", False),
        ("queryset { x }", False),
        ("SELECT 1", False),
    ],
)
def test_graphql_is_known_by_how_its_query_begins(query: str, is_graphql: bool) -> None:
    with known_names({"caller", "hotline", "settings"}):
        assert RequestTemplate.model_validate({"json": {"query": query}}).is_graphql is is_graphql
        assert not RequestTemplate.model_validate({"json": [query]}).is_graphql
        assert not RequestTemplate.model_validate({"form": {"query": query}}).is_graphql
