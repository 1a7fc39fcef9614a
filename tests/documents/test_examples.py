"""What the documents show is what happens: every YAML loads, commands print that, the connector that is shown works.

How a piece of YAML becomes a whole configuration is said in `tests.support.documents.whole`.
"""

import ast
import importlib
import json
import re
import sys
import tomllib

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from bridge.commands.main import main
from bridge.config.json_schema import configuration_schema
from bridge.config.loading import load_config
from tests.support.application import opened
from tests.support.crm import Crm
from tests.support.documents import DOCUMENTS, ROOT, AnyEnvironment, block, blocks, whole
from tests.support.servers import HttpServer, Reply

WRITING = ROOT / "connectors/README.md"
EXAMPLE = ROOT / "config.example.yaml"


def run(*arguments, env=None):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env, catch_exceptions=False)


@pytest.fixture(scope="module", autouse=True)
def my_crm(tmp_path_factory):
    """The classes of connectors/README.md as if they were installed; the connector's module."""
    folder = tmp_path_factory.mktemp("installed")
    own_extensions = "A list of extensions of your own"
    for name, heading in {"my_crm": "A complete one", "my_pbx": own_extensions}.items():
        (folder / f"{name}.py").write_text(block(WRITING, heading, "python").text, encoding="utf-8")
    points = tomllib.loads(block(WRITING, own_extensions, "toml").text)["project"]["entry-points"]
    lines = [f"[{group}]\n{name} = {value}\n" for group, one in points.items() for name, value in one.items()]
    (folder / "mine-1.0.dist-info").mkdir()
    (folder / "mine-1.0.dist-info/METADATA").write_text("Name: mine\nVersion: 1.0\n", encoding="utf-8")
    (folder / "mine-1.0.dist-info/entry_points.txt").write_text("".join(lines), encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield importlib.import_module("my_crm")
    sys.path.remove(str(folder))
    for name in ("my_crm", "my_pbx"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("found", blocks("yaml"), ids=str)
def test_every_yaml_in_the_documents_loads(found, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(whole(found, tmp_path), encoding="utf-8")
    assert load_config(file, AnyEnvironment()).sources


@pytest.mark.parametrize("found", blocks("yaml"), ids=str)
def test_every_yaml_in_the_documents_is_right_for_an_editor_with_our_schema(found, tmp_path, schema):
    loaded = yaml.safe_load(whole(found, tmp_path))
    written = json.loads(json.dumps(loaded, default=str))  # a day is a text in YAML 1.2, which editors read
    assert [error.message for error in schema.iter_errors(written)] == []


@pytest.fixture(scope="module")
def schema():
    configuration = configuration_schema()
    Draft202012Validator.check_schema(configuration)
    return Draft202012Validator(configuration)


def test_the_schema_finds_a_mistake(schema):
    assert list(schema.iter_errors({"api_keys": ["change-me"], "connectors": {"c": {"type": "csv", "pth": "x.csv"}}}))


def test_no_configuration_hides_in_a_block_that_is_not_called_yaml():
    languages = {line.strip() for file in DOCUMENTS for line in file.read_text().splitlines() if "```" in line[:9]}
    assert languages <= {
        f"```{name}" for name in ("yaml", "sh", "text", "console", "python", "json", "sql", "toml", "csv", "")
    }
    for found in (found for language in ("", "text", "sh", "console") for found in blocks(language)):
        if found.text.startswith("$ "):
            continue  # what a command tells
        text = re.sub(r"<<'END'\n.*?^END$", "", found.text, flags=re.DOTALL | re.MULTILINE)  # test_deploy_guide runs it
        assert not re.search(r"^ *(- )?[a-z_]+:( |$)", text, re.MULTILINE), found


def test_the_example_answers_what_the_readme_promises():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    key, path = re.search(
        r"curl -H 'X-API-KEY: (.+?)' 'http://127.0.0.1:8080(.+?)'\n```\n\n```\n101:102\n", readme
    ).groups()
    with opened(load_config(EXAMPLE, {})) as app:
        assert app.test_client().get(path, headers={"X-API-KEY": key}).text == "101:102"


def test_what_is_commented_out_in_the_example_loads_too(tmp_path):
    text = EXAMPLE.read_text(encoding="utf-8")
    (tmp_path / "config.yaml").write_text(re.sub(r"^  # (?=crm:|  )", "  ", text, flags=re.MULTILINE), encoding="utf-8")
    assert set(load_config(tmp_path / "config.yaml", AnyEnvironment()).sources) == {"customers", "crm"}


def timeless(text):
    """Leave the times out, which differ at each run."""
    return re.sub(r"^ *[0-9.]+ ms|\b[0-9]+ ms$", "… ms", text, flags=re.MULTILINE)


def lay_out(found, folder, crm):
    """Put the files beside a command that the document has last shown above it, and have the CRM answer so."""
    languages = ("yaml", "csv", "json")
    shown = [one for language in languages for one in blocks(language, found.file) if one.line < found.line]
    last = {one.language: one.text for one in shown}
    (folder / "config.yaml").write_text(last["yaml"].replace("https://crm.example/api", crm.url), encoding="utf-8")
    (folder / "customers.csv").write_text(last.get("csv", ""), encoding="utf-8")
    crm.script(json.loads(last.get("json", "{}")))


@pytest.mark.parametrize("found", blocks("console"), ids=str)
def test_commands_print_what_the_documents_show(found, tmp_path, monkeypatch):
    command, _, shown = found.text.partition("\n")
    arguments = command.removeprefix("$ omi-bridge ").split()
    monkeypatch.chdir(ROOT)
    with Crm({}) as crm:
        if "config.yaml" in arguments:
            lay_out(found, tmp_path, crm)
            monkeypatch.chdir(tmp_path)
        printed = run(*arguments, env={"CRM_TOKEN": "planted"}).output.replace(crm.url, "https://crm.example/api")
    assert timeless(printed) == timeless(shown)


CUSTOMER = b'{"customers": [{"phone": "0901 234 567", "owner": "lan@congty.example"}]}'


@pytest.fixture
def ask_my_crm(tmp_path, my_crm):
    """Ask the connector of connectors/README.md through the whole service."""
    assert my_crm.MyCrm

    def ask(url):
        source = f"connectors: {{my-crm: {{type: 'my_crm:MyCrm', url: '{url}', token: planted, timeout: 300ms}}}}"
        text = f"api_keys: [change-me]\n{source}\nextensions: {{inline: {{lan@congty.example: 101}}}}\n"
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        result = run("lookup", "-c", tmp_path / "config.yaml", "--explain", "0901234567")
        assert "planted" not in result.output
        assert "bug" not in result.output
        return result.stdout, result.stderr.split()[-1] if result.exit_code == 0 else result.exit_code

    return ask


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(CUSTOMER), ("101\n", "found")),
        (Reply(b'{"customers": []}'), ("\n", "owner")),
        (Reply(CUSTOMER.replace(b"567", b"568")), ("\n", "owner")),
        (Reply(b"", 500), ("\n", 1)),
        (Reply(b"", 401), ("\n", 1)),
        (Reply(b"<html>"), ("\n", 1)),
        (Reply(b'{"customers": [{"phone": "12", "owner": null}]}'), ("\n", "owner")),
        (Reply(b'{"customers": [{"owner": null}]}'), ("\n", 1)),
    ],
)
def test_the_connector_that_is_shown_works(ask_my_crm, reply, told):
    with HttpServer(lambda _asked: reply) as server:
        assert ask_my_crm(server.url) == told


def test_the_connector_that_is_shown_fits_one_screen():
    assert len(block(WRITING, "A complete one", "python").text.splitlines()) <= 50
    shown = ast.parse(block(WRITING, "A complete one", "python").text).body
    classes = [node for node in shown if isinstance(node, ast.ClassDef)]
    assert sum(node.end_lineno - node.lineno + 1 for node in classes) <= 40
