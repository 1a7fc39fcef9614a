"""Templates: found wrong when loaded, harmless when rendered."""

import hashlib
import hmac
import re
from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from bridge.sdk import UnexpectedAnswer
from connectors.rest.templates.sandbox import FILTERS, OWN_FILTERS
from connectors.rest.templates.scope import known_names, scope
from connectors.rest.templates.template import DataTemplate, JsonTemplate, Template, TextTemplate

NAMES = {"caller.national", "caller.nsn", "caller.forms", "caller", "owner_id", "answer", "secrets"}
VALUES = {
    "caller": {"national": "0901234567", "nsn": "901234567", "forms": ["0901234567", "+84901234567"]},
    "owner_id": 7,
    "answer": {
        "text": "{{ 7*7 }}",
        "none": None,
        "yes": True,
        "list": ["a", 1],
        "object": {"a": 1},
        "items": "mine",
        "nan": float("nan"),
    },
    "secrets": {"key": "k"},
}


def rendered(source: str) -> str:
    return Template(source, NAMES).render(VALUES)


class Leaf(BaseModel):
    text: TextTemplate
    data: JsonTemplate = DataTemplate(None, set())
    further: Annotated[list[TextTemplate], "several"] = []


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("contacts/{{ caller.national }}", "contacts/0901234567"),
        ("{{ owner_id }}", "7"),
        ("{{ answer.yes }}", "true"),
        ("{{ caller.forms | join(',') }}", "0901234567,+84901234567"),
        ("{{ caller.forms[0][1:] }}", "901234567"),
        ("{% for form in caller.forms %}<{{ form }}>{% endfor %}", "<0901234567><+84901234567>"),
        ("{% if owner_id == 7 %}yes{% else %}no{% endif %}", "yes"),
        ("{{ 'a' ~ owner_id ~ 'b' }}", "a7b"),
        ("{{ answer.missing | default('none') }}", "none"),
        ("{{ answer.items }}", "mine"),
        ("<b>&'\"\n", "<b>&'\"\n"),
    ],
)
def test_a_template_puts_values_into_a_text(source: str, text: str) -> None:
    assert rendered(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ '0901' | interleave }}", "%0%9%0%1"),
        ("{{ '+84 90-1' | digits }}", "84901"),
        ("{{ 'a' | md5 }}", "0cc175b9c0f1b6a831c399e269772661"),
        ("{{ 'a' | sha256 }}", hashlib.sha256(b"a").hexdigest()),
        ("{{ 'a:ộ' | base64 }}", "YTrhu5k="),
        ("{{ 'a' | hmac_sha256(secrets.key) }}", hmac.new(b"k", b"a", "sha256").hexdigest()),
        ("""{{ 'say "ộ"' | json }}""", '"say \\"ộ\\""'),
    ],
)
def test_the_filters_do_what_their_documentation_says(source: str, text: str) -> None:
    assert rendered(source) == text


def test_every_filter_of_ours_is_documented() -> None:
    assert OWN_FILTERS.items() <= FILTERS.items()
    assert all(function.__doc__ for function in OWN_FILTERS.values())


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ caller.natonal }}", "'caller' has no 'natonal', did you mean 'national'?"),
        ("{{ caller['natonal'] }}", "'caller' has no 'natonal', did you mean 'national'?"),
        ("{{ caler.national }}", "'caler' is not known here, did you mean 'caller'?"),
        ("{{ xyz }}", "'xyz' is not known here"),
        ("{{ caller }}", "'caller' has several values, write for example 'caller.forms'"),
        ("{{ caller.__class__ }}", "'caller' has no '__class__'; it has forms, national, nsn"),
        ("{{ owner_id | bas64 }}", "there is no filter 'bas64', did you mean 'base64'?"),
        ("{% if owner_id is odd %}{% endif %}", "there is no test 'odd'; there are: "),
        ("{{ owner_id", "not a template: unexpected end of template"),
        ("{% if owner_id %}", "not a template: Unexpected end of template"),
        ("{% nonsense %}", "not a template: Encountered unknown tag 'nonsense'"),
        ("{{ range(10**9) }}", "a template cannot call functions; use a filter: "),
        ("{{ owner_id.bit_length() }}", "a template cannot call functions"),
        ("{{ 'a' * 1000000000 }}", "a template cannot contain 'mul'"),
        ("{{ '%999999999d' % 1 }}", "a template cannot contain 'mod'"),
        ("{{ 9 ** 99999999 }}", "a template cannot contain 'pow'"),
        ("{% include 'x' %}", "a template cannot contain 'include'"),
        ("{% macro m() %}{% endmacro %}", "a template cannot contain 'macro'"),
        ("{% set x %}{% endset %}", "a template cannot contain 'assignblock'"),
    ],
)
def test_what_is_wrong_with_a_template_is_told_when_it_is_loaded(source: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        Template(source, NAMES)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ answer.missing }}", "a value that it names is missing"),
        ("{{ answer.text.missing }}", "a value that it names is missing"),
        ("{{ answer['__class__'] }}", "a value that it names is missing"),
        ("{{ answer.text.upper }}", "a value that it names is missing"),
        ("{{ answer.none }}", "null cannot be put into a text"),
        ("x{{ answer.nan }}", "what is no number cannot be put into a text"),
        ("{{ answer.nan }}", "what is no number cannot be put into a text"),
        ("x{{ answer.list }}", "a list cannot be put into a text"),
        ("x{{ answer.object }}", "an object cannot be put into a text"),
        ("{{ owner_id + 'x' }}", "cannot be filled in"),
        ("{{ owner_id | md5 }}", "cannot be filled in"),
    ],
)
def test_what_goes_wrong_in_a_call_names_the_template_and_not_the_value(source: str, why: str) -> None:
    with pytest.raises(UnexpectedAnswer) as error:
        rendered(source)
    assert str(error.value) == f"template {source!r}: {why}"


def test_a_value_is_never_taken_for_a_template() -> None:
    assert rendered("{{ answer.text }}") == "{{ 7*7 }}"


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(UnexpectedAnswer):
        Template("{{ x }}", {"x"}).render({"x": "\ud800"})


def test_a_rendered_text_has_a_greatest_length() -> None:
    template = Template(
        "{% for a in x %}{% for b in x %}{% for c in x %}{{ a }}{% endfor %}{% endfor %}{% endfor %}", {"x"}
    )
    with pytest.raises(UnexpectedAnswer, match="longer than 65536"):
        template.render({"x": ["0123456789"] * 100})
    with pytest.raises(UnexpectedAnswer, match="longer than 65536"):
        Template("{{ x }}", {"x"}).value({"x": "a" * 70_000})


def test_a_single_placeholder_keeps_the_type_of_its_value() -> None:
    assert Template("{{ owner_id }}", NAMES).value(VALUES) == 7
    assert Template("{{ caller.forms }}", NAMES).value(VALUES) == ["0901234567", "+84901234567"]
    assert Template("{{ answer.none }}", NAMES).value(VALUES) is None
    assert Template(" {{ owner_id }}", NAMES).value(VALUES) == " 7"
    assert Template("plain", NAMES).value(VALUES) == "plain"
    with pytest.raises(UnexpectedAnswer, match="a value that it names is missing"):
        Template("{{ answer.missing }}", NAMES).value(VALUES)


def test_data_is_filled_in_leaf_by_leaf() -> None:
    data = DataTemplate(
        {"id": "{{ owner_id }}", "in": ["x{{ owner_id }}", 5, True, None, 1.5], "{{ key }}": "{}"}, NAMES
    )
    assert data.render(VALUES) == {"id": 7, "in": ["x7", 5, True, None, 1.5], "{{ key }}": "{}"}
    assert data.names == {"owner_id"}


def test_a_list_with_something_missing_in_it_is_no_value() -> None:
    with pytest.raises(UnexpectedAnswer, match="a value that it names is missing"):
        DataTemplate(["{{ [answer.missing] }}"], NAMES).render(VALUES)


@pytest.mark.parametrize("key", [1, True, None])
def test_keys_of_data_are_texts(key: object) -> None:
    with pytest.raises(ValidationError, match="keys are texts"):
        DataTemplate({"a": {key: "x"}}, NAMES)


def test_a_template_tells_which_names_it_uses() -> None:
    assert Template("{{ caller.nsn }}{{ owner_id }}", NAMES).names == {"caller", "caller.nsn", "owner_id"}
    assert Template("{% for f in caller.forms %}{{ f }}{% endfor %}", NAMES).names == {"caller", "caller.forms"}
    assert Template("x", NAMES).is_constant
    assert not Template("{{ owner_id }}", NAMES).is_constant


def test_scalars_of_the_yaml_are_texts_as_they_are_written() -> None:
    assert Leaf(text=5).text.render({}) == "5"
    assert Leaf(text=True).text.render({}) == "true"
    for wrong in (None, [], {}):
        with pytest.raises(ValidationError, match="write a text here"):
            Leaf(text=wrong)


def test_every_problem_is_located_at_its_leaf() -> None:
    with known_names({"a"}), pytest.raises(ValidationError) as error:
        Leaf(text="{{ b }}", data={"x": ["{{ a }}", {"y": "{{ c }}"}], "z": "{{"}, further=["ok", "{{ d }}"])
    found = {problem["loc"]: problem["msg"] for problem in error.value.errors()}
    assert set(found) == {("text",), ("data", "x", 1, "y"), ("data", "z"), ("further", 1)}
    assert found["data", "x", 1, "y"] == "'c' is not known here; there are: a"


def test_the_scope_grows_while_it_is_in_force_and_ends_with_its_block() -> None:
    with known_names({"a"}):
        with pytest.raises(ValidationError):
            Leaf(text="{{ b }}")
        scope().add("b")
        assert Leaf(text="{{ b }}").text.names == {"b"}
    with pytest.raises(ValidationError):
        Leaf(text="{{ a }}")


@pytest.mark.parametrize(
    "source",
    ["{caller.national}", "phone eq '{caller.nsn}'", "{ caller.e164 | urlencode }", "{form}", "x{secrets.key}y"],
)
def test_a_placeholder_in_single_braces_is_told_to_need_two(source):
    with pytest.raises(ValueError, match=r"would be sent as it stands: write \{\{.*\}\}"):
        Template(source, {"caller.national", "caller.nsn", "caller.e164", "form", "secrets.key"})


@pytest.mark.parametrize(
    "source",
    ['query { people(phone: {eq: "{{ caller.national }}"}) { form page } }', "{other.field}", "{x} {form}", "a{}b"],
)
def test_braces_of_another_language_are_left_alone(source):
    Template(source, {"caller.national", "form", "page"})
