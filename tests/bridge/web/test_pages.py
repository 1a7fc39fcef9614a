import os
from datetime import datetime

import pytest

from bridge.config.loading import load_config
from bridge.sdk.shared import Moments
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Slips
from bridge.web.health import Health
from bridge.web.pages import Readiness
from tests.support.application import opened
from tests.support.fakes import FakeClock


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    (tmp_path / "staff.csv").write_text("email,extension\nlan@congty.example,101\n", encoding="utf-8")
    (tmp_path / "config.yaml").write_text(
        "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n"
        "  old: {type: csv, path: old.csv}\nextensions: {csv: {path: staff.csv}}\n",
        encoding="utf-8",
    )
    return tmp_path


def page(folder):
    with opened(load_config(folder / "config.yaml")) as app:
        response = app.test_client().get("/healthz")
        ask = {"phoneNumber": "0901234567"}
        answer = app.test_client().get(
            "/get_owner_contact_by_phone", query_string=ask, headers={"X-API-KEY": "change-me"}
        )
        return response.status_code, response.get_json(), answer.get_data()


def test_all_is_well(folder):
    (folder / "old.csv").write_text("phone,extension\n0912345678,102\n", encoding="utf-8")
    status, health, answer = page(folder)
    assert (status, health["status"], health["troubles"], health["since"], answer) == (200, "ok", {}, {}, b"101")


def test_the_last_call_and_each_sources_last_answer_are_told_in_local_time(folder):
    with opened(load_config(folder / "config.yaml")) as app:
        before = app.test_client().get("/healthz").get_json()
        assert before["last_call"] == "none since start"
        assert before["last_answers"] == {"customers": "none since start", "old": "none since start"}
        app.test_client().get(
            "/get_owner_contact_by_phone",
            query_string={"phoneNumber": "0901234567"},
            headers={"X-API-KEY": "change-me"},
        )
        after = app.test_client().get("/healthz").get_json()
    for told in (after["last_call"], after["last_answers"]["customers"]):
        assert told.keys() == {"time", "age"}
        assert 0 <= told["age"] < 20
        moment = datetime.fromisoformat(told["time"])
        assert moment.utcoffset() == datetime.now().astimezone().utcoffset()
        assert abs((datetime.now().astimezone() - moment).total_seconds()) < 20
    assert after["last_answers"]["old"] == "none since start"


def test_a_trouble_is_told_with_since_when_it_was_seen_and_a_later_one_begins_anew():
    now, found = FakeClock(), {"connector crm": "unavailable: 503"}
    health = Health(lambda: dict(found), Slips(MachineMemory(), "health"), Moments(1), dict, wall_clock=now)
    health.look()
    now.advance(60)
    found |= {"cache.path": "the disk is full", "connector crm": "unavailable: 502"}
    first, second = (health.page()["since"][part] for part in ("connector crm", "cache.path"))
    assert (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds() == 60
    del found["connector crm"]
    health.look()
    now.advance(60)
    found["connector crm"] = "unavailable: 503"
    third = health.page()["since"]["connector crm"]
    assert (datetime.fromisoformat(third) - datetime.fromisoformat(second)).total_seconds() == 60


def test_every_process_of_a_machine_tells_what_any_of_them_sees():
    memory, now = MachineMemory.make(), FakeClock()
    seen = [{"connector crm": "unavailable: 503"}, {}]
    one, other = (
        Health(lambda mine=mine: mine, Slips(memory, "health"), Moments(1), dict, wall_clock=now) for mine in seen
    )
    one.look()
    now.advance(60)
    other.look()
    pages = [health.page() for health in (one, other)]
    assert pages[0] == pages[1]
    assert (pages[0]["status"], pages[0]["troubles"]) == ("degraded", seen[0])
    seen[0].clear()
    one.look()
    assert other.page()["status"] == "ok"


def test_what_is_in_trouble_is_named_with_its_reason_while_calls_are_answered(folder):
    status, health, answer = page(folder)
    assert (status, health["status"], answer) == (200, "degraded", b"101")
    assert list(health["troubles"]) == ["connector old"]
    assert "there is no such file" in health["troubles"]["connector old"]


def test_without_its_list_of_extensions_no_call_is_told_that_there_is_none(folder):
    (folder / "staff.csv").unlink()
    _, health, answer = page(folder)
    assert "there is no such file" in health["troubles"]["extensions.csv"]
    assert answer == b""


def test_files_that_are_older_than_their_max_age_are_named_while_they_answer(folder):
    (folder / "old.csv").write_text("phone,extension\n0912345678,102\n", encoding="utf-8")
    (folder / "away.csv").write_text("owner,deputy,from,until\n", encoding="utf-8")
    for name in ("old.csv", "staff.csv", "away.csv"):
        os.utime(folder / name, (1_000_000_000, 1_000_000_000))
    (folder / "config.yaml").write_text(
        "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv, max_age: 7d}\n"
        "  old: {type: csv, path: old.csv, max_age: 26h}\nextensions:\n  csv: {path: staff.csv, max_age: 1d}\n"
        "  deputies: {csv: {path: away.csv, max_age: 30d}}\n",
        encoding="utf-8",
    )
    _, health, answer = page(folder)
    assert answer == b"101"
    assert health["troubles"].keys() == {"connector old", "extensions.csv", "extensions.deputies.csv"}
    assert all("max_age is" in told for told in health["troubles"].values())


def test_ready_is_who_waits_for_nothing_any_more_and_stays_so():
    waiting = {"connector crm": "is still being opened"}
    readiness = Readiness(lambda: waiting, FakeClock())
    assert readiness.waited_for() == waiting
    waiting.clear()
    assert readiness.waited_for() == {}
    waiting["connector erp"] = "is still being opened"
    assert readiness.waited_for() == {}


def test_a_source_that_hangs_does_not_keep_the_others_from_answering_for_ever():
    clock = FakeClock()
    readiness = Readiness(lambda: {"connector crm": "is still being opened"}, clock)
    clock.advance(29)
    assert readiness.waited_for()
    clock.advance(1)
    assert not readiness.waited_for()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readyz", "/readyz/", "/metrics/"])
def test_a_load_balancer_may_ask_by_any_method_that_is_usual_and_with_a_slash(folder, method, path):
    config = folder / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "server: {allow: [198.51.100.0/24]}\n", encoding="utf-8")
    with opened(load_config(config)) as app:
        response = app.test_client().open(path, method=method)
        assert response.status_code == app.test_client().get(path.rstrip("/")).status_code != 403
