import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from bridge.commands.main import main

SECRET = "planted-secret-4711"
CONFIG = """
api_keys: [change-me]
connectors:
  customers: {type: csv, path: customers.csv}
extensions:
  inline: {lan@congty.example: 101, minh@congty.example: [0102, 103]}
"""
ROWS = """phone,owner email
0901234567,lan@congty.example
0901234567,minh@congty.example
0912345678,nghi@congty.example
9.01E+08,lan@congty.example
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "customers.csv").write_text(ROWS, encoding="utf-8")
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    return file


def run(*arguments, env=None):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env, catch_exceptions=False)


def broken(config: Path) -> Path:
    config.write_text(
        CONFIG.replace("type: csv", "type: rest, base_url: 'http://127.0.0.1:9/'").replace(
            ", path: customers.csv",
            ", steps: [{path: x, query: {q: '{{ caller.e164 }}'}, match: [phone], take: {email: e}}]",
        )
    )
    return config


def test_lookup_prints_exactly_the_body_that_omicall_would_get(config):
    result = run("lookup", "-c", config, "+84 90 123 45 67")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "101:0102:103\n", "")


def test_lookup_prints_an_empty_line_for_nobody_and_succeeds(config):
    result = run("lookup", "-c", config, "0999999999")
    assert (result.exit_code, result.stdout) == (0, "\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lookup", "0901", "234", "567"], "a number with blanks stands in quotes: main lookup '0901 234 567'"),
        (["lookup", "+84", "90 1234567"], "a number with blanks stands in quotes: main lookup '+84 90 1234567'"),
        (["check", "config.yaml"], "the configuration is named with -c: main check -c config.yaml"),
        (["serve", "my config.yml"], "the configuration is named with -c: main serve -c 'my config.yml'"),
        (["lookup", "config.yaml", "0901234567"], "the configuration is named with -c: main lookup -c config.yaml"),
        (["decisions", "config.yaml"], "the configuration is named with -c: main decisions -c config.yaml"),
        (["simulate", "config.yaml"], "the configuration is named with -c: main simulate -c config.yaml"),
        (["schema", "json"], "nothing is known of what stands last: json"),
    ],
)
def test_a_word_too_many_is_told_with_what_to_write_instead(words, told):
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.endswith(f"\nError: {told}\n")


def test_a_hotline_that_is_no_number_is_told(config):
    result = run("lookup", "-c", config, "--hotline", "19OO1234", "0901234567")
    assert result.stdout == "101:0102:103\n"
    assert result.stderr.startswith("--hotline 19OO1234 is no telephone number, and counts as an unknown one: ")


def test_a_port_in_use_is_told_in_one_line(config):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config.write_text(f"{CONFIG}server: {{bind: '192.0.2.1:{port}'}}\n", encoding="utf-8")
        told = "this machine has no such address: write 127.0.0.1, or one that `ip address` shows\n"
        result = run("serve", "-c", config)
        assert (result.exit_code, result.stderr) == (2, f"{config}: server.bind: 192.0.2.1:{port}: {told}")
        result = run("serve", "-c", config, "--bind", f"127.0.0.1:{port}")
        assert result.exit_code == 2
        assert result.stderr.startswith(f"command line: server.bind: 127.0.0.1:{port}: something listens there already")


def test_lookup_explains_what_was_tried_on_standard_error(config):
    result = run("lookup", "-c", config, "0912345678", "--explain")
    assert result.stdout == "\n"
    for expected in (
        "+84912345678",
        "customers.csv",
        "nghi@congty.example",
        "unmapped",
    ):
        assert expected in result.stderr


def test_lookup_as_json_says_how_it_was_decided(config):
    decision = json.loads(run("lookup", "-c", config, "0901234567", "--json", "--hotline", "19001234").stdout)
    assert decision == {
        "outcome": "found",
        "body": "101:0102:103",
        "extensions": ["101", "0102", "103"],
        "answer": "live",
        "connector": "customers",
        "reason": "",
    }


def test_lookup_fails_with_1_if_no_source_could_answer(config):
    result = run("lookup", "-c", broken(config), "0901234567", "--explain")
    assert (result.exit_code, result.stdout) == (1, "\n")
    assert "unavailable" in result.stderr


def test_a_wrong_configuration_ends_every_command_with_2_and_all_problems(config):
    config.write_text("api_kyes: []\n")
    for command in (["lookup", "0901234567"], ["check"], ["serve"]):
        result = run(*command[:1], "-c", config, *command[1:])
        assert result.exit_code == 2
        assert f"{config}:1:1: api_kyes: unknown key, did you mean 'api_keys'?" in result.stderr
        assert f"{config}:1:1: connectors: is missing" in result.stderr


def test_wrong_usage_ends_with_2(config):
    assert run("lookup", "-c", config).exit_code == 2
    assert run("serve", "-c", config, "--threads", "0").exit_code == 2


def test_the_configuration_is_found_by_environment_and_then_in_the_folder(config, tmp_path, monkeypatch):
    assert run("lookup", "0901234567", env={"OMI_BRIDGE_CONFIG": str(config)}).stdout == "101:0102:103\n"
    monkeypatch.chdir(tmp_path)
    assert run("lookup", "0901234567", env={"OMI_BRIDGE_CONFIG": ""}).stdout == "101:0102:103\n"


def test_check_reports_rows_that_cannot_be_used(config):
    result = run("check", "-c", config)
    assert result.exit_code == 0
    assert "valid" in result.stdout
    assert "customers.csv:5" in result.stdout


def test_check_fails_with_1_if_a_file_is_missing(config):
    (config.parent / "customers.csv").unlink()
    result = run("check", "-c", config)
    assert result.exit_code == 1
    assert "FAILED  customers: cannot be opened: customers.csv: there is no such file" in result.stdout


def test_check_of_the_configuration_alone_opens_no_source(config):
    (config.parent / "customers.csv").unlink()
    result = run("check", "-c", config, "--config-only")
    assert (result.exit_code, result.stdout) == (0, f"{config}: valid\n")
    config.write_text("api_kyes: []\n")
    assert run("check", "-c", config, "--config-only").exit_code == 2
    assert run("check", "-c", config, "--config-only", "--online").exit_code == 2


def test_check_warns_of_files_that_could_not_be_written_and_writes_nothing(config):
    more = "cache: {path: missing/remembered.sqlite}\n"
    config.write_text(CONFIG + more, encoding="utf-8")
    before = sorted(config.parent.rglob("*"))
    result = run("check", "-c", config)
    assert result.exit_code == 0
    folder = config.parent
    assert (
        f"warn    cache.path: {folder}/missing/remembered.sqlite cannot be written: its folder is missing\n"
        in result.stdout
    )
    assert sorted(config.parent.rglob("*")) == before


def test_check_asks_the_network_only_when_told(config):
    broken(config)
    offline, online = run("check", "-c", config), run("check", "-c", config, "--online")
    assert (offline.exit_code, online.exit_code) == (0, 1)
    assert "not asked" in offline.stdout
    assert "FAILED" in online.stdout


def test_check_online_says_how_long_the_source_took(config):
    result = run("check", "-c", config, "--online")
    assert result.exit_code == 0
    assert "0 owner(s) in" in result.stdout


def test_connectors_lists_every_type_with_what_it_needs():
    text = run("connectors").stdout
    assert "csv: Finds owners in a CSV file." in text
    assert "  base_url (required): " in text
    assert "  timeout (default 5s): " in text
    assert "  max_response_size (default 2MB): " in text


def test_connectors_tells_of_one_type_alone():
    text = run("connectors", "csv").stdout
    assert text.startswith("csv: Finds owners in a CSV file.\n  path (optional): ")
    assert "rest: " not in text
    assert text in run("connectors").stdout


def test_connectors_tells_what_a_type_needs_that_the_one_it_builds_on_does_not():
    assert "  url (required): Link to the sheet" in run("connectors", "google_sheet").stdout


def test_connectors_knows_a_class_by_its_full_name():
    assert (
        run("connectors", "connectors.csv.connector:CsvConnector").stdout.splitlines()[1:]
        == (run("connectors", "csv").stdout.splitlines()[1:])
    )


def test_connectors_refuses_a_type_that_is_none_and_says_which_there_are():
    result = run("connectors", "hubspto")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "unknown connector type, did you mean 'hubspot'?; known: bitrix24, csv, " in result.stderr


def test_connectors_tells_of_a_preset_what_it_needs_and_how_far_it_is_proven():
    paragraph = run("connectors").stdout.partition("\nespocrm: ")[2].partition("\n\n")[0].partition("\nfrappe")[0]
    summary, *lines = paragraph.splitlines()
    assert summary == "Finds owners in EspoCRM; tried on a real server."
    assert [line.split()[0] for line in lines] == ["url", "key", "and"]
    assert "For example: https://espo.example" in lines[0]
    assert lines[-1] == "  and every key of rest, which then counts instead of what espocrm itself says"


@pytest.fixture(scope="module")
def schema():
    return json.loads(run("schema").stdout)


def test_schema_asks_of_a_preset_for_its_needs_alone_and_repeats_nothing_of_rest(schema):
    rules = schema["properties"]["connectors"]["additionalProperties"]["allOf"]
    then = {rule["if"]["properties"]["type"]["const"]: rule["then"] for rule in rules}
    assert then["espocrm"]["required"] == ["url", "key"]
    assert (
        then["espocrm"]["properties"]["timeout"]
        == then["rest"]["properties"]["timeout"]
        == {"$ref": "#/$defs/rest.timeout"}
    )
    assert not any(name.startswith("espocrm.") for name in schema["$defs"])


def test_schema_knows_the_keys_of_each_connector_type(schema):
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    types = schema["properties"]["connectors"]["additionalProperties"]["allOf"]
    keys = {rule["if"]["properties"]["type"]["const"]: set(rule["then"]["properties"]) for rule in types}
    assert {"path", "columns", "timeout", "type"} <= keys["csv"]
    assert {"base_url", "steps", "auth"} <= keys["rest"]


@pytest.mark.parametrize(
    ("written", "valid"),
    [("csv", True), ("our_crm:OurCrm", True), ("cvs", False), ("kiotviet", False), (7, False)],
)
def test_schema_knows_the_connector_types_and_lets_a_class_of_one_s_own_pass(schema, written, valid):
    settings = {"type": written, "path": "customers.csv"}
    config = {"api_keys": ["change-me"], "connectors": {"customers": settings}}
    assert Draft202012Validator(schema).is_valid(config) is valid
    offered = schema["properties"]["connectors"]["additionalProperties"]["properties"]["type"]["anyOf"][0]["enum"]
    assert {"csv", "espocrm", "rest", "sql"} <= set(offered)


@pytest.mark.parametrize(
    ("settings", "valid"),
    [
        ({"type": "csv"}, False),
        ({"type": "csv", "url": "https://congty.example/customers.csv", "refresh": "10m"}, True),
        ({"type": "google_sheet", "url": "https://docs.google.com/spreadsheets/d/1AbCdEfGhIjKl/edit"}, True),
        ({"type": "google_sheet"}, False),
    ],
)
def test_schema_knows_that_a_file_is_at_a_path_or_an_address(schema, settings, valid):
    config = {"api_keys": ["change-me"], "connectors": {"customers": settings}}
    assert Draft202012Validator(schema).is_valid(config) is valid


def test_every_reference_in_the_schema_leads_somewhere(schema):
    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(schema))
    assert found
    for reference in found:
        assert reference.removeprefix("#/$defs/") in schema["$defs"]


def test_lookup_knows_the_extensions_of_a_file_as_the_service_does(config):
    (config.parent / "staff.csv").write_text("email,extension\nlan@congty.example,201\n", encoding="utf-8")
    config.write_text(CONFIG.split("extensions:", maxsplit=1)[0] + "extensions: {csv: {path: staff.csv}}\n")
    assert run("lookup", "-c", config, "0901234567").stdout == "201\n"


def test_lookup_says_why_there_is_no_extension_even_if_it_is_not_asked_to_explain(config):
    result = run("lookup", "-c", config, "0912345678")
    assert (result.stdout, result.stderr) == ("\n", "unmapped: 1 owner(s), none with an extension\n")


@pytest.mark.parametrize("bind", ["127.0.0.1", ":8080", "8080", "127.0.0.1:80000", "unix:/tmp/x"])
def test_a_wrong_address_on_the_command_line_is_refused_like_one_in_the_file(config, bind):
    result = run("serve", "-c", config, "--bind", bind)
    assert result.exit_code == 2
    assert result.stderr == "command line: server.bind: has to be HOST:PORT, such as 127.0.0.1:8080\n"


def test_lookup_explains_which_route_answers(config):
    text = CONFIG + "routes:\n  - {hotlines: [1900 1234], connectors: [customers]}\n"
    config.write_text(text)
    assert (
        "hotline +8419001234: customers"
        in run("lookup", "-c", config, "--explain", "--hotline", "19001234", "0901234567").stderr
    )
    assert (
        "hotline not known: no route answers"
        in run("lookup", "-c", config, "--explain", "--hotline", "x", "0901234567").stderr
    )


def test_connectors_finds_a_class_beside_the_configuration_from_elsewhere(tmp_path, monkeypatch):
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "our_crm_beside.py").write_text(
        "from bridge.sdk import Connector, ConnectorConfig\n"
        "class OurCrm(Connector):\n    '''Asks our CRM.'''\n    Config = ConnectorConfig\n"
        "    def find_owners(self, call, deadline):\n        return ()\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    unknown = CliRunner().invoke(main, ["connectors", "our_crm_beside:OurCrm"])
    assert "there is no module our_crm_beside, neither installed nor beside the configuration" in unknown.output
    found = CliRunner().invoke(main, ["connectors", "-c", "etc/config.yaml", "our_crm_beside:OurCrm"])
    assert found.exit_code == 0, found.output
    assert "our_crm_beside:OurCrm: Asks our CRM." in found.output
