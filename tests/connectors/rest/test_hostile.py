"""Values that try to become part of the request, and answers of every shape in every place."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from bridge.sdk import Owner, SourceError, UnexpectedAnswer
from connectors.rest.templates.request import header_text
from tests.support.crm import Crm, Question, Says, owners

NASTY = [
    "+84",
    "a b",
    "quote\"'`",
    "a&b=c#d?e",
    "%0d%0aX-Injected:%201",
    "%2e%2e",
    "{{ 7*7 }}",
    "{% if 1 %}x{% endif %}",
    "${HOME}",
    "Trần Quang Minh",
    "\\",
    "a:b@other.example",
    ";x=y",
    "😀",
]
"""Values that a CRM may hold and that are printable."""


@pytest.fixture(scope="module")
def crm() -> Iterator[Crm]:
    """One CRM for all tests here, since there are hundreds; each writes its own script."""
    with Crm({}) as crm:
        yield crm


VALUE_IN = """
steps:
  - path: first
    query: {n: "{{ caller.national }}"}
    match: exact
    take: {value: value}
  - PLACE
    take: {owner_id: id}
"""


def second_request(crm: Crm, place: str, value: str) -> Question:
    """Have a step take `value`, put it into the second request, and return that as the CRM got it."""
    crm.script(lambda question: {"value": value} if question.path == "/api/first" else {"id": 7})
    assert owners(crm, VALUE_IN.replace("PLACE", place)) == [Owner(id="7")]
    assert len(crm.asked) == 2
    return crm.asked[1]


@pytest.mark.parametrize("value", [*NASTY, "a/b", "/", "//other.example/x", "https://other.example/"])
def test_in_a_path_a_value_stays_one_segment(crm: Crm, value: str) -> None:
    asked = second_request(crm, 'path: "users/{{ value }}/card"', value)
    before, segment, after = asked.path.removeprefix("/api/").split("/")
    assert (before, unquote(segment), after) == ("users", value, "card")
    assert asked.query == []


@pytest.mark.parametrize("value", ["a/../b", "../../admin", "a/.."])
def test_a_value_cannot_leave_its_place_in_the_path(crm: Crm, value: str) -> None:
    crm.script({"value": value})
    with pytest.raises(UnexpectedAnswer):
        owners(crm, VALUE_IN.replace("PLACE", 'path: "users/{{ value }}/card"'))
    assert len(crm.asked) == 1


@pytest.mark.parametrize("value", ["..", "."])
def test_dots_alone_are_no_value_and_nothing_is_asked_with_them(crm: Crm, value: str) -> None:
    crm.script({"value": value})
    assert owners(crm, VALUE_IN.replace("PLACE", 'path: "users/{{ value }}/card"')) == []
    assert len(crm.asked) == 1


def test_an_empty_value_cannot_shorten_the_path(crm: Crm) -> None:
    crm.script({"value": "  x"})
    with pytest.raises(UnexpectedAnswer, match="an empty text"):
        owners(crm, VALUE_IN.replace("PLACE", "path: \"users/{{ value | replace('x', '') }}/card\""))


@pytest.mark.parametrize("value", NASTY)
def test_in_a_query_a_value_stays_one_value(crm: Crm, value: str) -> None:
    asked = second_request(crm, 'path: users\n    query: {"filter[a][like]": "%{{ value }}%", last: "1"}', value)
    assert asked.query == [("filter[a][like]", f"%{value}%"), ("last", "1")]
    assert asked.path == "/api/users"


@pytest.mark.parametrize("value", NASTY)
def test_in_a_form_a_value_stays_one_value(crm: Crm, value: str) -> None:
    asked = second_request(crm, 'path: users\n    form: {id: "{{ value }}", last: "1"}', value)
    assert asked.form == [("id", value), ("last", "1")]
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("value", NASTY)
def test_in_json_a_value_stays_one_text(crm: Crm, value: str) -> None:
    asked = second_request(crm, 'path: users\n    json: {id: ["{{ value }}", "x{{ value }}"], last: 1}', value)
    assert asked.json == {"id": [value, f"x{value}"], "last": 1}
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize("value", NASTY)
def test_in_json_inside_a_parameter_a_value_stays_one_text(crm: Crm, value: str) -> None:
    asked = second_request(crm, 'path: users\n    query: {where: {json: [{value: "{{ value }}"}]}}', value)
    assert [(key, json.loads(text)) for key, text in asked.query] == [("where", [{"value": value}])]


@pytest.mark.parametrize("value", [value for value in NASTY if value.isascii()])
def test_in_a_header_a_value_stays_in_its_header(crm: Crm, value: str) -> None:
    asked = second_request(crm, 'path: users\n    headers: {X-Id: "{{ value }}"}', value)
    assert asked.headers["x-id"] == value
    assert "x-injected" not in asked.headers


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\0b", "\x7f"])
@pytest.mark.parametrize(
    "place", ["headers: {X-Id: '{{ value }}'}", "query: {id: '{{ value }}'}", "json: {id: '{{ value }}'}"]
)
def test_control_characters_are_no_part_of_any_value(crm: Crm, value: str, place: str) -> None:
    crm.script({"value": value})
    with pytest.raises(UnexpectedAnswer) as error:
        owners(crm, VALUE_IN.replace("PLACE", f"path: users\n    {place}"))
    assert "Injected" not in str(error.value)
    assert len(crm.asked) == 1


@pytest.mark.parametrize("text", ["a\r\nb", "a\tb", "a\x7f", "Trần", "é"])
def test_a_header_takes_printable_ascii_only(text: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="header X-Id: "):
        header_text("X-Id", text)


def test_a_list_in_a_parameter_repeats_it(crm: Crm) -> None:
    text = """
    steps:
      - path: contacts
        query: {"value[]": "{{ caller.forms }}", both: ["{{ caller.nsn }}", x], none: []}
        match: phone
        take: {owner_id: id}
    """
    crm.script([])
    assert owners(crm, text) == []
    sent = crm.asked[0].query
    assert len([key for key, _ in sent if key == "value[]"]) > 3
    assert sent[-2:] == [("both", "901234567"), ("both", "x")]


EVERY_JSON: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.5, 1e300, 10**400, "", "0", "null", "x", "7", "Trần", "a\nb"),
    *(float("nan"), float("-inf")),
    *([], [None], [[]], ["7"], ["7", "8"], [{}], [{"id": 7}], [7, [8]], {}, {"id": None}, {"id": 7}, {"id": [7]}),
    *({"id": {"id": 7}}, {"results": []}, {"": ""}, {"items": {"id": 7}}),
]

RIGHT: dict[str, Any] = {"results": [{"phone": "0901234567", "owner": {"id": 7}}]}

PLACES: dict[str, Callable[[Any], Any]] = {
    "answer": lambda value: value,
    "records": lambda value: {"results": value},
    "record": lambda value: {"results": [value]},
    "phone": lambda value: {"results": [{"phone": value, "owner": {"id": 7}}]},
    "owner": lambda value: {"results": [{"phone": "0901234567", "owner": value}]},
    "id": lambda value: {"results": [{"phone": "0901234567", "owner": {"id": value}}]},
}

FOUND = {
    ("owner", '{"id": 7}'): ["7"],
    ("owner", '{"id": [7]}'): ["7"],
    ("id", "1"): ["1"],
    ("id", "-1"): ["-1"],
    ("id", json.dumps(1e300)): [str(int(1e300))],
    ("id", str(10**400)): [str(10**400)],
    ("id", '"x"'): ["x"],
    ("id", '"7"'): ["7"],
    ("id", json.dumps("Trần")): ["Trần"],
    ("id", '["7"]'): ["7"],
    ("id", '["7", "8"]'): ["7", "8"],
}
"""Everything else in these places is nobody, or an error."""

NOBODY = {
    "records": ["[]"],
    "phone": [
        "null",
        "false",
        "0",
        "1",
        "-1",
        '""',
        '"0"',
        '"null"',
        '"x"',
        '"7"',
        json.dumps("Trần"),
        "[]",
        "[null]",
        "[[]]",
        '["7"]',
        '["7", "8"]',
        "[7, [8]]",
        json.dumps("a\nb"),
        "1e+300",
        str(10**400),
    ],
    "owner": ["null", "false", '""', "[]", '{"id": null}'],
    "id": ["null", "false", "0", '""', '"0"', '"null"', "[]", "[null]"],
    "answer": ['{"results": []}'],
}

HOSTILE = """
steps:
  - path: contacts
    query: {q: "{{ caller.nsn }}"}
    records: results
    match: phone
    take: {owner_id: owner.id}
"""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", EVERY_JSON, ids=lambda value: json.dumps(value)[:20])
def test_any_json_in_any_place_is_an_owner_nobody_or_an_error_as_defined(crm: Crm, place: str, value: object) -> None:
    written = json.dumps(value)
    crm.script(PLACES[place](value))
    if (place, written) in FOUND:
        assert [owner.id for owner in owners(crm, HOSTILE)] == FOUND[place, written]
    elif written in NOBODY.get(place, ()):
        assert owners(crm, HOSTILE) == []
    else:
        with pytest.raises(SourceError):
            owners(crm, HOSTILE)


@pytest.mark.parametrize(
    "raw", [b"[" * 100_000, b'{"results": [' + b'{"a":' * 5000, b"\xff\xfe", b"NaN", b"1e999", b"null"]
)
def test_an_answer_that_is_no_usable_json_is_an_error(crm: Crm, raw: bytes) -> None:
    crm.script(Says(raw=raw))
    with pytest.raises(UnexpectedAnswer):
        owners(crm, HOSTILE)


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999", b"9" * 5000])
def test_a_number_that_is_none_costs_no_answer_where_nobody_reads_it(crm: Crm, number: bytes) -> None:
    crm.script(Says(raw=b'{"results": [{"phone": "0901234567", "score": ' + number + b', "owner": {"id": 7}}]}'))
    assert [owner.id for owner in owners(crm, HOSTILE)] == ["7"]


@pytest.mark.parametrize("number", [b"NaN", b"1e999"])
def test_a_number_that_is_none_means_neither_yes_nor_no(crm: Crm, number: bytes) -> None:
    crm.script(Says(raw=b'{"none": ' + number + b', "results": []}'))
    with pytest.raises(UnexpectedAnswer, match="yes or no"):
        owners(crm, HOSTILE.replace("records:", "nobody_when: none\n    records:"))


def test_expressions_cannot_be_confused_by_what_they_work_on(crm: Crm) -> None:
    text = HOSTILE.replace("owner.id", '"sort_by(owner, &rank)[0].id"')
    crm.script({"results": [{"phone": "0901234567", "owner": [{"rank": 1}, {"rank": "planted"}]}]})
    with pytest.raises(UnexpectedAnswer) as error:
        owners(crm, text)
    assert "planted" not in str(error.value)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", [{"a": ["planted", "planted"]}, ["planted\n", {}], True, "planted \n0901234567"])
def test_no_error_shows_the_caller_or_a_value_of_the_answer(crm: Crm, place: str, value: object) -> None:
    crm.script(PLACES[place](value))
    try:
        owners(crm, HOSTILE)
    except SourceError as raised:
        shown = f"{raised!r} {raised.__cause__!r}"
    else:
        shown = ""
    assert "planted" not in shown
    assert "0901234567" not in shown


COUNTLESS = """
steps:
  - path: contacts
    query: {phone: "{{ caller.national }}"}
    take: {owner_id: id}
"""


@pytest.mark.parametrize(
    ("settings", "record", "problem"),
    [
        ("match: phone", {"phone": ["0 1"] * 1001}, "`phone` found more than 1000 values in one record"),
        (
            "match: {within: people, fields: [phone]}",
            {"people": [{"phone": "0 1"}] * 1001},
            "`people` found more than 1000 values in one record",
        ),
        ("match: exact", {"id": [7] * 1001}, "owner_id: a list of 1001 elements: 1000 at most"),
        (
            "match: exact\n    each: people",
            {"people": [{"id": 7}] * 1001},
            "each: `people` found 1001 items: 1000 at most",
        ),
    ],
)
def test_a_record_of_countless_values_is_refused(crm: Crm, settings: str, record: dict[str, Any], problem: str) -> None:
    crm.script({"id": 7, **record})
    with pytest.raises(UnexpectedAnswer) as error:
        owners(crm, f"{COUNTLESS}    {settings}\n")
    assert problem in str(error.value)


@pytest.mark.parametrize("name", ["x" * 100_000, "a\n", "\u202e"])
def test_a_field_with_an_odd_name_is_not_named(crm: Crm, name: str) -> None:
    crm.script({name: 1, "phone": "0901234567"})
    with pytest.raises(UnexpectedAnswer, match=r"the fields that came are: \?, phone$"):
        owners(crm, f"{COUNTLESS}    match: phone\n")


def test_a_thousand_values_in_a_record_are_not_too_many(crm: Crm) -> None:
    crm.script({"id": 7, "phone": [*["0 1"] * 999, "0901234567"]})
    assert owners(crm, f"{COUNTLESS}    match: phone\n", "0901234567") == [Owner(id="7")]
