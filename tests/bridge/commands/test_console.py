"""`omi-bridge console` on the command line; its pages have tests of their own."""

import re

import pytest
from click.testing import CliRunner
from werkzeug.security import check_password_hash

from bridge.commands.main import main
from bridge.config.console import load_console
from bridge.sdk.errors import ConfigError
from tests.support.consoled import HASHED, SECTION

REST = "api_keys: [change-me]\nconnectors: {crm: {type: rest, base_url: '${CRM_URL}', token: '${CRM_TOKEN}'}}\n"


def test_a_password_is_asked_for_and_its_line_printed_alone(tmp_path):
    given = "short\nshort\ncorrect horse\ncorrect horse\n"
    done = CliRunner().invoke(main, ["console", "--set-password", "-c", str(tmp_path / "none.yaml")], input=given)
    found = re.fullmatch(r"  password: '(\S+)'\n", done.stdout)
    assert done.exit_code == 0
    assert check_password_hash(found[1], "correct horse")
    assert "correct horse" not in done.output
    assert "at least 10 characters" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_the_section_it_says_how_to_write_it(tmp_path):
    (tmp_path / "config.yaml").write_text("api_keys: [change-me]\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["console", "-c", str(tmp_path / "config.yaml")])
    assert done.exit_code == 2
    assert "config.yaml:1:1: console: is missing: docs/console.md tells how to write it" in done.stderr


def test_it_needs_none_of_the_secrets_of_a_crm(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(REST + SECTION, encoding="utf-8")
    assert load_console(file, {}).password.get_secret_value() == HASHED


def test_its_password_may_come_from_the_environment(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(REST + "console: {password: '${CONSOLE_PASSWORD}'}\n", encoding="utf-8")
    assert load_console(file, {"CONSOLE_PASSWORD": HASHED}).password.get_secret_value() == HASHED
    with pytest.raises(
        ConfigError, match=r"config.yaml:3:10: console: the environment variable CONSOLE_PASSWORD is not"
    ):
        load_console(file, {})
