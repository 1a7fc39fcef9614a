"""What `omi-bridge check` says of known customers: the command itself, and a real HTTP server as the CRM."""

import re

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from tests.support.crm import Crm, Says
from tests.support.shelf import Shelf

CONFIG = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    timeout: 2s
    steps:
      - {{path: contact, query: {{p: '{{{{ caller.e164 }}}}'}}, match: phone, take: {{owner_id: owner}}}}
      - {{path: user, query: {{id: '{{{{ owner_id }}}}'}}, take: {{email: email}}}}
extensions: {{inline: {{lan@congty.example: 101, minh@congty.example: 102}}}}
{expect}
"""
OWNER = {"id": "7", "email": "lan@congty.example"}
NEVER_TRIED = (
    "warn    crm: no known customer was found here: what names the owner was never read, and step 2 never asked, and "
    "missing rights or hidden records look just so: name one under 'expect:', or try one with --known"
)


@pytest.fixture
def crm():
    with Crm({"contact": {"phone": "0901234567", "owner": "7"}, "user": OWNER}) as crm:
        yield crm


@pytest.fixture
def check(crm, tmp_path):
    def run(*options, expect=()):
        listed = "expect:\n" + "".join(f"  - {{{entry}}}\n" for entry in expect) if expect else ""
        file = tmp_path / "config.yaml"
        file.write_text(CONFIG.format(url=crm.url, expect=listed), encoding="utf-8")
        result = CliRunner().invoke(main, ["check", "-c", str(file), *map(str, options)], catch_exceptions=False)
        assert "1234567" not in re.sub(r"\{caller: .*", "", result.stdout)
        return result.exit_code, result.output.splitlines()

    return run


def about(lines, subject):
    return [
        line for line in lines if line.startswith(tuple(f"{word:6}  {subject}: " for word in ("ok", "warn", "FAILED")))
    ]


def test_a_list_that_is_fetched_whole_hides_nobody_and_needs_no_known_customer(tmp_path):
    shelf = Shelf(b"phone,owner email\n0901234567,lan@congty.example\n")
    file = tmp_path / "config.yaml"
    with shelf.server:
        connectors = f"connectors: {{customers: {{type: csv, url: '{shelf.url}'}}}}"
        extensions = "extensions: {inline: {lan@congty.example: 101}}"
        file.write_text(f"api_keys: [change-me]\n{connectors}\n{extensions}\n", encoding="utf-8")
        for options in ([], ["--online"]):
            result = CliRunner().invoke(main, ["check", "-c", str(file), *options], catch_exceptions=False)
            assert result.exit_code == 0
            assert "known customer" not in result.output


def test_without_known_customers_it_says_what_was_never_tried_and_how_to_name_some(check):
    code, lines = check("--online")
    assert code == 0
    assert NEVER_TRIED in lines
    at = lines.index(next(line for line in lines if line.startswith("warn    expect: no known customers are named: ")))
    assert lines[at + 1 : at + 3] == ["        expect:", "          - {caller: 0901234567, extensions: [101]}"]


def test_without_being_online_it_is_a_hint(check):
    code, lines = check()
    assert code == 0
    assert lines[2:] == ["ok      expect: no known customers are named (check --online tells how)"]


def test_the_lines_that_it_shows_are_a_configuration(check, tmp_path):
    _, lines = check("--online")
    at = lines.index("        expect:")
    (tmp_path / "pasted.yaml").write_text("\n".join(line[8:] for line in lines[at : at + 4]), encoding="utf-8")
    code, lines = check("--online", "--expect", tmp_path / "pasted.yaml")
    assert about(lines, "expect") == ["FAILED  expect: 3 known customer(s): 2 as expected, 1 answered otherwise"]
    assert code == 1


def test_known_customers_who_are_met_say_so_and_show_that_the_steps_are_right(check):
    entries = ["caller: 0901234567, extensions: [101]", "caller: 0912345678, extensions: []"]
    code, lines = check("--online", expect=entries)
    assert code == 0
    assert about(lines, "expect[0]")[0].startswith(
        "ok      expect[0]: caller …567 (config.yaml:13): as expected: extension 101, from crm ("
    )
    assert about(lines, "expect[1]")[0].startswith(
        "ok      expect[1]: caller …678 (config.yaml:14): as expected: nobody ("
    )
    assert about(lines, "expect") == ["ok      expect: 2 known customer(s): 2 as expected"]
    assert not any("no known customer was found" in line for line in lines)


def test_a_field_that_is_empty_by_now_fails_the_check_with_each_step(check, crm):
    crm.scripts["user"] = {"id": "7", "email": None}
    code, lines = check("--online", expect=["caller: 0901234567, owners: lan@congty.example"])
    at = lines.index(about(lines, "expect[0]")[0])
    assert lines[at].startswith(
        "FAILED  expect[0]: caller …567 (config.yaml:13): answered otherwise: expected owner lan@congty.example, got "
    )
    assert "        step 2 (user): record 1: email = None (email)" in lines[at:]
    assert about(lines, "expect") == ["FAILED  expect: 1 known customer(s): 1 answered otherwise"]
    assert code == 1


def test_who_cannot_be_asked_is_a_warning_with_the_reason(check, crm):
    def down(question):
        return Says(status=503) if "901234567" in str(question.query) else {"phone": "x"}

    crm.scripts["contact"] = down
    code, lines = check("--online", expect=["caller: 0901234567, extensions: [101]"])
    (line,) = about(lines, "expect[0]")
    assert line.startswith("warn    expect[0]: caller …567 (config.yaml:13): cannot be asked: crm: step 1 (contact): ")
    assert about(lines, "expect") == ["warn    expect: 1 known customer(s): 1 cannot be asked"]
    assert code == 0


def test_a_right_answer_that_comes_too_late_for_a_call_fails_the_check(check, tmp_path):
    def run(deadline):
        file = tmp_path / "config.yaml"
        file.write_text(file.read_text().replace("connectors:", f"server: {{deadline: {deadline}}}\nconnectors:"))
        return CliRunner().invoke(main, ["check", "-c", str(file), "--online"])

    check(expect=["caller: 0901234567, extensions: [101]"])
    result = run("1ms")
    assert result.exit_code == 1
    assert "too late for a call, which waits 0.001 s (server.deadline)" in result.stdout
    assert re.search("FAILED  expect: [0-9] known customer.*as expected, but too late", result.stdout)


def test_one_caller_is_asked_for_once_step_by_step(check):
    code, lines = check("--online", "--known", "0901234567")
    at = lines.index(about(lines, "--known")[0])
    assert lines[at].startswith("ok      --known: caller …567 (command line): as expected: extension 101, from crm (")
    assert "        step 2 (user): record 1: email = 'lan@congty.example' (email)" in lines[at:]
    assert NEVER_TRIED not in lines
    assert code == 0


def test_one_caller_for_whom_nobody_comes_is_an_error(check):
    code, lines = check("--online", "--known", "0912345678")
    (line,) = about(lines, "--known")
    assert line.startswith(
        "FAILED  --known: caller …678 (command line): answered otherwise: expected somebody, got nobody: "
    )
    assert any("record 1 does not count: it does not hold the caller's number" in line for line in lines)
    assert code == 1


def test_expectations_may_stand_in_a_file_of_their_own(check, tmp_path):
    (tmp_path / "more.csv").write_text("phone,extensions\n0901234567,102\n", encoding="utf-8")
    code, lines = check("--online", "--expect", tmp_path / "more.csv")
    assert "caller …567 (more.csv:2): answered otherwise: expected extension 102, got extension 101" in "".join(lines)
    assert code == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--known", "0901234567"], "--known and --expect need --online"),
        (["--online", "--known", "101"], "--known 101 is no telephone number: too short"),
        (["--online", "--expect", "LIST"], "list.yaml:1:1: the file has to hold keys with values, such as 'expect: [{"),
    ],
)
def test_wrong_usage_is_told(check, tmp_path, options, told):
    (tmp_path / "list.yaml").write_text("- {caller: 0901234567, extensions: [101]}\n", encoding="utf-8")
    code, lines = check(*[str(tmp_path / "list.yaml") if word == "LIST" else word for word in options])
    assert code == 2
    assert told in "\n".join(lines)


def test_an_extension_or_an_owner_whom_no_list_knows_is_told_before_anybody_is_asked(check):
    entries = ["caller: 0901234567, extensions: [109]", "caller: 0912345678, owners: [minhh@congty.example]"]
    code, lines = check(expect=entries)
    assert lines[3:] == [
        "warn    expect[0]: config.yaml:13: extension 109 stands in no list of extensions: known there: 101, 102",
        (
            "warn    expect[1]: config.yaml:14: owner minhh@congty.example is nobody in the lists of extensions, "
            "did you mean 'minh@congty.example'?"
        ),
    ]
    assert code == 0
