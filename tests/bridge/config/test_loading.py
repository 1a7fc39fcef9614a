import pytest

from bridge.config import loading, plugins
from bridge.config.loading import load_config
from bridge.sdk.errors import ConfigError
from bridge.sdk.phone.number import PhoneNumber
from tests.support.fakes import FakeConnector

SMALLEST = "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n"


def load(folder, text, **environment):
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file, environment)


def keys(config):
    return [key.get_secret_value() for key in config.settings.api_keys]


def test_the_smallest_configuration_works(tmp_path):
    config = load(tmp_path, SMALLEST)
    assert keys(config) == ["change-me"]
    assert config.sources["customers"].config.path == tmp_path / "customers.csv"
    assert config.settings.server.deadline == 1.8
    assert [(route.hotlines, route.connectors) for route in config.routes] == [(frozenset(), ("customers",))]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    assert keys(load(tmp_path, "\ufeff" + SMALLEST.replace("\n", "\r\n"))) == ["change-me"]


def test_numbers_keep_the_form_in_which_they_were_written(tmp_path):
    config = load(tmp_path, SMALLEST.replace("change-me", "0101, 12, 1.50, 1e5") + "extensions: {inline: {7: 0102}}\n")
    assert keys(config) == ["0101", "12", "1.50", "1e5"]
    assert config.settings.extensions.inline == {"7": ["0102"]}


def test_texts_that_old_yaml_takes_for_something_else_stay_texts(tmp_path):
    config = load(tmp_path, SMALLEST.replace("change-me", "no, on, 101:10, 2026-11-23, 0o17"))
    assert keys(config) == ["no", "on", "101:10", "2026-11-23", "0o17"]


def test_an_owner_may_have_one_extension_or_several(tmp_path):
    config = load(tmp_path, SMALLEST + "extensions:\n  inline:\n    lan@congty.example: 101\n    minh: [102, 103]\n")
    assert config.settings.extensions.inline == {"lan@congty.example": ["101"], "minh": ["102", "103"]}


def test_references_are_filled_in_anywhere_inside_a_text(tmp_path):
    (tmp_path / "secret").write_text("from-file\r\n", encoding="utf-8")
    text = SMALLEST.replace(
        "[change-me]", '["a-${NAME}-b", "${EMPTY:-fallback}", "${NO_SUCH:-x:-y}", "${file:secret}", "$${NAME}", "$$5"]'
    )
    expected = ["a-value-b", "fallback", "x:-y", "from-file", "${NAME}", "$$5"]
    assert keys(load(tmp_path, text, NAME="value", EMPTY="")) == expected


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('"${KEY}"', "(the value comes from $KEY)"),
        ('"${KEY:-hunter2}"', "(the value comes from $KEY)"),
        ('"a${KEY}${file:key}"', "(the value comes from $KEY and the file key)"),
        ('"${file:key}"', "(the value comes from the file key)"),
    ],
)
def test_whoever_reads_of_a_wrong_value_is_told_where_it_comes_from(tmp_path, written, told):
    (tmp_path / "key").write_text("hunter2 hunter2\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, SMALLEST.replace("change-me", written), KEY="hunter2 ")
    assert str(caught.value).endswith(told)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("quoted", ['"hunter2"', "'hunter2'"])
def test_quotes_that_came_along_with_a_secret_are_told(tmp_path, quoted):
    problem = "the environment variable CRM_TOKEN holds quotes around the secret"
    with pytest.raises(ConfigError, match=problem):
        load(tmp_path, SMALLEST.replace("change-me", '"${CRM_TOKEN}"'), CRM_TOKEN=quoted)


@pytest.mark.parametrize("secret", ["QWxhZGRpbg==", "a=b", "'s Gravenhage", "KEY==", "Xy9_=k"])
def test_a_secret_may_look_a_little_like_an_assignment(tmp_path, secret):
    text = SMALLEST.replace("path: customers.csv", 'path: "${CRM_TOKEN}"')
    assert load(tmp_path, text, CRM_TOKEN=secret).sources["customers"].config.path.name == secret


def test_what_was_filled_in_is_not_filled_in_again(tmp_path):
    assert keys(load(tmp_path, SMALLEST.replace("change-me", '"${NAME}"'), NAME="${OTHER}")) == ["${OTHER}"]


def test_a_reference_may_stand_for_a_number(tmp_path):
    config = load(tmp_path, SMALLEST + 'server: {threads: "${THREADS:-12}", deadline: "${D}"}\n', D="900ms")
    assert (config.settings.server.threads, config.settings.server.deadline) == (12, 0.9)


def test_secrets_are_known_wherever_they_come_from(tmp_path):
    (tmp_path / "secret").write_text("file-secret\n", encoding="utf-8")
    connector = (
        "connectors: {crm: {type: rest, base_url: 'https://x.example/${HOOK_TOKEN}', auth: {type: bearer, token: b}"
    )
    step = ", steps: [{path: '${file:secret}/${PLAIN}', match: [phone], take: {owner_id: id}}]}}\n"
    config = load(tmp_path, "api_keys: [k1]\n" + connector + step, HOOK_TOKEN="hook", PLAIN="contacts")
    assert config.secrets == {"k1", "b", "hook", "file-secret"}


def test_hotlines_are_read_in_any_spelling(tmp_path):
    config = load(
        tmp_path, SMALLEST + 'routes:\n  - {hotlines: [1900 1234, "+84 24 9995 0291"], connectors: customers}\n'
    )
    assert config.routes[0].hotlines == {PhoneNumber("+8419001234"), PhoneNumber("+842499950291")}


def test_a_connector_of_a_stranger_is_named_by_module_and_class(tmp_path):
    text = "api_keys: [change-me]\nconnectors:\n  mine: {type: 'tests.support.fakes:FakeConnector', timeout: 3s}\n"
    source = load(tmp_path, text).sources["mine"]
    assert (source.connector, source.config.timeout) == (FakeConnector, 3.0)


def test_a_model_of_a_stranger_is_as_strict_as_our_own(tmp_path):
    text = "api_keys: [change-me]\nconnectors:\n  mine: {type: 'tests.support.fakes:FakeConnector', time: 3s}\n"
    with pytest.raises(
        ConfigError, match=r"config\.yaml:3:53: connectors\.mine\.time: unknown key, did you mean 'timeout'"
    ):
        load(tmp_path, text)


def test_a_connector_may_be_one_file_beside_the_configuration(tmp_path):
    (tmp_path / "our_crm.py").write_text("from tests.support.fakes import FakeConnector as OurCrm\n", encoding="utf-8")
    text = "api_keys: [change-me]\nconnectors:\n  mine: {type: 'our_crm:OurCrm'}\n"
    assert load(tmp_path, text).sources["mine"].connector is FakeConnector


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("BuggyValidator", ", url: x", "KeyError in bad_connectors.py:17: 'x'"),
        ("Timeless", "", "TypeError in loading.py"),
        ("InitFails", "", "ValueError in bad_connectors.py:"),
        ("InitExits", "", "SystemExit in bad_connectors.py:"),
        ("InitForgetsSuper", "", "has to call super().__init__(config)"),
    ],
)
def test_a_stranger_s_bug_is_a_problem_of_his_line(tmp_path, name, settings, message):
    text = f"api_keys: [change-me]\nconnectors:\n  mine: {{type: 'tests.support.bad_connectors:{name}'{settings}}}\n"
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert "config.yaml:3:16: connectors.mine.type: connector type" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("module", "code", "message"),
    [
        ("divides", "1 / 0", "ZeroDivisionError in divides.py:2: division by zero"),
        ("exits", "import sys; sys.exit(4)", "SystemExit in exits.py:2: 4"),
        ("lacks", "import no_such_library", "ModuleNotFoundError in lacks.py:2"),
    ],
)
def test_a_module_that_cannot_be_imported_is_a_problem_of_its_line(tmp_path, module, code, message):
    (tmp_path / f"{module}.py").write_text(f"# a connector\n{code}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.yaml:3:16: connectors\.mine\.type: ") as caught:
        load(tmp_path, "api_keys: [change-me]\nconnectors:\n  mine: {type: '" + module + ":Connector'}\n")
    assert message in str(caught.value)


def test_overrides_count_instead_of_what_is_written(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(SMALLEST + "server: {threads: 8}\n", encoding="utf-8")
    server = load_config(file, {}, {"threads": 16, "bind": "127.0.0.1:1"}).settings.server
    assert (server.threads, server.bind) == (16, "127.0.0.1:1")


def test_a_secret_that_was_filled_in_is_not_repeated_in_a_complaint(tmp_path):
    text = SMALLEST + '"${HOOK_TOKEN}": 1\n' + "routes: [{connectors: ['${HOOK_TOKEN}x']}]\n"
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text.replace("customers:", "'${HOOK_TOKEN}':"), HOOK_TOKEN="planted-4711")
    assert str(caught.value).count("•••") >= 2
    assert "planted" not in str(caught.value)


def test_a_module_that_waits_while_it_is_imported_is_a_problem_of_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(plugins, "_IMPORT_PATIENCE", 0.2)
    (tmp_path / "waiting_import.py").write_text("import time\n\ntime.sleep(3)\n", encoding="utf-8")
    text = "api_keys: [change-me]\nconnectors:\n  mine: {type: 'waiting_import:Connector'}\n"
    with pytest.raises(ConfigError, match=r"config\.yaml:3:16: connectors\.mine\.type: ") as caught:
        load(tmp_path, text)
    assert str(caught.value).endswith(
        "cannot be loaded: its import has not ended after 0.2 s, and stands in waiting_import.py:3: "
        "no import may wait; a connector's open() may"
    )


def test_a_constructor_that_waits_is_no_reason_to_refuse_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "CONSTRUCTOR_PATIENCE", 0.2)
    code = "import time\nfrom tests.support.fakes import FakeConnector\n\n\nclass Mine(FakeConnector):\n"
    code += "    def __init__(self, config):\n        super().__init__(config)\n        time.sleep(3)\n"
    (tmp_path / "waiting_init.py").write_text(code, encoding="utf-8")
    text = "api_keys: [change-me]\nconnectors:\n  mine: {type: 'waiting_init:Mine'}\n"
    assert load(tmp_path, text).sources["mine"].waits_in == "waiting_init.py:8"
