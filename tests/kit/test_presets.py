"""Every preset: its file is in order, five lines of an admin are enough, and it does what its recorded cases say."""

import json

import pytest
import yaml

from bridge.config.loading import load_config
from bridge.config.plugins import connector_class
from bridge.config.yaml_document import read_document
from connectors.presets.preset import read_preset
from tests.support.cases import NEEDED, play, read_cases
from tests.support.descriptions import read_description
from tests.support.documents import ROOT, AnyEnvironment, anchor, headings, rows, spans

FILES = sorted((ROOT / "connectors/presets").glob("*.yaml"))
CASES = ROOT / "tests/presets"
NAMES = [file.stem for file in FILES]
RECORDED = [file.stem for file in sorted(CASES.glob("*.yaml"))]

DOCUMENT = ROOT / "docs/presets.md"
TOLD = {spans(row.cells[0])[0]: row.cells for row in rows(DOCUMENT) if row.heading == "All presets"}
LONGEST = 72
LONGEST_LIST = 16
"""Lines by which a preset lists its customers, beside those by which it asks."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_preset_is_a_short_file_in_order(file):
    assert read_preset(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    asking = lines.index("  list:") if "  list:" in lines and "  steps: []" not in lines else len(lines)
    assert asking <= LONGEST
    assert len(lines) - asking <= LONGEST_LIST
    strict = read_document(file, lambda text: text, file.read_bytes)
    assert (strict.problems, strict.data) == ([], yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", NAMES)
def test_five_lines_are_enough(name, tmp_path):
    preset = read_preset(ROOT / f"connectors/presets/{name}.yaml")
    needs = {key: need.example for key, need in preset.needs.items() if need.default is None}
    text = f"api_keys: [change-me]\nconnectors:\n  crm: {json.dumps({'type': name, **needs})}\n"
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    source = load_config(tmp_path / "config.yaml", AnyEnvironment()).sources["crm"]
    assert source.connector is connector_class(name)


def test_every_preset_is_documented():
    assert sorted(TOLD) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_documents_say_of_a_preset_what_it_says_itself(name):
    preset = read_preset(ROOT / f"connectors/presets/{name}.yaml")
    _type, link, needs, proven = TOLD[name]
    assert link == f"[{preset.name}](#{anchor(preset.name)})"
    assert preset.name in headings(DOCUMENT)
    optional = " (may be left out)"
    assert needs == ", ".join(
        f"`{key}`{'' if need.default is None else optional}" for key, need in preset.needs.items()
    )
    assert proven == preset.proven


def recorded(name):
    return read_cases(CASES / f"{name}.yaml")


def cases():
    """Return the names of all cases; a file that cannot be read fails as one of them."""
    for name in RECORDED:
        try:
            yield from ((name, case) for case in recorded(name).cases)
        except (ValueError, yaml.YAMLError):
            yield name, "the file itself"


def test_every_preset_has_recorded_cases():
    assert set(RECORDED) == set(NAMES)


def test_a_preset_that_is_proven_by_an_api_description_is_checked_against_one():
    proven = {file.stem for file in FILES if read_preset(file).proven == "API description"}
    assert proven <= {file.stem for file in (CASES / "descriptions").glob("*.yaml")}


@pytest.mark.parametrize("name", RECORDED)
def test_the_cases_that_matter_are_all_there(name):
    found = recorded(name).cases
    assert set(NEEDED) - set(found) == set()
    for case in found.values():
        assert (case.owners is None) != (case.fails is None)


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_a_preset_does_what_was_recorded(name, case):
    description = read_description(CASES / f"descriptions/{name}.yaml")
    problems = play(connector_class(name), recorded(name), case, description)
    assert not problems, "\n".join(["", *problems])
