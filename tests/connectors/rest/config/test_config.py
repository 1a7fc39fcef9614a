"""The rest connector's settings: every mistake is told when they are loaded, where it stands."""

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from bridge.sdk.http import Tls
from connectors.rest.auth.choices import BearerAuth
from connectors.rest.auth.login import LoginRequest
from connectors.rest.auth.oauth import RefreshToken
from connectors.rest.config.config import RestConfig
from connectors.rest.config.steps import Step
from tests.support.models import models_of

BASE = "base_url: https://crm.example\n"
LISTED = "steps: []\nlist: [{match: p, take: {name: n}}]"
ONLY = "steps: []\nsnapshot: {every: 1h, only: true}\nlist: [{match: p"


def problems(text: str) -> dict[str, str]:
    """Return what is wrong by its dotted place, without the names of unions' members."""
    data = yaml.safe_load(text)
    try:
        RestConfig.model_validate(data)
    except ValidationError as error:
        return {_place(data, problem["loc"]): problem["msg"] for problem in error.errors()}
    return {}


def _place(data: object, location: tuple[int | str, ...]) -> str:
    parts = []
    for part in location:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            data = data[part]
            parts.append(str(part))
    return ".".join(parts)


def step(text: str) -> str:
    """Return settings with one step, right but for `text`."""
    return f"{BASE}steps: [{{{text}}}]"


@pytest.mark.parametrize(
    "text",
    [
        step("take: {owner_id: id}, match: p"),
        step("path: contacts, query: {a: 1, b: true, c: [x, 2], d: {json: [a, {b: c}]}}, match: p, take: {email: e}"),
        step("path: a, form: {x: y}, match: p, take: {name: n}"),
        step("path: 429, match: p, take: {name: n}"),
        step("take: {owner_id: id}, match: [Exact]"),
        step('path: "x/{{ form }}", forms: national, match: exact, take: {login: l}'),
        step("""path: "{{ settings.a }}/{{ secrets.b }}", match: p, take: {owner_id: "id || ''"}""")
        + "\nsettings: {a: x}\nsecrets: {b: y}",
        step('path: "é b/{{ caller.nsn }}/", match: [a, "b[].c"], take: {owner_id: id}'),
        f"{BASE}{ONLY}, take: {{owner_id: o}}}}]\nusers: {{path: u, take: {{owner_id: i}}}}",
    ],
)
def test_these_settings_are_right(text: str) -> None:
    assert problems(text) == {}


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        (f"{BASE}steps: []", "steps", "needs at least one step, or 'list' for a CRM that has no search by number"),
        (
            f"{BASE}{LISTED}",
            "steps",
            "without steps nobody is asked when a call comes: write snapshot: {every: 1h, only",
        ),
        (f"{BASE}{LISTED}\nsnapshot: {{every: 1h}}", "steps", "without steps nobody is asked"),
        (f"{BASE}{ONLY}, take: {{xx: y}}}}]", "", "no step takes an owner"),
        (
            f"{BASE}{ONLY}, take: {{name: n}}}}]\nusers: {{path: u, take: {{owner_id: i}}}}",
            "users",
            "no step takes an owner_id",
        ),
        (BASE, "", "Field required"),
        (step("path: a"), "", "no step takes an owner"),
        (step("take: {customer: id}"), "", "no step takes an owner"),
        (step("take: {emial: mail}"), "steps.0.take.emial", "no later step uses 'emial', did you mean 'email'?"),
        (step("take: {owner: id}"), "steps.0.take.owner", "did you mean 'owner_id'?"),
        (step("take: {name: n, emial: mail}"), "steps.0.take.emial", "did you mean 'email'?"),
        (step("take: {name: n, xx: y}"), "steps.0.take.xx", "no later step uses 'xx'; an owner has owner_id, email"),
        (step("take: {owner_id: id}, match: Exact"), "steps.0.match", "did you mean 'exact'?"),
        (step("take: {owner_id: id}, once: 'yes'"), "steps.0.once", "has to be true or false"),
        (step("take: {owner_id: id}, once: 1"), "steps.0.once", "has to be true or false"),
        (step("take: {owner_id: id}") + "\ntls: {verify: 'no'}", "tls.verify", "has to be true or false"),
        (
            step("take: {owner_id: id}") + "\nauth: {type: login, request: {path: a}, take: {a: b}, cookies: 'on'}",
            "auth.cookies",
            "has to be true or false",
        ),
        (
            step("take: {owner_id: id}, path: '{{ secrets.key }}'"),
            "steps.0.path",
            "'secrets' is not known here: add 'secrets:' with this name to the connector",
        ),
        (step("take: {owner_id: 'a['}"), "steps.0.take.owner_id", "not a JMESPath expression"),
        (step("take: {owner_id: id}, records: 'a b'"), "steps.0.records", "not a JMESPath expression"),
        (step("take: {owner_id: id}, where: a == true"), "steps.0.where", "true means a field"),
        (step("take: {owner_id: id, 'a b': x}"), "steps.0.take.a b", "a name has letters, digits and _"),
        (step("take: {owner_id: id, caller: x}"), "steps.0.take.caller", "'caller' has a meaning of its own"),
        (step("take: {owner_id: id}, recrods: a"), "steps.0.recrods", "Extra inputs are not permitted"),
        (step("take: {owner_id: id}, path: '{{ caler.nsn }}'"), "steps.0.path", "did you mean 'caller'?"),
        (step("take: {owner_id: id}, path: '{{ caller.nns }}'"), "steps.0.path", "did you mean 'nsn'?"),
        (step("take: {owner_id: id}, path: '{{ owner_id }}'"), "steps.0.path", "'owner_id' is not known here"),
        (step("take: {owner_id: id}, path: '{{ settings.x }}'"), "steps.0.path", "add 'settings:' with this name to"),
        (step("take: {owner_id: id}, path: '{{ login.x }}'"), "steps.0.path", "'login' is not known here"),
        (step("take: {owner_id: id}, path: '{{ all.x }}'"), "steps.0.path", "'all' is not known here"),
        (step("take: {owner_id: id}, path: '{{'"), "steps.0.path", "not a template"),
        (step("take: {owner_id: id}, path: 'https://other.example/x'"), "steps.0.path", "cannot name a host"),
        (step("take: {owner_id: id}, path: '//other.example/x'"), "steps.0.path", "cannot name a host"),
        (step("take: {owner_id: id}, path: 'a?b=c'"), "steps.0.path", "parameters stand under 'query'"),
        (step("take: {owner_id: id}, path: 'a/../b'"), "steps.0.path", "cannot contain '.' or '..'"),
        (step("take: {owner_id: id}, path: 'a/%2e%2E/b'"), "steps.0.path", "cannot contain '.' or '..'"),
        (step("take: {owner_id: id}, path: [5]"), "steps.0.path", "write a path here"),
        (step("take: {owner_id: id}, path: true"), "steps.0.path", "write a path here"),
        (step("take: {owner_id: id}, query: {a: null}"), "steps.0.query.a", "write a text, a list of texts"),
        (step("take: {owner_id: id}, query: {a: {b: c}}"), "steps.0.query.a", "write a text, a list of texts"),
        (step("take: {owner_id: id}, query: {a: [[b]]}"), "steps.0.query.a", "write a text, a list of texts"),
        (step("take: {owner_id: id}, query: {a: [b, '{{ x }}']}"), "steps.0.query.a.1", "'x' is not known here"),
        (step("take: {owner_id: id}, json: {a: {b: ['{{ x }}']}}"), "steps.0.json.a.b.0", "'x' is not known here"),
        (step("take: {owner_id: id}, form: {a: '{{ x }}'}"), "steps.0.form.a", "'x' is not known here"),
        (step("take: {owner_id: id}, headers: {A: '{{ x }}'}"), "steps.0.headers.A", "'x' is not known here"),
        (step("take: {owner_id: id}, headers: {'A B': x}"), "steps.0.headers.A B", "not a header's name"),
        (step("take: {owner_id: id}, headers: {host: x}"), "steps.0.headers.host", "set by the bridge itself"),
        (step("take: {owner_id: id}, json: {}, form: {}"), "steps.0", "one body: 'json', 'form' or 'body'"),
        (step("take: {owner_id: id}, json: {}, method: GET"), "steps.0", "a GET request has no body"),
        (step("take: {owner_id: id}, method: DELETE"), "steps.0.method", "'GET' or 'POST'"),
        (step("take: {owner_id: id}, forms: [national]"), "steps.0.forms", "does not use {{ form }}"),
        (step("take: {owner_id: id}, forms: [], path: '{{ form }}', match: exact"), "steps.0.forms", "at least 1 item"),
        (step("take: {owner_id: id}, forms: [natl], path: '{{ form }}', match: a"), "steps.0.forms.0", "'national'"),
        (step("take: {owner_id: id}, path: '{{ form }}', match: exact"), "steps.0", "{{ form }} needs 'forms'"),
        (step("take: {owner_id: id}, for_each: {x: [a]}"), "steps.0.for_each", "does not use {{ x }}"),
        (step("take: {owner_id: id}, for_each: {x: []}, path: '{{ x }}'"), "steps.0.for_each.x", "at least 1 item"),
        (step("take: {owner_id: id}, path: '{{ caller.nsn }}'"), "steps.0", "needs 'match'"),
        (step("take: {owner_id: id}, match: []"), "steps.0.match", "at least 1 item"),
        (step("take: {owner_id: id}, match: [a, 'b[']"), "steps.0.match.1", "not a JMESPath expression"),
        (step("take: {owner_id: id}, full_page: 50"), "steps.0.full_page", "needs 'match' with phone fields"),
        (step("take: {owner_id: id}, full_page: 50, match: exact"), "steps.0.full_page", "every record counts"),
        (step("take: {owner_id: id}, full_page: 0, match: a"), "steps.0.full_page", "greater than or equal to 1"),
        (
            step("take: {owner_id: id}, full_page: 9, match: a, query: {p: '{{ page }}'}, pages: {next: n}"),
            "steps.0.full_page",
            "with 'pages' all records come",
        ),
        (step("take: {owner_id: id}, nobody_status: [99]"), "steps.0.nobody_status.0", "greater than or equal to 200"),
        (step("take: {owner_id: id}") + "\nmax_requests: 0", "max_requests", "greater than or equal to 1"),
        (step("take: {owner_id: id}") + "\nheaders: {X: '{{ x }}'}", "headers.X", "'x' is not known here"),
        (step("take: {owner_id: id}") + "\nsettings: {a: ''}", "settings.a", "at least 1 character"),
        (step("take: {owner_id: id}") + "\nregion: vn", "region", "two capital letters"),
    ],
)
def test_a_mistake_is_told_where_it_stands(text: str, place: str, problem: str) -> None:
    found = problems(text)
    assert list(found) == [place]
    assert problem in found[place]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("crm.example", "write https://HOST/PATH"),
        ("ftp://crm.example", "write https://HOST/PATH"),
        ("https://", "write https://HOST/PATH"),
        ("https://crm.example:x/", "write https://HOST/PATH"),
        ("https://u:planted@crm.example/", "credentials do not stand in the address"),
        ("https://crm.example/?key=planted", "no '?' and no '#'"),
        ("https://{{ caller.nsn }}.example/", "placeholders"),
        ("https://crm.example/a b", "without blanks"),
    ],
)
def test_an_address_that_cannot_be_asked_is_told_without_repeating_it(url: str, problem: str) -> None:
    found = problems(f"base_url: '{url}'\nsteps: [{{take: {{owner_id: id}}}}]")
    assert list(found) == ["base_url"]
    assert problem in found["base_url"]
    assert "planted" not in str(found)


def test_names_are_known_from_the_step_behind_the_one_that_takes_them() -> None:
    text = (
        BASE
        + "steps: [{match: p, take: {a: x}}, {path: '{{ a }}', take: {owner_id: y}}, {path: '{{ owner_id }}{{ a }}'}]"
    )
    assert problems(text) == {}
    assert problems(text.replace("{{ owner_id }}", "{{ ownerid }}")) == {
        "steps.2.path": "Value error, 'ownerid' is not known here, did you mean 'owner_id'?"
    }


def test_a_mistake_in_a_value_does_not_make_its_name_unknown_to_later_steps() -> None:
    text = BASE + "steps: [{take: {a: 'x['}}, {path: '{{ a }}', take: {owner_id: y}}]"
    assert list(problems(text)) == ["steps.0.take.a"]


def test_behind_a_step_that_runs_once_only_its_own_names_are_known() -> None:
    once = "{once: true, path: b, query: {id: '{{ all.a }}'}, take: {b: y}}"
    text = f"{BASE}steps: [{{match: p, take: {{a: x}}}}, {once}, {{path: '{{{{ Z }}}}', take: {{email: e}}}}]"
    assert problems(text.replace("Z", "b")) == {}
    assert "'a' is not known here" in problems(text.replace("Z", "a"))["steps.2.path"]
    assert "'all' is not known here" in problems(text.replace("Z", "all.a"))["steps.2.path"]
    assert "'a' is not known here" in problems(text.replace("all.a", "a").replace("Z", "b"))["steps.1.query.id"]


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        ("{path: contacts, take: {owner_id: id}}", "steps.0"),
        ("{path: contacts, match: exact, take: {owner_id: id}}", "steps.0"),
        ("{path: '{{ hotline.nsn }}', take: {owner_id: id}}", "steps.0"),
        ("{match: p, take: {owner_id: id}}, {start: also, path: a, take: {owner_id: id}}", "steps.1"),
        ("{match: p, take: {owner_id: id}}, {start: otherwise, path: a, match: exact, take: {owner_id: i}}", "steps.1"),
        ("{match: p, take: {owner_id: id}}, {path: users, take: {email: mail}}", "steps.1"),
        ("{match: p, take: {login: id}}, {path: users, once: true, take: {email: mail}}", "steps.1"),
    ],
)
def test_a_request_that_would_give_everybody_the_same_owners_is_refused(steps: str, place: str) -> None:
    found = problems(f"{BASE}steps: [{steps}]")
    assert list(found) == [place]
    assert "everybody" in found[place]


@pytest.mark.parametrize(
    "text",
    [
        "steps: [{path: '{{ caller.national }}', match: exact, take: {owner_id: id}}]",
        "headers: {X-Caller: '{{ caller.e164 }}'}\nsteps: [{path: a, match: exact, take: {owner_id: id}}]",
        "steps: [{match: p, take: {owner_id: id}}, {path: '{{ caller.nsn }}', match: q, take: {name: n}}]",
        "steps: [{match: p, take: {owner_id: id}}, {path: u, match: mobile, take: {name: n}}]",
    ],
)
def test_a_request_that_tells_callers_apart_is_not_refused(text: str) -> None:
    assert problems(BASE + text) == {}


def test_the_one_value_of_a_row_is_not_there_in_a_step_that_runs_once() -> None:
    once = "{once: true, path: b, query: {id: '{{ owner_id }}'}, take: {email: e}}"
    for text in (once, once.replace("once: true", "once: 'true'")):
        found = problems(f"{BASE}steps: [{{take: {{owner_id: x}}}}, {text}]")
        assert list(found) == ["steps.1.query.id"]
        assert found["steps.1.query.id"].endswith("with once write {{ all.owner_id }}")


def test_a_name_that_only_a_step_for_all_rows_uses_is_used() -> None:
    once = "{once: true, path: b, query: {id: '{{ all.a }}'}, take: {email: e}}"
    assert problems(f"{BASE}steps: [{{match: p, take: {{a: x}}}}, {once}]") == {}


def test_what_a_step_that_runs_once_would_forget_has_to_be_taken_again() -> None:
    text = (
        BASE + "steps: [{take: {owner_id: x}}, {once: true, path: b, query: {id: '{{ all.owner_id }}'}, take: {b: y}}]"
    )
    assert "has to take the owner again" in problems(text)[""]


def test_the_values_of_a_login_are_known_to_the_steps() -> None:
    text = step("take: {owner_id: id}, match: p, path: '{{ login.uid }}'")
    login = "\nauth: {type: login, request: {path: in, json: {p: '{{ secrets.p }}'}}, take: {uid: result}}"
    login += "\nsecrets: {p: x}"
    assert problems(text + login) == {}
    assert "did you mean 'uid'?" in problems(text.replace("login.uid", "login.udi") + login)["steps.0.path"]
    assert list(problems(text + login.replace("secrets.p", "caller.nsn"))) == ["auth.request.json.p"]


def test_the_fields_are_documented_and_have_a_schema() -> None:
    models: list[type[BaseModel]] = list(models_of(RestConfig))
    assert {RestConfig, Step, LoginRequest, Tls, BearerAuth, RefreshToken} <= set(models)
    undocumented = [name for model in models for name, field in model.model_fields.items() if not field.description]
    assert undocumented == []
    schema = RestConfig.model_json_schema()
    assert "json" in schema["$defs"]["Step"]["properties"]


def test_nothing_of_the_settings_shows_a_secret() -> None:
    config = RestConfig.model_validate(
        yaml.safe_load(step("take: {owner_id: id}, match: p") + "\nsecrets: {a: planted}")
    )
    assert "planted" not in repr(config)
    assert config.revealed_secrets() == {"a": "planted"}
