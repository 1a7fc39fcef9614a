"""The documents tell all and nothing wrong: keys and their defaults, commands, outcomes, links."""

import json
import re
import tomllib
from typing import Annotated

import click
import pytest
from pydantic import BaseModel, TypeAdapter

from bridge.commands.main import main
from bridge.config.plugins import CONNECTORS, EXTENSIONS, base_type, connector_class, extension_class, installed_types
from bridge.config.sections import Settings
from bridge.lookup.answer import Freshness
from bridge.lookup.decision import Outcome
from bridge.sdk import ConnectorConfig, PhoneNumber
from connectors.csv.connector import CsvConfig, CsvConnector
from connectors.rest.config.steps import FORMS
from connectors.rest.mapping.expression import Expression
from connectors.rest.templates.sandbox import FILTERS
from tests.support.documents import DOCUMENTS, ROOT, anchor, blocks, headings, prose, rows, spans
from tests.support.models import fields_of, models_of

CONFIGURATION = ROOT / "docs/configuration.md"
REST = ROOT / "docs/rest.md"
OPERATING = ROOT / "docs/operating.md"

SECTIONS = {
    "Settings": "Top level",
    "Server": "server",
    "Decisions": "server.decisions",
    "Phone": "phone",
    "Cache": "cache",
    "ConnectorConfig": "connectors",
    "Route": "routes",
    "KnownCustomer": "expect",
    "Extensions": "extensions",
    "ExtensionCsv": "extensions.csv",
    "ExtensionWorkbook": "extensions.xlsx",
    "ExtensionColumns": "extensions.csv.columns",
    "Deputies": "extensions.deputies",
    "Deputy": "extensions.deputies.inline",
    "DeputyCsv": "extensions.deputies.csv",
    "DeputyWorkbook": "extensions.deputies.xlsx",
    "DeputyColumns": "extensions.deputies.csv.columns",
    "Alerts": "alerts",
    "Console": "console",
    "Webhook": "alerts.webhook",
    "Email": "alerts.email",
    "Ping": "alerts.ping",
    "OmicallConfig": "extensions.omicall",
    "SqlExtensionsConfig": "extensions.sql",
    "LdapConfig": "extensions.ldap",
    "LdapAttributes": "extensions.ldap.attributes",
    "CsvConfig": "csv",
    "XlsxConfig": "xlsx",
    "TableColumns": "csv.columns",
    "SnapshotSettings": "connectors snapshot",
    "ListStep": "rest list",
    "SqlConfig": "sql",
    "RestConfig": "rest",
    "Tls": "rest.tls",
    "Step": "rest steps",
    "Users": "rest steps",
    "Pages": "rest pages",
    "NoAuth": "auth: none",
    "BasicAuth": "auth: basic",
    "BearerAuth": "auth: bearer",
    "HeaderAuth": "auth: header",
    "QueryAuth": "auth: query",
    "ClientCredentials": "auth: oauth2_client_credentials, oauth2_refresh_token",
    "RefreshToken": "auth: oauth2_client_credentials, oauth2_refresh_token",
    "Login": "auth: login",
    "PhoneFields": "rest match",
    "LoginRequest": "rest steps",
    "Challenge": "rest steps",
}
"""Under which heading of docs/configuration.md the keys of a model stand."""
BESIDE = {"xlsx": "csv", "extensions.xlsx": "extensions.csv", "extensions.deputies.xlsx": "extensions.deputies.csv"}
"""Headings that tell only what keys they have more than another, which tells the others."""
TYPE_IS_TOLD = {"connectors", "auth: none"}
ROOTS = [
    *(Settings, ConnectorConfig),
    # a preset's keys are those of the type that it builds on, and its needs: docs/presets.md
    *(connector_class(name).Config for name in installed_types(CONNECTORS) if base_type(name) == name),
    *(extension_class(name).Config for name in installed_types(EXTENSIONS)),
]
MODELS = list(dict.fromkeys(model for root in ROOTS for model in models_of(root)))

READERS_OWN = {
    *(
        "config.yaml",
        "customers.csv",
        "customers.xlsx",
        "extensions.xlsx",
        "deputies.xlsx",
        "retail.csv",
        "extensions.csv",
        "extensions.deputies.csv",
        "deputies.csv",
        "forgotten.json",
        "STATE/forgotten.json",
        "pyproject.toml",
        "my_crm.py",
        "test_my_crm.py",
        "omicall-extensions.json",
        "alerts.json",
        "/etc/haproxy/bridge.pem",
    ),
    "custom/Espo/Custom/Resources/metadata/recordDefs/Contact.json",  # of EspoCRM
}
"""Files in the documents that are the reader's, not the project's."""
SOURCES = "".join(
    file.read_text(encoding="utf-8") for room in ("bridge", "connectors") for file in (ROOT / room).rglob("*.py")
)


TWINS = {
    "address.md": "dia-chi.md",
    "alerts.md": "canh-bao.md",
    "away.md": "nghi-phep.md",
    "console.md": "bang-dieu-khien.md",
    "deploy.md": "trien-khai.md",
    "excel-file.md": "tep-excel.md",
    "figures.md": "so-do.md",
    "first-call.md": "cuoc-goi-dau-tien.md",
    "no-public-address.md": "khong-co-ip-cong-khai.md",
    "operating.md": "van-hanh.md",
    "personal-data.md": "du-lieu-ca-nhan.md",
    "snapshot.md": "doc-truoc.md",
    "recipes.md": "viec-thuong-gap.md",
    "upgrade.md": "nang-cap.md",
}
"""Pages of docs/, and what they are called in docs/vi/."""


def told_keys(heading):
    """Return the keys and the defaults in the tables under a heading."""
    told = [row.cells for row in rows(CONFIGURATION) if row.heading == heading and row.header[0] == "key"]
    return {spans(key)[0]: default for key, default, _meaning in told}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_documented_with_its_default(model):
    heading = SECTIONS[model.__name__]
    told, fields = told_keys(BESIDE.get(heading, heading)) | told_keys(heading), fields_of(model)
    assert set(fields) <= set(told)
    for key, field in fields.items():
        assert is_default(told[key], field), f"{key}: the document says {told[key]}"


def is_default(told, field):
    if field.is_required():
        return told == "required"
    default = field.get_default(call_default_factory=True)
    if told == "—":
        nothing = default in (None, "", [], {}) or getattr(default, "source", None) == ""
        return nothing or (isinstance(default, BaseModel) and default == type(default)())
    (text,) = spans(told)
    written = json.loads(text) if text.startswith("[") else text.strip("'")
    if field.validate_default and isinstance(default, str):  # it stands in the model as it would stand in the file
        return written == default
    return TypeAdapter(Annotated[field.annotation, *field.metadata, None]).validate_python(written) == default


@pytest.mark.parametrize("heading", dict.fromkeys(SECTIONS.values()))
def test_no_key_is_documented_that_does_not_exist(heading):
    models = [model for model in MODELS if SECTIONS[model.__name__] == heading]
    told = set(told_keys(heading)) - ({"type"} if heading in TYPE_IS_TOLD else set())
    told -= set(installed_types(EXTENSIONS)) if heading == "extensions" else set()
    elsewhere = told_keys(BESIDE[heading]) if heading in BESIDE else {}
    assert told == {key for model in models for key in fields_of(model)} - set(elsewhere)


def test_every_type_of_connector_and_of_authentication_is_documented():
    told = {heading.removeprefix("auth: ") for heading in headings(CONFIGURATION)}
    kinds = {kind for heading in told for kind in heading.split(", ")}
    tags = [member.model_fields["type"].annotation.__args__[0] for member in MODELS if "type" in member.model_fields]
    assert tags
    assert {*(name for name in installed_types(CONNECTORS) if base_type(name) == name), *tags} <= kinds


def test_every_source_of_extensions_is_documented():
    assert set(installed_types(EXTENSIONS)) <= set(told_keys("extensions"))


def test_every_command_and_option_is_documented():
    told = [cell for row in rows(OPERATING) if row.heading == "Commands" for cell in row.cells[:2]]
    names = {name for cell in told for name in spans(cell)} | set(spans("\n".join(prose(OPERATING))))
    words = {span.split()[0] for span in names if span}
    for name, command in main.commands.items():
        assert name in words
        for option in command.params:
            if isinstance(option, click.Option):
                assert words & set(option.opts), f"{name} {option.opts}"
    options = {opt for command in main.commands.values() for param in command.params for opt in param.opts}
    assert {
        word for cell in told for word in map(str.split, spans(cell)) for word in word if word[:2] == "--"
    } <= options


def test_every_outcome_and_header_is_documented():
    outcomes = {
        span for row in rows(OPERATING) if row.header[0] == "`X-Bridge-Outcome`" for span in spans(row.cells[0])
    }
    assert outcomes == set(Outcome)
    headers = {spans(row.cells[0])[0]: row.cells[1] for row in rows(OPERATING) if row.header[0] == "header"}
    assert set(headers) == {"X-Bridge-Outcome", "X-Bridge-Answer", "X-Request-ID", "Cache-Control", "Content-Type"}
    assert set(Freshness) <= set(spans(headers["X-Bridge-Answer"]))
    assert {status for row in rows(OPERATING) if row.header[0] == "exit status" for status in row.cells[0]} == set(
        "012"
    )


def test_the_log_lines_that_are_explained_are_really_written():
    lines = [spans(row.cells[0])[0] for row in rows(OPERATING) if row.header == ("line", "what to do")]
    assert len(lines) > 10
    # A line's text stands in the sources in pieces, around what is filled in.
    for piece in (
        piece
        for line in lines
        for piece in re.split(
            r"…|: rejected|: unavailable|: unexpected-answer|crm|customers\.csv|extensions\.omicall", line
        )
    ):
        assert len(piece.strip(" :;,")) < 4 or piece.strip(" :;,") in SOURCES, piece


def test_every_spelling_of_a_number_is_documented_as_it_is():
    told = {spans(row.cells[0])[0]: row.cells[1] for row in rows(REST) if row.header == ("name", "spelling")}
    assert set(told) == set(FORMS)
    number = PhoneNumber.parse("0834567890")
    for name in set(FORMS) - {"forms", "nsns"}:
        assert spans(told[name])[0] == getattr(number, name)
    assert tuple(spans(told["nsns"])) == number.nsns


def test_every_filter_of_templates_is_documented():
    told = [span for row in rows(REST) if row.header[0] == "filters" for span in spans(row.cells[0])]
    assert sorted(told) == sorted(FILTERS)


@pytest.mark.parametrize(
    "row", [row for row in rows(REST) if row.header[1] == "you write"], ids=lambda row: row.cells[1]
)
def test_the_examples_of_jmespath_find_what_the_document_says(row):
    answer, expression, found = (spans(cell)[0] for cell in row.cells)
    assert Expression(expression).search(json.loads(answer)) == json.loads(found)


@pytest.mark.parametrize(
    ("what", "header"),
    [
        (row.cells[0], header)
        for row in rows(CONFIGURATION)
        if row.heading == "csv.columns" and row.header == ("what", "headers")
        for header in spans(row.cells[1])
    ],
)
def test_the_headers_that_are_said_to_be_found_are_found(what, header, tmp_path):
    beside = "owner" if what == "telephone" else "phone"
    (tmp_path / "customers.csv").write_text(f"{beside},{header} 2\n0901234567,0901234567\n", encoding="utf-8")
    connector = CsvConnector(CsvConfig(path=tmp_path / "customers.csv"))
    try:
        connector.open()
        assert f"'{header} 2'" in connector.report()[0]
    finally:
        connector.close()


@pytest.mark.parametrize("page", TWINS)
def test_a_page_and_its_vietnamese_twin_show_the_same(page):
    """What one of them runs or configures, the other does: blocks that are tried in English hold in Vietnamese, too."""
    for language in ("sh", "console", "yaml", "csv", "json"):
        english, vietnamese = (
            [found.text for found in blocks(language, ROOT / "docs" / file)] for file in (page, f"vi/{TWINS[page]}")
        )
        assert vietnamese == english, language


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file):
    for target in re.findall(r"\]\(([^)\s]+)\)", "\n".join(prose(file))):
        if not target.startswith("https://"):
            name, _, place = target.partition("#")
            there = (file.parent / name).resolve() if name else file
            assert there.exists(), target
            assert not place or place in map(anchor, headings(there)), target


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_that_is_mentioned_exists(file):
    text = file.read_text(encoding="utf-8")
    names = {span for span in spans(text) if re.fullmatch(r"[\w./-]*\w\.(py|yaml|md|csv|toml|pem|json)", span)}
    names |= set(re.findall(r"(?<![\w-])(?:bridge|connectors|docs|tests|bench|deploy)/[\w./-]*\w", text))
    for name in names - READERS_OWN:
        places = (ROOT / name, file.parent / name, *ROOT.glob(f"*/{name}"))
        assert any(place.exists() for place in places), name


def test_the_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "Python 3.11" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert project["requires-python"] == ">=3.11"


def test_no_example_writes_a_key_where_everybody_on_the_machine_sees_it():
    lines = [(path.name, line) for path in DOCUMENTS for line in path.read_text(encoding="utf-8").splitlines()]
    shown = re.compile(r"--key [\"'$]|-H [\"']X-API-KEY: (?!change-me)")
    assert [f"{name}: {line}" for name, line in lines if shown.search(line)] == []


def test_every_test_that_is_named_exists():
    named = {name for file in DOCUMENTS for name in re.findall(r"`(test_\w+)`", file.read_text(encoding="utf-8"))}
    known = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert named - known == set()
