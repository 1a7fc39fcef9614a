"""Answers that come in pages: every page is asked for, all records count, and nothing goes on for ever."""

import re
from typing import Any

import pytest

from bridge.sdk import SourceRejected, UnexpectedAnswer
from tests.support.crm import Crm, Question, Says, in_turn, lookup, owners

BY_CURSOR = """
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}", after: "{{ page }}"}
    pages: {next: paging.next}
    records: results
    match: phone
    take: {owner_id: owner}
"""

COUNTED = """
steps:
  - path: contacts
    query: {phone: "{{ caller.nsn }}", page: "{{ page }}"}
    pages: {more: has_more}
    records: results
    match: phone
    take: {owner_id: owner}
"""


def record(owner: int, phone: str = "0901234567") -> dict[str, object]:
    return {"phone": phone, "owner": owner}


def page_of(*records: object, after: object = None) -> dict[str, object]:
    return {"results": list(records), **({"paging": {"next": after}} if after is not None else {})}


def queries(crm: Crm, name: str) -> list[str | None]:
    """Return what was asked for under a name, request by request; None where it was left out."""
    return [dict(question.query).get(name) for question in crm.asked]


def test_pages_are_followed_by_their_cursor_until_none_comes() -> None:
    pages = {None: page_of(record(1), after="x&y"), "x&y": page_of(after=42), "42": page_of(record(2))}
    with Crm({"contacts": lambda asked: pages[dict(asked.query).get("after")]}) as crm:
        assert [owner.id for owner in owners(crm, BY_CURSOR)] == ["1", "2"]
        assert queries(crm, "after") == [None, "x&y", "42"]


@pytest.mark.parametrize("end", [None, "", 0, False, "null"])
def test_an_empty_cursor_ends_the_pages(end: object) -> None:
    with Crm({"contacts": {"results": [record(1)], "paging": {"next": end}}}) as crm:
        assert [owner.id for owner in owners(crm, BY_CURSOR)] == ["1"]
        assert len(crm.asked) == 1


def test_pages_are_counted_while_there_are_more() -> None:
    said = in_turn(*({"results": [record(number)], "has_more": number < 3} for number in (1, 2, 3)))
    with Crm({"contacts": said}) as crm:
        assert [owner.id for owner in owners(crm, COUNTED)] == ["1", "2", "3"]
        assert queries(crm, "page") == ["1", "2", "3"]


def test_counting_can_begin_elsewhere_and_go_by_the_size_of_a_page() -> None:
    text = COUNTED.replace("{more: has_more}", "{more: 'length(results) == `2`', first: 0, by: 2}")
    said = in_turn({"results": [record(1), record(2)]}, {"results": [record(3)]})
    with Crm({"contacts": said}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["1", "2", "3"]
        assert queries(crm, "page") == ["0", "2"]


def test_the_first_request_of_a_body_leaves_the_cursor_out_and_the_next_keeps_its_type() -> None:
    text = """
    steps:
      - path: contacts
        json: {after: "{{ page }}", list: [a, "{{ page }}"], text: "page {{ page }}", n: "{{ caller.nsn }}"}
        pages: {next: next}
        records: results
        match: phone
        take: {owner_id: owner}
    """
    with Crm({"contacts": in_turn({"results": [], "next": 7}, {"results": [record(1)]})}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["1"]
        first, second = (question.json for question in crm.asked)
    assert first == {"list": ["a"], "text": "page ", "n": "901234567"}
    assert second == {"after": 7, "list": ["a", 7], "text": "page 7", "n": "901234567"}


def test_a_template_can_tell_the_first_page_from_the_next() -> None:
    text = BY_CURSOR.replace("path: contacts", "path: 'contacts{% if page %}/{{ page }}{% endif %}'")
    scripts = {"contacts": page_of(after="a/b"), "contacts/a%2Fb": page_of(record(1))}
    with Crm(scripts) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["1"]


def test_each_form_and_each_text_begins_with_the_first_page() -> None:
    text = COUNTED.replace("{{ caller.nsn }}", "{{ form }}").replace("pages:", "forms: [national, e164]\n    pages:")
    said = in_turn(
        *({"results": [], "has_more": True}, {"results": [], "has_more": False}),
        *({"results": [], "has_more": True}, {"results": [record(1)], "has_more": False}),
    )
    with Crm({"contacts": said}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["1"]
        assert queries(crm, "page") == ["1", "2", "1", "2"]


def test_pages_count_among_the_requests_of_a_lookup() -> None:
    with Crm({"contacts": {"results": [], "has_more": True}}) as crm:
        with pytest.raises(UnexpectedAnswer, match=r"more than max_requests \(3\) would be needed"):
            owners(crm, "max_requests: 3\n" + COUNTED.lstrip())
        assert len(crm.asked) == 3


def test_the_records_of_all_pages_together_are_bounded() -> None:
    with (
        Crm({"contacts": {"results": [record(1)] * 600, "has_more": True}}) as crm,
        pytest.raises(UnexpectedAnswer, match="more than 1000 records"),
    ):
        owners(crm, COUNTED)
    assert len(crm.asked) == 2


@pytest.mark.parametrize("cursors", [["x"], ["x", "y"]])
def test_a_cursor_that_leads_back_is_an_error(cursors: list[str]) -> None:
    following = dict(zip([None, *cursors], [*cursors, cursors[0]], strict=True))
    with Crm({"contacts": lambda asked: page_of(after=following[dict(asked.query).get("after")])}) as crm:
        with pytest.raises(UnexpectedAnswer, match=r"pages\.next: leads to a page that was read before"):
            owners(crm, BY_CURSOR)
        assert len(crm.asked) == 1 + len(cursors)


def test_pages_that_are_all_one_request_come_to_an_end_too() -> None:
    text = COUNTED.replace('page: "{{ page }}"', 'page: "{{ page == 0 }}"')
    with Crm({"contacts": {"results": [], "has_more": True}}) as crm:
        with pytest.raises(UnexpectedAnswer, match="max_requests"):
            owners(crm, text)
        assert len(crm.asked) == 1


@pytest.mark.parametrize("after", [True, 1.5, ["x"], {"a": 1}])
def test_a_cursor_of_another_kind_is_an_error(after: object) -> None:
    with Crm({"contacts": page_of(after=after)}) as crm, pytest.raises(UnexpectedAnswer, match=r"pages\.next: found"):
        owners(crm, BY_CURSOR)


def test_a_misspelt_field_for_more_is_an_error_and_never_the_last_page() -> None:
    with Crm({"contacts": {"results": [], "hasMore": True}}) as crm:
        with pytest.raises(UnexpectedAnswer, match=re.escape("pages.more: there is no `has_more`")):
            owners(crm, COUNTED)
        assert owners(crm, COUNTED.replace("has_more", "has_more || `false`")) == []


def test_an_error_on_a_later_page_is_an_error_of_the_whole() -> None:
    said = in_turn({"results": [record(1)], "has_more": True}, Says({}, status=403))
    with Crm({"contacts": said}) as crm, pytest.raises(SourceRejected, match=r"step 1 \(contacts\): .* 403"):
        owners(crm, COUNTED)


def test_a_page_that_means_nobody_is_behind_the_last() -> None:
    text = COUNTED.replace("pages:", "nobody_status: 404\n    pages:")
    said = in_turn({"results": [record(1)], "has_more": True}, Says(status=404))
    with Crm({"contacts": said}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["1"]


def test_the_explanation_shows_each_page_and_counts_all_records() -> None:
    said = in_turn({"results": [record(1)], "has_more": True}, {"results": [record(2)], "has_more": False})
    with Crm({"contacts": said}) as crm:
        lines = [line.partition(": ")[2] for line in lookup(crm, COUNTED).lines]
    assert [re.sub(r"\d+ ms", "… ms", line.replace(crm.host, "HOST")) for line in lines] == [
        "GET http://HOST/api/contacts?phone=901234567&page=1",
        "200 after … ms",
        "GET http://HOST/api/contacts?phone=901234567&page=2",
        "200 after … ms",
        "2 record(s)",
        "record 1: owner_id = 1 (owner)",
        "record 2: owner_id = 2 (owner)",
    ]


def test_a_session_that_ends_between_two_pages_is_renewed() -> None:
    text = (
        'auth: {type: login, request: {path: in, json: {}}, take: {t: t}, headers: {T: "{{ login.t }}"}}\n'
        + COUNTED.lstrip()
    )

    def contacts(asked: Question) -> Any:
        page = dict(asked.query)["page"]
        if page == "2" and asked.headers["t"] == "1":
            return Says({}, status=401)
        return {"results": [record(int(page))], "has_more": page == "1"}

    with Crm({"in": in_turn({"t": "1"}, {"t": "2"}), "contacts": contacts}) as crm:
        assert [owner.id for owner in owners(crm, text)] == ["1", "2"]
