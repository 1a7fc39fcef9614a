import pytest

from bridge.config.loading import load_config
from bridge.diagnosis.settings import settings_to_look_at

CRM = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    auth: {auth}
    steps: [{{path: people, query: {{phone: "{{{{ caller.national }}}}"}}, match: phone, take: {{owner_id: id}}}}]
"""
BEARER = "{type: bearer, token: planted-4711}"


def told(folder, text):
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    found = [str(finding) for finding in settings_to_look_at(load_config(file, {}))]
    assert "planted" not in "".join(found)
    return found


def test_credentials_that_leave_this_machine_without_tls_are_told(tmp_path):
    (line,) = told(tmp_path, CRM.format(url="http://crm.congty.example/api", auth=BEARER))
    assert line == (
        "warn    crm: base_url: credentials and customers' numbers go to crm.congty.example in the clear, "
        "and whoever is in between reads them: write https://"
    )


@pytest.mark.parametrize(
    ("url", "auth"),
    [
        ("https://crm.congty.example/api", BEARER),
        ("http://127.0.0.1:8069/api", BEARER),
        ("http://[::1]/api", BEARER),
        ("http://localhost:8069/api", BEARER),
        ("http://crm.congty.example/api", "{type: none}"),
    ],
)
def test_what_stays_here_or_is_no_secret_may_go_in_the_clear(tmp_path, url, auth):
    assert told(tmp_path, CRM.format(url=url, auth=auth)) == []


def test_the_address_of_a_preset_and_of_a_list_counts_too(tmp_path):
    text = (
        "api_keys: [change-me]\nconnectors:\n"
        "  crm: {type: espocrm, url: 'http://espo.example', key: planted-4711}\n"
        "extensions:\n  omicall: {api_key: planted-4711, url: 'http://omicall.example'}\n"
    )
    assert [line.partition(" credentials")[0] for line in told(tmp_path, text)] == [
        "warn    crm: url:",
        "warn    extensions.omicall: url:",
    ]


def test_a_variable_that_is_written_as_in_a_makefile_is_told(tmp_path):
    text = CRM.format(url="https://crm.congty.example", auth="{type: bearer, token: $(CRM_TOKEN)}")
    advice = "which is not filled in: a variable of the environment is written ${NAME}"
    assert told(tmp_path, text) == [f"warn    crm: auth.token holds $(NAME), {advice}"]
    text = text.replace("$(CRM_TOKEN)", "planted").replace("[change-me]", "[$(OMI_KEY)]")
    assert told(tmp_path, text) == [f"warn    api_keys: a key holds $(NAME), {advice}"]


def test_a_certificate_that_is_not_checked_is_told(tmp_path):
    text = CRM.format(url="https://crm.congty.example", auth=BEARER)
    tls = text.replace("    auth:", "    tls: {verify: false}\n    auth:")
    assert [line.partition(":")[0] for line in told(tmp_path, tls)] == ["warn    crm"]
    assert "tls.verify is false: certificates are not checked" in told(tmp_path, tls)[0]
    assert told(tmp_path, text) == []
