"""What a configuration consists of is read once, and is the same wherever it is used again."""

import pytest

from bridge.config.content import Content
from bridge.config.loading import load_config
from bridge.sdk.errors import ConfigError

FILE = """
api_keys: ["${KEY}", "${file:key.secret}", "${UNSET:-the-default}"]
connectors: {crm: {type: "bridge.testing.fakes:FakeConnector"}}
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "key.secret").write_text("from-a-file")
    (tmp_path / "config.yaml").write_text(FILE)
    return tmp_path / "config.yaml"


def keys(config):
    return [key.get_secret_value() for key in config.settings.api_keys]


def test_what_was_read_is_used_again_whatever_stands_in_files_and_environment_by_then(file):
    read = load_config(file, {"KEY": "from-outside", "OTHER": "not-named"})
    written = read.content.to_bytes()
    assert b"not-named" not in written
    (file.parent / "key.secret").unlink()
    file.write_text("api_kyes: []")
    again = load_config(file, {"KEY": "another", "UNSET": "set"}, content=Content.from_bytes(written))
    assert keys(again) == keys(read) == ["from-outside", "from-a-file", "the-default"]
    assert (again.content, again.secrets) == (read.content, read.secrets)


def test_any_bytes_and_any_characters_of_the_environment_go_through():
    content = Content(bytes(range(256)), {"a": b"\xff\x00"}, {"B": "\udcff\u1ea1"})
    assert Content.from_bytes(content.to_bytes()) == content


def test_what_differs_is_named_without_any_value(file):
    before = load_config(file, {"KEY": "from-outside"}).content
    (file.parent / "key.secret").write_text("changed-secret")
    file.write_text(FILE + "phone: {}\n")
    after = load_config(file, {"KEY": "changed-outside", "UNSET": "set"}).content
    assert after.differences(before, file) == ["config.yaml", "the file key.secret", "$KEY", "$UNSET"]
    assert before.differences(before, file) == []
    assert "secret" not in repr(after)


def test_a_content_that_is_wrong_is_told_as_the_file_would_be(file):
    with pytest.raises(ConfigError, match="api_kyes: unknown key"):
        load_config(file, {}, content=Content(b"api_kyes: []", {}, {}))
