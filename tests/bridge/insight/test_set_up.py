"""The first lines of a configuration: what each CRM needs, and what is wrong with what was given for it."""

import pytest

from bridge.config.content import Content
from bridge.config.loading import load_config
from bridge.insight.client import AnswerRefused
from bridge.insight.set_up import lines, presets

ESPO = {"type": "espocrm", "values": {"url": "https://espo.example"}}
TOLD = presets({})["presets"]


def test_every_preset_tells_what_it_needs_and_how_far_it_was_tried():
    assert {"espocrm", "bitrix24", "misa_amis"} <= {one["type"] for one in TOLD}
    (espo,) = [one for one in TOLD if one["type"] == "espocrm"]
    assert (espo["name"], espo["proven"]) == ("EspoCRM", "real server")
    assert [(need["key"], need["secret"]) for need in espo["needs"]] == [("url", False), ("key", True)]


@pytest.mark.parametrize("preset", TOLD, ids=lambda preset: preset["type"])
def test_the_examples_of_each_preset_make_lines_that_are_valid(preset, tmp_path):
    values = {need["key"]: need["example"] for need in preset["needs"] if "${" not in need["example"]}
    values |= {
        need["key"]: "id-of-an-app" for need in preset["needs"] if "${" in need["example"] and not need["secret"]
    }
    found = lines({"type": preset["type"], "values": values})
    assert found["problems"] == []
    secrets = dict.fromkeys(found["variables"], "a-secret-that-is-long-enough")
    content = Content(f"api_keys: [change-me]\n{found['yaml']}".encode(), {}, secrets)
    assert list(load_config(tmp_path / "config.yaml", {}, content=content).sources) == ["crm"]
    assert found["variables"]


@pytest.mark.parametrize(
    ("values", "key", "told"),
    [
        ({}, "url", "is missing: Address of your EspoCRM"),
        ({"url": "espo.example"}, "url", "not an address: write https://HOST/PATH"),
        ({"url": "https://espo.example/#Contact"}, "url", "is the address of a page"),
        ({"url": "https://${HOST}"}, "url", "write it as it is, without ${…}"),
        ({"url": "https://espo.example\nserver: {}"}, "url", ""),
    ],
)
def test_what_is_wrong_is_told_beside_what_was_given(values, key, told):
    problems = lines({"type": "espocrm", "values": values})["problems"]
    assert [one["key"] for one in problems] == [key]
    assert told in problems[0]["text"]


def test_a_secret_is_not_taken_and_stands_in_a_variable():
    found = lines({"type": "espocrm", "values": {**ESPO["values"], "key": "planted", "another": "planted"}})
    assert "planted" not in found["yaml"]
    assert "key: ${ESPO_API_KEY}" in found["yaml"]
    assert found["variables"] == ["ESPO_API_KEY"]


@pytest.mark.parametrize(
    "question", [{"type": "rest", "values": {}}, {"type": "os:system", "values": {}}, {"type": "espocrm"}]
)
def test_nothing_but_a_preset_makes_lines(question):
    with pytest.raises(AnswerRefused, match="unknown-preset"):
        lines(question)
