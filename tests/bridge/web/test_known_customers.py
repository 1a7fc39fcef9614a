"""What a reload does with known customers: the application in this process, and a CRM that says what it is told to."""

import threading

import pytest

from tests.support.application import opened, reload
from tests.support.known_customers import KnownCrm, expecting

KNOWN = "caller: 0901234567, extensions: [101]"


@pytest.fixture(autouse=True)
def crm(monkeypatch):
    monkeypatch.setattr(KnownCrm, "instead", "")
    monkeypatch.setattr(KnownCrm, "asked", [])
    return KnownCrm


def seen(app):
    health = app.test_client().get("/healthz").get_json()
    ask = {"phoneNumber": "0987654321"}
    answer = app.test_client().get("/get_owner_contact_by_phone", query_string=ask, headers={"X-API-KEY": "change-me"})
    return health["status"], health["troubles"], answer.get_data()


def watches(before):
    return [thread for thread in threading.enumerate() if thread.name == "expect" and thread not in before]


def test_a_reload_that_would_answer_a_known_customer_otherwise_is_refused(tmp_path):
    with opened(expecting(tmp_path, KNOWN)) as app:
        expecting(tmp_path, KNOWN, owner="minh@congty.example")
        assert not reload(app.extensions["omi_bridge"])
        status, troubles, answer = seen(app)
    assert (status, answer, list(troubles)) == ("degraded", b"101", ["configuration"])
    told = "expect[0]: caller …567 (config.yaml:9): answered otherwise: expected extension 101, got extension 102: "
    assert troubles["configuration"].startswith(f"not reloaded: {told}")


def test_a_reload_away_from_a_source_that_is_down_is_put_in_force_and_told(tmp_path, crm):
    crm.instead = "down"
    with opened(expecting(tmp_path, KNOWN)) as app:
        (tmp_path / "customers.csv").write_text("phone,owner email\n0987654321,minh@congty.example\n", encoding="utf-8")
        file = tmp_path / "config.yaml"
        text = file.read_text(encoding="utf-8")
        at = text.index("  crm:")
        file.write_text(text[:at] + "  file: {type: csv, path: customers.csv}\n" + text[text.index("extensions:") :])
        assert reload(app.extensions["omi_bridge"])
        status, troubles, answer = seen(app)
    assert (status, answer) == ("degraded", b"102")
    assert troubles["expect[0]"].startswith(
        "caller …567 (config.yaml:9): answered otherwise: expected extension 101, got"
    )


def test_known_customers_are_asked_for_in_the_background_after_a_start_and_no_more_once_a_reload_has(tmp_path):
    before = set(threading.enumerate())
    with opened(expecting(tmp_path, KNOWN)) as app:
        (watch,) = watches(before)
        assert reload(app.extensions["omi_bridge"])
        watch.join(3)  # it would not have begun by then
        assert watches(before) == []


def test_a_reload_that_answers_known_customers_as_expected_is_well(tmp_path, crm):
    with opened(expecting(tmp_path, KNOWN, owner="minh@congty.example")) as app:
        expecting(tmp_path, KNOWN)
        assert reload(app.extensions["omi_bridge"])
        assert seen(app) == ("ok", {}, b"101")
    assert crm.asked[0] == "0901234567"
