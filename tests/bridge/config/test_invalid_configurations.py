"""Every way in which an admin can go wrong, with the exact lines that he is told: `tests/invalid/*.yaml` and `.txt`."""

import os
from pathlib import Path

import pytest

from bridge.config.loading import load_config
from bridge.sdk.errors import ConfigError
from tests.support.another_user import as_nobody

FOLDER = Path(__file__).parents[2] / "invalid"
CASES = sorted(FOLDER.glob("*.yaml"))


def complaints(file: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    return str(caught.value).replace(f"{file.parent}{os.sep}", "")


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_an_invalid_configuration_is_told_exactly_what_is_wrong(file):
    assert complaints(file) == file.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_no_complaint_repeats_a_value_that_may_be_a_secret(file):
    assert "hunter2" not in complaints(file)


def test_there_is_a_case_for_each_way_to_go_wrong():
    assert len(CASES) >= 40
    assert {file.stem for file in CASES} == {file.stem for file in FOLDER.glob("*.txt")}


def test_a_missing_file_is_named_with_its_whole_path_and_what_lies_beside_it(tmp_path, monkeypatch):
    (tmp_path / "config.yml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_config(Path("config.yaml"), {})
    assert str(caught.value) == (
        f"config.yaml: cannot be read: No such file or directory: {tmp_path}/config.yaml, did you mean 'config.yml'?"
    )


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path, {})


def test_an_unreadable_file_is_named(tmp_path):
    file = tmp_path / "config.yaml"
    file.touch(mode=0o000)
    with as_nobody(), pytest.raises(ConfigError, match="cannot be read: Permission denied"):  # root may read everything
        load_config(file, {})


def test_a_file_that_is_no_configuration_is_not_read_whole(tmp_path):
    file = tmp_path / "config.yaml"
    with file.open("wb") as stream:
        stream.truncate(10**9)
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load_config(file, {})
