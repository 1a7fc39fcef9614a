"""Expressions: found wrong when loaded, and never an owner by accident."""

import re
from collections.abc import Callable
from itertools import count

import pytest
from pydantic import BaseModel, ValidationError

from bridge.sdk import Deadline, Lane, SourceUnavailable, UnexpectedAnswer
from connectors.rest.mapping.expression import Expression, JmesPath, is_none, scalar_of

ANSWER = {
    "user": {"email": None},
    "off": False,
    "phones": [{"number": 1}, {}],
    "none": None,
    "empty": [],
    "text": "x",
    "pair": [7, "Lan"],
    "object": {},
    "a.b": {"c-d": 5},
    "owner": {"profile": {"email": ""}},
}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a[", "not a JMESPath expression: "),
        ("", "not a JMESPath expression: "),
        ("a b", "not a JMESPath expression: "),
        ("a && && b", "not a JMESPath expression: "),
        ("owner[0", "not a JMESPath expression: its end is missing"),
        ("a]b", "not a JMESPath expression: ']' does not fit, at character 2"),
        ("a.#", "not a JMESPath expression: Unknown token #, at character 3"),
        ("$.items", "JMESPath, not JSONPath: leave '$.' out"),
        ("$[0]", "JMESPath, not JSONPath: leave '$.' out"),
        ("active == true", "true means a field of that name in JMESPath; write it in backticks: `true`"),
        ("list[?left == null]", "null means a field of that name"),
        ('status == "open"', "double quotes mean a field's name in JMESPath; write a text in single quotes"),
        ("lenght(a)", "JMESPath has no function 'lenght', did you mean 'length'?"),
        ("a[?zzz(b)]", "JMESPath has no function 'zzz'; there are: abs, "),
        ("length(a, b)", "the function 'length' takes 1 argument(s), not 2"),
        ("join(a)", "the function 'join' takes 2 argument(s), not 1"),
    ],
)
def test_what_is_wrong_with_an_expression_is_told_when_it_is_loaded(source: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)) as error:
        Expression(source)
    assert "\n" not in str(error.value)
    assert "^" not in str(error.value)


def test_a_problem_is_located_at_its_leaf() -> None:
    class Model(BaseModel):
        take: dict[str, JmesPath]

    with pytest.raises(ValidationError) as error:
        Model.model_validate({"take": {"a": "b", "c": "d[", "e": 5}})
    assert [problem["loc"] for problem in error.value.errors()] == [("take", "c"), ("take", "e")]


def test_keys_with_dots_are_read_in_quotes() -> None:
    assert Expression('"a.b"."c-d"').search(ANSWER) == 5


@pytest.mark.parametrize("source", ["sort(pair)", "user && join(',', pair)", "keys(text)", "sort_by(phones, &number)"])
def test_a_function_that_cannot_work_on_the_answer_is_an_unexpected_answer(source: str) -> None:
    with pytest.raises(UnexpectedAnswer) as error:
        Expression(source).search(ANSWER)
    assert "Lan" not in str(error.value)


@pytest.mark.parametrize(
    "source",
    [
        "user",
        "user.email",
        "owner.profile.email",
        "none",
        "none.id",
        "off.id",
        "off[0]",
        "pair[0]",
        "pair[5]",
        "phones[].number",
        "empty[].id",
        "empty.id",
        "phones[?number==`9`].number",
        "missing || text",
        "length(missing)",
        "!missing",
        "@",
        "phones[0].number",
        "user.email == 'a'",
        "*.number",
        "missing | text",
        "{a: missing}",
    ],
)
def test_an_expression_fits_what_has_its_fields_be_they_empty(source: str) -> None:
    assert Expression(source).fits(ANSWER)


@pytest.mark.parametrize(
    "source",
    [
        "missing",
        "user.missing",
        "owner.profile.missing",
        "owner.missing.email",
        "pair.id",
        "text.id",
        "text[0]",
        "text[].id",
        "object.id",
        "phones[].missing",
        "missing[].id",
        "phones[0].missing",
        "missing || user.missing",
        "user.missing == 'a'",
        "phones[?number==`1`].missing",
    ],
)
def test_an_expression_does_not_fit_what_lacks_its_fields(source: str) -> None:
    assert not Expression(source).fits(ANSWER)


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("missing", ANSWER),
        ("phones[].missing", {"number": 1}),
        ("phones[*].missing", {"number": 1}),
        ("phones[?number==`1`].missing", {"number": 1}),
        ("phones[0].missing", {"number": 1}),
        ("owner.missing.email", {"profile": {"email": ""}}),
        ("owner.profile.missing", {"email": ""}),
        ("text[].missing", ANSWER),
        ("empty[].missing", ANSWER),
    ],
)
def test_how_far_an_expression_fits_is_known(source: str, fields: object) -> None:
    assert Expression(source).reached(ANSWER) == fields


@pytest.mark.parametrize(
    "value", [None, False, "", "  ", 0, 0.0, "0", "null", "None", " UNDEFINED ", "unknown", "False"]
)
def test_crms_say_none_in_many_ways(value: object) -> None:
    assert is_none(value)
    assert scalar_of(value, "x") is None
    assert not Expression("@").holds(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), ("7", "7"), (7.0, "7"), (" lan ", "lan"), ("a\u00a0b", "a\u00a0b"), (-1, "-1"), ("00", "00")],
)
def test_texts_and_whole_numbers_are_values(value: object, text: str) -> None:
    assert str(scalar_of(value, "x")) == text


def test_a_value_keeps_its_type_until_it_becomes_text() -> None:
    assert scalar_of(7, "x") == 7
    assert scalar_of(7.0, "x") == 7
    assert scalar_of("7", "x") == "7"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "true"),
        (1.5, "a number with a fraction"),
        (float("inf"), "no number"),
        ([], "a list"),
        (["7"], "a list"),
        ({}, "an object"),
        ({"id": 7}, "an object"),
    ],
)
def test_other_json_names_nobody(value: object, kind: str) -> None:
    with pytest.raises(UnexpectedAnswer) as error:
        scalar_of(value, "owner.id")
    assert str(error.value) == f"`owner.id` found {kind} where one text or whole number is needed"


@pytest.mark.parametrize("value", ["a" * 501, "a\nb", "a\x00b", "a\u2028b"])
def test_a_text_that_is_no_name_of_anybody_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(UnexpectedAnswer) as error:
        scalar_of(value, "owner.id")
    assert value not in str(error.value)


@pytest.mark.parametrize(
    ("value", "holds"), [([], False), ({}, False), ([0], True), (1, True), ("no", True), (True, True)]
)
def test_a_condition_holds_if_something_was_found(value: object, holds: bool) -> None:
    assert Expression("@").holds(value) is holds


@pytest.mark.parametrize("look", [Expression.search, Expression.holds, Expression.fits])
@pytest.mark.parametrize("source", ["of[*].missing", "of[?id].missing", "of[].of[].missing"])
def test_going_through_a_long_list_ends_when_the_time_is_over(
    look: Callable[[Expression, object], object], source: str
) -> None:
    lane = Lane(spent=count().__next__)
    expression, data = Expression(source), {"of": [{"id": 7, "of": [7]}] * 100}
    with lane.turn(Deadline.after(0.0)), pytest.raises(SourceUnavailable, match="longer to read"):
        look(expression, data)
