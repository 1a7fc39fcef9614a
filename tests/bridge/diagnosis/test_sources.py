"""What `omi-bridge check` says of how the service listens."""

import pytest

from bridge.config.loading import load_config
from bridge.diagnosis import sources
from bridge.diagnosis.sources import check_service
from bridge.service import Service


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
