"""What `omi-bridge check` says of how the service listens."""

import pytest

from bridge.config.loading import load_config
from bridge.diagnosis import sources
from bridge.diagnosis.sources import check_service
from bridge.service import Service
from tests.support.crm import Crm


def told(folder, bind):
    (folder / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    file = folder / "config.yaml"
    file.write_text(
        f"api_keys: [change-me]\nserver: {{bind: '{bind}'}}\n"
        "connectors: {customers: {type: csv, path: customers.csv}}\n"
    )
    service = Service(load_config(file))
    try:
        return [str(one) for one in check_service(service, online=False) if one.subject == "server.bind"]
    finally:
        service.close()


@pytest.mark.parametrize("bind", ["127.0.0.1:8080", "127.0.0.9:1", "[::1]:8080", "localhost:8080"])
def test_to_listen_for_this_machine_alone_is_no_matter(tmp_path, bind):
    assert told(tmp_path, bind) == []


@pytest.mark.parametrize("bind", ["0.0.0.0:8080", "[::]:8080", "192.168.1.7:8080", "bridge.example:8080"])
def test_to_listen_where_other_machines_reach_it_is_told_with_what_to_write(tmp_path, monkeypatch, bind):
    monkeypatch.setattr(sources, "IN_A_CONTAINER", ())
    (line,) = told(tmp_path, bind)
    assert line.startswith("warn ")
    assert f"other machines reach {bind}: in plain HTTP" in line
    assert "Write 127.0.0.1, and put nginx or Caddy in front" in line


def test_a_container_has_a_network_of_its_own(tmp_path, monkeypatch):
    mark = tmp_path / ".dockerenv"
    mark.touch()
    monkeypatch.setattr(sources, "IN_A_CONTAINER", (mark,))
    assert told(tmp_path, "0.0.0.0:8080") == []


TOKENS = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    auth:
      {{type: oauth2_refresh_token, token_url: "{url}/token", client_id: me, refresh_token: first, token_file: no/t}}
    steps: [{{path: contacts, query: {{q: "{{{{ caller.national }}}}"}}, match: phone, take: {{owner_id: owner}}}}]
"""


@pytest.mark.parametrize("online", [False, True])
def test_a_token_file_that_cannot_be_written_is_a_warning_and_a_trouble_of_the_service(tmp_path, online):
    file = tmp_path / "config.yaml"
    issued = {"access_token": "planted-access", "refresh_token": "planted-second"}
    with Crm({"token": issued, "contacts": []}) as crm:
        file.write_text(TOKENS.format(url=crm.url))
        service = Service(load_config(file))
        try:
            told = [str(one) for one in check_service(service, online=online)]
            why = f"auth.token_file: {tmp_path}/no/t cannot be written: its folder is missing"
            assert any(line.startswith(f"warn    crm: {why}") for line in told)
            assert not online or service.troubles()["connector crm"].startswith(why)
        finally:
            service.close()


def test_a_file_that_only_its_copy_stands_in_for_is_never_ok(tmp_path):
    customers, file = tmp_path / "customers.csv", tmp_path / "config.yaml"
    customers.write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    connectors = "connectors: {khach: {type: csv, path: customers.csv}}\n"
    file.write_text(f"api_keys: [change-me]\n{connectors}", encoding="utf-8")
    service = Service(load_config(file))
    try:
        service.open(5)
    finally:
        service.close()
    customers.unlink()
    service = Service(load_config(file))
    try:
        lines = [str(one) for one in check_service(service, online=False) if one.subject == "khach"]
    finally:
        service.close()
    assert lines[0].startswith("warn    khach: answers from the copy that was kept of its last good version")
    assert lines[-1].startswith("FAILED  khach: customers.csv: there is no such file")
    assert not any("can be opened" in line for line in lines)


WITHOUT_A_SEARCH = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    snapshot: {{every: 1h, only: true}}
    steps: []
    list: [{{path: customers, match: phone, take: {{owner_id: owner}}}}]
"""


def test_that_customers_who_alone_count_are_not_read_yet_is_no_failure(tmp_path):
    file = tmp_path / "config.yaml"
    with Crm({"customers": [{"phone": "0901234567", "owner": "7"}]}) as crm:
        file.write_text(WITHOUT_A_SEARCH.format(url=crm.url))
        service = Service(load_config(file))
        try:
            lines = [str(one) for one in check_service(service, online=True) if one.subject == "crm"]
        finally:
            service.close()
    assert lines[1:] == [
        "ok      crm: snapshot: can be read: 1 customers on the first page, of how many is not told",
        "warn    crm: snapshot: no customer is known before the service has run for as long as reading them takes",
    ]
