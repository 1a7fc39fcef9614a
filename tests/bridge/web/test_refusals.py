"""What is answered before the endpoint is told in the log, counted, and one of OMICall's calls if it names a caller."""

import re
from ipaddress import ip_network

import pytest

from bridge.config.loading import load_config
from bridge.web.refusals import meant_path
from tests.support.application import opened

PATH = "/get_owner_contact_by_phone"
CALLER = "?phoneNumber=0901234567"
KEY = {"X-API-KEY": "change-me"}


@pytest.fixture
def client(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    config = "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n"
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    with opened(load_config(tmp_path / "config.yaml")) as app:
        yield app.test_client()


def refused(client) -> dict[str, float]:
    text = client.get("/metrics").get_data(as_text=True)
    found = re.findall(r'omi_bridge_requests_refused_total\{reason="([\w-]+)"\} ([0-9.]+)', text)
    return {reason: float(count) for reason, count in found if float(count)}


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
def test_a_slash_at_the_end_of_the_path_changes_nothing(client, path):
    answer = client.get(path + CALLER, headers=KEY)
    assert (answer.status_code, answer.get_data(), answer.headers["X-Bridge-Outcome"]) == (200, b"101", "found")
    assert client.get(path, headers=KEY).status_code == 400
    assert client.get(path + CALLER).status_code == 401
    for method in (client.head, client.post, client.options):
        response = method(path + CALLER, headers=KEY)
        assert (response.status_code, response.headers["Allow"], response.get_data()) == (405, "GET", b"")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("/Get_Owner_Contact_By_Phone", "the path is /get_owner_contact_by_phone"),
        ("/get_owner_contact_by_phone//", "the path is /get_owner_contact_by_phone"),
        ("/get_owner_contact_by_phon", "the path is /get_owner_contact_by_phone"),
        ("/api//get_owner_contact_by_phone", "the path is /get_owner_contact_by_phone"),
        ("/crm/owner", "there is no /crm/owner, the path is /get_owner_contact_by_phone"),
        ("/get_owner_contact_by_phone/0901234567", "there is no /get_owner_contact_by_phone/...567, the path is /get_"),
    ],
)
def test_a_call_for_another_path_is_answered_with_404_and_told_what_the_path_is(client, caplog, asked, told):
    response = client.get(asked + CALLER, headers={**KEY, "X-Request-ID": "call-1"})
    assert (response.status_code, response.get_data(), response.headers["X-Request-ID"]) == (404, b"", "call-1")
    assert response.headers["Cache-Control"] == "no-store"
    assert f"404 for 127.0.0.1: there is no {asked[:4]}" in caplog.text
    assert told in caplog.text
    assert "0901234567" not in caplog.text
    assert refused(client) == {"path": 1.0}


def test_what_scans_the_internet_is_told_nothing_and_shown_as_signs(client, caplog):
    assert client.get("/wp-login.php\u202e%0a" + "x" * 300).status_code == 404
    assert "there is no /wp-login.php\\u202e\\nxxx" in caplog.text
    assert "the path is" not in caplog.text


def test_another_method_and_another_network_are_counted_as_that(client, caplog):
    client.post("/healthz")
    assert "405 for 127.0.0.1: POST /healthz: write GET" in caplog.text
    client.application.extensions["omi_bridge"].service.allow = [ip_network("198.51.100.0/24")]
    assert client.get(PATH + CALLER, headers=KEY).status_code == 403
    assert caplog.messages.count("server.allow does not name 127.0.0.1: turned away") == 1
    assert refused(client) == {"method": 1.0, "network": 1.0}


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("/HEALTHZ", "/healthz"), ("//owner//", "/owner"), ("/v1/owner", "/owner"), ("/", None), ("/favicon.ico", None)],
)
def test_what_somebody_meant_is_known_by_slashes_capitals_and_slips(asked, meant):
    assert meant_path(asked, ("/owner", "/healthz")) == meant


def test_nobody_can_make_the_search_for_it_long():
    assert meant_path("/owner" * 1000, ("/owner",)) is None
