import pytest
from pydantic import SecretStr, ValidationError

from bridge.config.identity import identity_of
from bridge.config.loading import load_config
from bridge.sdk import secrets_in
from bridge.sdk.errors import ConfigError
from connectors import presets
from connectors.presets.connector import preset_connector
from connectors.presets.preset import Preset, read_preset
from connectors.rest.connector import RestConnector

FILE = """
name: Any CRM
proven: unverified
needs:
  url: {help: Its address., example: "https://crm.example", address: true}
  key: {help: Its key., example: "${KEY}", secret: true}
  team: {help: A team., example: sales, default: all}
connector:
  base_url: ${url}/api
  auth: {type: bearer, token: "${key}"}
  settings: {team: "${team}"}
  timeout: 3s
  steps:
    - path: people
      query: {team: "{{ settings.team }}"}
      match: phone
      take: {owner_id: id}
"""
GIVEN = {"url": "https://crm.example/", "key": "planted"}


@pytest.fixture
def write(tmp_path):
    def written(text=FILE):
        (tmp_path / "any.yaml").write_text(text, encoding="utf-8")
        return read_preset(tmp_path / "any.yaml")

    return written


@pytest.fixture
def config(write):
    return preset_connector("any", write()).Config


def test_a_preset_is_a_rest_connector_with_its_needs_filled_in(write):
    connector = preset_connector("any", write())
    assert issubclass(connector, RestConnector)
    found = connector.Config.model_validate(GIVEN)
    assert (found.base_url, found.timeout, found.settings) == ("https://crm.example/api", 3.0, {"team": "all"})
    assert found.auth.token == SecretStr("planted")
    assert connector.__doc__ == "Finds owners in Any CRM; not verified by anything."


def test_a_secret_is_known_as_one_and_shown_nowhere(config):
    found = config.model_validate(GIVEN)
    assert set(secrets_in(found)) == {"planted"}
    assert "planted" not in repr(found)


def test_a_need_with_a_default_may_be_written(config):
    assert config.model_validate({**GIVEN, "team": "north"}).settings == {"team": "north"}


def test_a_default_may_name_a_need_before_it(write):
    text = FILE.replace("default: all", 'default: "at ${url}"')
    config = preset_connector("any", write(text)).Config
    assert config.model_validate(GIVEN).settings == {"team": "at https://crm.example"}


def test_a_number_is_taken_for_the_text_that_was_written(config):
    assert config.model_validate({**GIVEN, "team": 7}).settings == {"team": "7"}


def test_what_an_admin_writes_counts_key_by_key(config):
    found = config.model_validate({**GIVEN, "timeout": "4s", "settings": {"more": "x"}, "auth": {"prefix": "Token"}})
    assert (found.timeout, found.settings) == (4.0, {"team": "all", "more": "x"})
    assert (found.auth.prefix, found.auth.token.get_secret_value()) == ("Token", "planted")


def test_a_list_and_a_mapping_of_another_type_count_as_a_whole(config):
    auth = {"type": "query", "name": "k", "value": "v"}
    steps = [{"path": "x", "match": "phone", "take": {"email": "mail"}}]
    found = config.model_validate({**GIVEN, "auth": auth, "steps": steps})
    assert found.auth.model_dump() == {"type": "query", "name": "k", "value": SecretStr("v")}
    assert [step.path.source for step in found.steps] == ["x"]


def test_no_value_becomes_a_template(config):
    found = config.model_validate({**GIVEN, "key": "k{{ caller.e164 }}"})
    assert found.auth.token.get_secret_value() == "k{{ caller.e164 }}"


def complaints(config, **written):
    with pytest.raises(ValidationError) as caught:
        config.model_validate({**GIVEN, **written})
    assert "planted" not in str(caught.value)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def test_what_is_wrong_with_a_need_is_told_once_and_at_the_need(config):
    (one,) = complaints(config, url="crm.example")
    assert one == (("url",), "Value error, not an address: write https://HOST/PATH")


def test_what_is_wrong_with_a_need_only_where_it_is_used_is_told_at_the_need_too(config):
    (one,) = complaints(config, key="schlüssel")
    assert one == (("key",), "holds a character that no header can carry, such as an accent or a curly quotation mark")


def test_an_address_without_a_path_is_told_what_to_do_with_its_path(write):
    text = FILE.replace("address: true}", "address: true, no_path: 'the secret is `key`'}")
    made = preset_connector("any", write(text)).Config
    assert made.model_validate(GIVEN).base_url == "https://crm.example/api"
    (one,) = complaints(made, url="https://crm.example/rest/1/planted/")
    assert one == (("url",), "Value error, only https://HOST belongs here: the secret is `key`")
    (one,) = complaints(made, url="https://crm.example/stream/")
    assert one == (("url",), "Value error, only https://HOST belongs here: leave out /stream and what follows")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://crm.example/login", "only the beginning of it belongs here: leave out /login and what follows"),
        ("https://crm.example/desk/planted", "only the beginning of it belongs here: leave out /desk and what follows"),
        ("https://crm.example/API/v1", "only the beginning of it belongs here: leave out /API and what follows"),
        ("https://crm.example/?id=planted", "is the address of a page: leave out what stands from '?' or '#' on"),
        ("https://crm.example#planted", "is the address of a page: leave out what stands from '?' or '#' on"),
    ],
)
def test_an_address_copied_from_the_browser_is_told_what_to_leave_out(write, url, told):
    made = preset_connector("any", write(FILE.replace("address: true}", "address: true, pages: [desk]}"))).Config
    assert complaints(made, url=url) == [(("url",), f"Value error, {told}")]


@pytest.mark.parametrize("url", ["https://crm.example/crm", "https://api.example/v1/api", "http://[::1]:8069/desk1/"])
def test_an_address_may_have_a_path_of_its_own(write, url):
    made = preset_connector("any", write(FILE.replace("address: true}", "address: true, pages: [desk]}"))).Config
    assert made.model_validate({**GIVEN, "url": url}).base_url == f"{url.rstrip('/')}/api"


def test_a_secret_that_is_a_whole_address_is_told_so_without_being_shown(config):
    (one,) = complaints(config, key="https://crm.example/rest/1/planted/")
    assert one == (("key",), "Value error, is a whole address: only a part of it belongs here: Its key.")


def test_a_need_may_have_a_form(write):
    made = preset_connector("any", write(FILE.replace("default: all", "default: all, form: '[a-z]+'"))).Config
    assert made.model_validate({**GIVEN, "team": "sales"}).settings == {"team": "sales"}
    assert complaints(made, team="Our Team") == [(("team",), "Value error, does not look like sales: A team.")]


def test_a_need_may_be_one_of_few(write):
    made = preset_connector("any", write(FILE.replace("default: all", "default: all, choices: [all, sales]"))).Config
    assert made.model_validate({**GIVEN, "team": "sales"}).settings == {"team": "sales"}
    (one,) = complaints(made, team="seles")
    assert one == (("team",), "Input should be 'all' or 'sales'")
    assert made.model_json_schema()["properties"]["team"]["enum"] == ["all", "sales"]


def test_what_does_not_go_with_the_preset_is_told_of_the_connector_as_a_whole(config):
    place, message = complaints(config, settings=None)[-1]
    assert place == ()
    assert message.startswith("what the type itself says under steps.0.query.team does not go with what is written")


def test_what_is_wrong_with_what_an_admin_wrote_is_told_there(config):
    assert complaints(config, steps=[{"path": "x", "take": {"email": "a b"}}])[0][0] == ("steps", 0, "take", "email")


def test_editors_ask_for_the_needs_and_for_nothing_that_the_preset_gives(config):
    schema = config.model_json_schema()
    assert schema["required"] == ["url", "key"]
    assert schema["properties"]["auth"]["type"] == "object"
    assert "required" not in schema["properties"]["auth"]


@pytest.mark.parametrize(
    ("instead", "of", "told"),
    [
        ("proven: hearsay", "proven: unverified", "proven"),
        ("provenance: x", "proven: unverified", "provenance"),
        ("${tema}", "${team}", "differ: team, tema"),
        ("sales", "${team}", "differ: team"),
        ('"${team}"', '"{{ settings.team }}"', "steps.0.query.team is a template"),
        ('"${key}"', '"${team}"', "settings.team is shown to people"),
        ("${url}/${key}", "${url}/api", "base_url is shown to people"),
        ("help: ''", "help: A team.", "at least 1 character"),
        ("{type: login, request: {path: x, form: {k: '${key}'}}}", '{type: bearer, token: "${key}"}', "is a template"),
    ],
)
def test_a_preset_that_is_wrong_is_told_so(write, instead, of, told):
    assert of in FILE
    with pytest.raises(ValueError, match=told):
        write(FILE.replace(of, instead, 1))


def test_a_need_is_not_called_like_a_key_of_rest(write):
    with pytest.raises(ValueError, match="timeout"):
        preset_connector("any", write(FILE.replace("team:", "timeout:", 1).replace("${team}", "${timeout}")))


def test_there_is_no_preset_but_for_those_with_a_file():
    assert presets.espocrm is presets.espocrm
    assert not hasattr(presets, "nothing")
    assert not hasattr(presets, "presets/espocrm")


def test_another_secret_is_another_source(tmp_path):
    def identity(key, **more):
        written = {"type": "espocrm", "url": "https://espo.example", "key": key, **more}
        file = tmp_path / "config.yaml"
        file.write_text(f"api_keys: [change-me]\nconnectors:\n  crm: {written}\n", encoding="utf-8")
        loaded = load_config(file, {})
        return identity_of(loaded.sources["crm"], loaded)

    assert identity("one") == identity("one", timeout="3s") != identity("two")


def test_two_presets_are_two_sources(tmp_path):
    assert presets.espocrm.__qualname__ != presets.odoo.__qualname__
    assert presets.espocrm.__module__ == "connectors.presets"
    (tmp_path / "config.yaml").write_text(
        "api_keys: [change-me]\nconnectors: {crm: {type: espocrm}}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"connectors\.crm\.key: is missing"):
        load_config(tmp_path / "config.yaml", {})


def test_a_preset_holds_nothing_but_what_it_says():
    with pytest.raises(ValidationError, match="connector"):
        Preset.model_validate({"name": "x", "proven": "unverified", "needs": {}})
