"""The configuration file as people may see it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.shown_file import ReadFile, changed_keys, shown_lines

IN_FORCE = """\
api_keys: [hunter2-hunter2]   # the old one was swordfish-1
server: {deadline: 1.5s}
connectors:
  crm:
    type: rest
    url: https://user:letmein@crm.example/hook/abcdef?token=tok-tok
    headers: {X-Client: client-client}
    auth: {type: basic, password: '${CRM_PASSWORD}'}
    query: |
      SELECT 1
      FROM t  -- not short
    note: pin-1234
"""
FORCE = ReadFile(IN_FORCE.encode(), {"hunter2-hunter2", "pin-1234"})
SECRETS = ("hunter2", "swordfish", "letmein", "abcdef", "tok-tok", "client-client", "pin-1234", "user")


def shown(text, secrets=FORCE.secrets):
    return dict(shown_lines(text.encode(), secrets, FORCE))


def test_a_valid_file_is_shown_without_its_secrets():
    lines = shown(IN_FORCE)
    assert lines[1] == "api_keys: [•••]"
    assert lines[2] == "server: {deadline: 1.5s}"
    assert lines[6] == "    url: https://crm.example/•••"
    assert lines[8] == "    auth: {type: •••, password: ••• $CRM_PASSWORD}"
    assert lines[11] == "      FROM t  -- not short"
    assert lines[12] == "    note: •••"
    assert [secret for secret in SECRETS if secret in str(lines)] == []


def test_in_a_file_with_problems_only_what_is_in_force_is_shown():
    changed = IN_FORCE.replace("deadline: 1.5s", "deadline: 1.5s, dead_line: letmeout").replace("rest", "sql")
    lines = shown(changed, None)
    assert lines[2] == "server: {deadline: 1.5s, dead_line: •••}"
    assert lines[5] == "    type: •••"
    assert [secret for secret in SECRETS if secret in str(lines)] == []


def test_where_the_structure_is_in_doubt_no_value_is_shown():
    lines = shown(IN_FORCE.replace("[hunter2-hunter2]", "[hunter2-hunter2") + "hunter2: x\n", None)
    assert (lines[1], lines[2], lines[3]) == ("api_keys: •••", "server: •••", "connectors:")
    assert lines[13] == "•••"
    assert [secret for secret in SECRETS if secret in str(lines)] == []


def test_a_masked_text_of_several_lines_keeps_the_numbers_and_hides_how_many_they_were():
    text = "api_keys:\n  - |\n    first\n    second\n\nserver:\n  token: 'a\n    b'\n  path: /x\n"
    lines = shown(text)
    assert [number for number, line in lines.items() if line] == [1, 2, 6, 7, 9]
    assert (lines[2], lines[6], lines[7], lines[9]) == ("  - •••", "server:", "  token: •••", "  path: /x")


@pytest.mark.parametrize("secret", ["x", "hunter2-hunter2", "a longer one with blanks"])
def test_how_long_a_secret_is_makes_no_difference(secret):
    assert shown(f"api_keys: ['{secret}']\n", {secret}) == {1: "api_keys: [•••]", 2: ""}


def test_what_looks_like_a_key_is_masked_whatever_it_is_called():
    lines = shown("connectors: {crm: {path: '/find?k=v1&q={{ x }}', filter: 0a1b2c3d4e5f6a7b8c9d0e1f}}\n", set())
    assert lines[1] == "connectors: {crm: {path: '/find?k=•••&q=••• x }}', filter: •••}}"


@given(st.text(alphabet=st.sampled_from("a:- \n'\"|>{}[],#&*!$%@\t\r\0ü"), max_size=60))
def test_whatever_stands_there_ends_in_lines(text):
    for secrets in (None, FORCE.secrets):
        numbers = [number for number, _ in shown_lines(text.encode(), secrets, FORCE)]
        assert numbers == sorted(set(numbers))


def test_keys_are_named_that_have_another_value():
    after = IN_FORCE.replace("1.5s", "1s").replace("    note: pin-1234\n", "") + "phone: {region: VN}\n"
    assert changed_keys(after.encode(), IN_FORCE.encode()) == ["server.deadline", "phone.region", "connectors.crm.note"]
