from pathlib import Path

import pytest
from pydantic import BaseModel

from bridge.sdk.settings import (
    Duration,
    LocalPath,
    Size,
    Switch,
    parse_duration,
    parse_size,
    parse_switch,
    refuse_unfilled,
    state_file,
    written,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500ms", 0.5),
        ("1.8s", 1.8),
        ("5m", 300),
        ("24h", 86400),
        ("7d", 604800),
        (5, 5),
        (1.5, 1.5),
        ("90", 90),
        (" 2 s ", 2),
    ],
)
def test_a_duration_has_a_unit_or_is_in_seconds(written, seconds):
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    [0, 0.0, "0s", "0", -1, "-5m", "5 minutes", "5M", "", "s", "1e3", "inf", "nan", "１s", "400d", True, None, [1], {}],
)
def test_what_is_no_length_of_time_is_refused(written):
    with pytest.raises(ValueError, match="write a duration with its unit"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "size"), [(1, 1), ("512", 512), ("512KiB", 524288), ("2MB", 2_000_000), ("1 gib", 2**30), ("3b", 3)]
)
def test_a_size_has_a_unit_or_is_in_bytes(written, size):
    assert parse_size(written) == size


@pytest.mark.parametrize("written", [0, "0MB", -1, "1.5MB", "2TB", "", "huge", True, None])
def test_what_is_no_size_is_refused(written):
    with pytest.raises(ValueError, match="write a size with its unit"):
        parse_size(written)


class Model(BaseModel):
    path: LocalPath


class Units(BaseModel):
    time: Duration
    size: Size
    switch: Switch
    count: int


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("time", 5.0, "5s"),
        ("time", 1.8, "1.8s"),
        ("time", 0.6, "600ms"),
        ("time", 600.0, "10m"),
        ("time", 90.0, "90s"),
        ("time", 3600.0, "1h"),
        ("time", 604800, "7d"),
        ("size", 2_000_000, "2MB"),
        ("size", 524288, "512KiB"),
        ("size", 2**20, "1MiB"),
        ("size", 1001, "1001"),
        ("switch", False, "false"),
        ("count", 16, "16"),
    ],
)
def test_a_default_is_told_as_an_admin_writes_it(name, value, text):
    assert written(value, Units.model_fields[name].metadata) == text
    if name == "time":
        assert parse_duration(text) == value
    if name == "size":
        assert parse_size(text) == value


@pytest.mark.parametrize(
    "text", ["$CRM_TOKEN", "$crm_token", "%CRM_TOKEN%", "%crm_token%", "{{ CRM_TOKEN }}", "{{crm_token}}"]
)
def test_a_secret_that_is_the_name_of_a_variable_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError, match="is written \\$\\{CRM_TOKEN\\}") as caught:
        refuse_unfilled(text)
    assert text.strip("${}% ") not in str(caught.value).replace("${CRM_TOKEN}", "")


@pytest.mark.parametrize("text", ["", "$ecret", "%41bc%", "a{{b}}", "{{ a.b }}", "$5", "%", "x%CRM_TOKEN%", "%a%b%"])
def test_other_texts_with_such_signs_may_be_passwords(text):
    refuse_unfilled(text)


def test_a_relative_path_lies_beside_the_configuration(tmp_path):
    context = {"directory": tmp_path}
    assert Model.model_validate({"path": "a/b.csv"}, context=context).path == tmp_path / "a/b.csv"
    assert str(Model.model_validate({"path": "/a/b.csv"}, context=context).path) == "/a/b.csv"


@pytest.mark.parametrize(("written", "value"), [(True, True), (False, False), ("true", True), ("false", False)])
def test_a_switch_is_true_or_false(written, value):
    assert parse_switch(written) is value


@pytest.mark.parametrize("written", ["yes", "no", "on", "off", 1, 0, "1", "", None, "True", []])
def test_what_merely_looks_like_a_switch_is_refused(written):
    with pytest.raises(ValueError, match="true or false"):
        parse_switch(written)


def test_a_file_whose_place_is_left_open_is_where_systemd_says_or_beside_the_configuration():
    assert state_file("list.json", {"STATE_DIRECTORY": "/var/lib/omi-bridge"}) == Path("/var/lib/omi-bridge/list.json")
    assert state_file("list.json", {}) == Path("list.json")
