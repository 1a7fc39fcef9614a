"""`/metrics` and `/readyz` of the real service: what calls, failures, reloads and several processes leave there."""

import os
import re
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support.crm import Crm, Says
from tests.support.scrape import differences, scrape, scrape_until
from tests.support.scripted import Connection, ScriptedServer
from tests.support.service import RunningService

KEY = "planted-key-0123456789"
TOKEN = "planted-token-0123456789"
CALLER = "0901234567"


def write_config(folder: Path, crm: str, *, more: str = "", extra: str = "") -> Path:
    (folder / "customers.csv").write_text("phone,owner email\n0912345678,lan@congty.example\n", encoding="utf-8")
    (folder / "staff.csv").write_text("email,extension\nminh@congty.example,102\n", encoding="utf-8")
    config = folder / "config.yaml"
    step = "{path: owner, query: {p: '{{ caller.e164 }}'}, match: phone, take: {extension: owner}}"
    config.write_text(
        f"api_keys: [change-me, {KEY}]\nconnectors:\n"
        f"  crm: {{type: rest, base_url: '{crm}', auth: {{type: bearer, token: {TOKEN}}}, steps: [{step}]{more}}}\n"
        "  customers: {type: csv, path: customers.csv}\n"
        "extensions: {csv: {path: staff.csv}}\n"
        "routes: [{hotlines: '842499950291', connectors: crm}, {connectors: customers}]\n" + extra,
        encoding="utf-8",
    )
    return config


def ask(service: RunningService, phone: str = CALLER, hotline: str = "842499950291") -> str:
    return service.ask(query=f"phoneNumber={phone}&sipNumber={hotline}").headers["X-Bridge-Outcome"]


@contextmanager
def running(folder: Path, answer: object, *options: str, more: str = "", extra: str = ""):
    with Crm({"owner": answer}) as crm:
        config = write_config(folder, crm.url, more=more, extra=extra)
        with RunningService(config, *options) as service:
            yield service, crm


OWNED = {"phone": CALLER, "owner": "101"}


def test_calls_are_counted_by_outcome_and_by_how_they_were_come_by(tmp_path):
    with running(tmp_path, OWNED) as (service, _):
        assert [ask(service) for _ in range(3)] == ["found"] * 3
        assert ask(service, "0912345678", "") == "unmapped"
        assert service.ask(headers={"X-API-KEY": "wrong"}).status == 401
        found = scrape(service)
    assert found("omi_bridge_answers_total", outcome="found", answer="live") == 1
    assert found("omi_bridge_answers_total", outcome="found", answer="cached") == 2
    assert found("omi_bridge_answers_total", outcome="unmapped", answer="live") == 1
    assert found("omi_bridge_answers_total", outcome="unauthorized", answer="none") == 1
    assert found("omi_bridge_connector_requests_total", connector="crm") == 1
    assert found("omi_bridge_connector_seconds_count", connector="crm") == 1
    assert found("omi_bridge_cache_lookups_total", connector="crm", result="fresh") == 2
    assert found("omi_bridge_cache_lookups_total", connector="crm", result="nothing") == 1
    assert found("omi_bridge_cache_entries", connector="crm") == 1
    assert found("omi_bridge_owners_without_extension") == 1
    # The service's first caller was a withheld number: it is how the test saw that the service answers.
    answered = found("omi_bridge_answers_total", outcome="invalid-number", answer="none") + 4
    assert found("omi_bridge_answer_seconds_count") == found("omi_bridge_answer_seconds_bucket", le="2.0") == answered


def test_failures_are_counted_by_reason_until_the_source_is_left_alone(tmp_path):
    with running(tmp_path, OWNED, extra="cache: {ttl: 1ms}\n") as (service, crm):
        ask(service)
        crm.scripts["owner"] = Says(status=503)
        for number in range(5):
            assert ask(service, f"098765432{number}") == "unavailable"
        service.wait_for_log("connector crm is left alone for a while")
        assert ask(service, "0987654326") == "unavailable"
        assert ask(service) == "found"
        found = scrape(service)
    assert found("omi_bridge_connector_failures_total", connector="crm", reason="unavailable") > 5  # trials as well
    assert found("omi_bridge_connector_failures_total", connector="crm", reason="rejected") == 0
    assert found("omi_bridge_connector_refusals_total", connector="crm", reason="unavailable") == 2
    assert found("omi_bridge_answers_total", outcome="found", answer="stale") == 1
    assert found("omi_bridge_cache_lookups_total", connector="crm", result="stale") == 1
    assert found("omi_bridge_connector_open", connector="crm") == 1
    assert found("omi_bridge_troubles") == 1
    assert found("omi_bridge_connector_open", connector="customers") == 0


def test_a_token_that_is_refused_is_counted_as_such(tmp_path):
    with running(tmp_path, Says(status=401)) as (service, _):
        assert ask(service) == "unavailable"
        found = scrape(service)
    assert found("omi_bridge_connector_failures_total", connector="crm", reason="rejected") == 1


def never_answer(connection: Connection) -> None:
    connection.read_request()
    connection.stopped()


def test_what_is_under_way_is_seen_and_what_finds_no_place_is_counted(tmp_path):
    with ScriptedServer(never_answer) as crm:
        config = write_config(tmp_path, crm.url, more=", max_in_flight: 1")
        with RunningService(config, "--threads", "16") as service:
            with ThreadPoolExecutor() as callers:  # at once, for the place of a call that has left is given to the next
                outcomes = callers.map(partial(ask, service), ["0901234567", "0987654321"])
                assert list(outcomes) == ["unavailable", "unavailable"]
            found = scrape(service)
    assert found("omi_bridge_connector_in_flight", connector="crm") == 1
    assert found("omi_bridge_connector_refusals_total", connector="crm", reason="busy") == 1
    assert found("omi_bridge_connector_requests_total", connector="crm") == 0


def test_files_tell_how_old_their_content_in_force_is(tmp_path):
    with running(tmp_path, OWNED) as (service, _):
        first = scrape(service)
        old = 86400.0
        seen = (tmp_path / "customers.csv").stat()
        os.utime(tmp_path / "customers.csv", (seen.st_atime, seen.st_mtime - old))
        later = scrape_until(service, lambda found: found("omi_bridge_list_age_seconds", list="customers") > old / 2)
    assert 0 <= first("omi_bridge_list_age_seconds", list="customers") < 3600
    assert 0 <= first("omi_bridge_list_age_seconds", list="extensions.csv") < 3600
    assert first.of("list") == {"customers", "extensions.csv"}
    assert old <= later("omi_bridge_list_age_seconds", list="customers") < old + 3600


def test_a_reload_goes_on_counting_and_takes_away_what_is_gone(tmp_path):
    with running(tmp_path, OWNED) as (service, _):
        ask(service)
        text = (tmp_path / "config.yaml").read_text(encoding="utf-8")
        (tmp_path / "config.yaml").write_text(text.replace("type: rest,", "type: rest, timeout: 4s,"), encoding="utf-8")
        service.hang_up()
        service.wait_for_log("configuration reloaded")
        ask(service)
        changed = scrape(service)
        lines = [line for line in text.splitlines() if not re.match(r"  crm:|routes:", line)]
        (tmp_path / "config.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        service.hang_up()
        without = scrape_until(service, lambda found: "crm" not in found.of("connector"))
    assert changed("omi_bridge_connector_requests_total", connector="crm") == 2
    assert without.of("connector") == {"customers"}
    assert without("omi_bridge_answers_total", outcome="found", answer="live") == 2


def test_no_caller_no_hotline_and_no_rubbish_makes_a_series_or_stands_in_one(tmp_path):
    with running(tmp_path, lambda asked: {"phone": dict(asked.query)["p"], "owner": "101"}) as (service, _):
        ask(service)
        before = scrape(service)
        for number in range(100):
            ask(service, f"0903{number:06}", f"8424999{number:05}")
            ask(service, f"0904{number:06}")
            service.page(f"/rubbish-{number}?x={number}")
        for number in range(20):
            service.ask(headers={"X-API-KEY": f"wrong-{number}", "X-Request-ID": f"planted-id-{number}"})
        after = scrape(service)
    assert after("omi_bridge_answers_total", outcome="found", answer="live") == 101
    assert not list(differences(before, after))
    planted = ["0901234567", "901234567", "090300", "24999", KEY, TOKEN, "change-me", "wrong-", "rubbish", "planted"]
    assert not [word for word in [*planted, "lan@congty", str(tmp_path)] if word in after.text]


def test_the_figures_of_two_processes_add_up_and_outlive_one_of_them(tmp_path):
    with running(tmp_path, OWNED, "--workers", "2") as (service, _):
        scrape_until(service, lambda _: len(service.begun) == 2)
        asked = until_both_were_asked(service)
        total = scrape(service)
        assert in_all(total, "found") == asked
        # What each remembers is added up, and seen a few seconds later by the other.
        assert total("omi_bridge_answers_total", outcome="found", answer="live") == 1
        processes = 2
        known = scrape_until(service, lambda found: found("omi_bridge_cache_entries", connector="crm") == processes)
        assert known("omi_bridge_cache_entries", connector="crm") == processes
        assert folders(service)
        os.kill(service.begun[0], signal.SIGKILL)
        service.wait_for_log("was sent SIGKILL")
        left = scrape_until(service, lambda found: found("omi_bridge_cache_entries", connector="crm") == processes - 1)
        assert left("omi_bridge_cache_entries", connector="crm") == processes - 1
        assert in_all(left, "found") == asked
        for _ in range(10):
            ask(service)
        os.kill(service.begun[1], signal.SIGTERM)  # one that ends of its own accord takes nothing along
        again = scrape_until(service, lambda _: len(service.begun) == 4)
        assert in_all(again, "found") == asked + 10
        made = folders(service)
        assert service.stop() == 0
    assert not [folder for folder in made if folder.exists()]


def until_both_were_asked(service: RunningService) -> int:
    """Ask for the same caller until one process has heard of him from the other; say how often that was."""
    for asked in range(1, 1000):
        ask(service)
        if scrape(service)("omi_bridge_cache_lookups_total", connector="crm", result="shared") == 1:
            return asked
    raise AssertionError("the system gives one process all calls")


def in_all(found, outcome: str) -> float:
    return sum(found("omi_bridge_answers_total", outcome=outcome, answer=how) for how in ("live", "cached", "stale"))


def folders(service: RunningService) -> list[Path]:
    """Return where the processes keep their figures."""
    held = []
    for link in Path(f"/proc/{service.begun[-1]}/fd").iterdir():
        with suppress(FileNotFoundError):  # it has been closed meanwhile
            held.append(link.readlink())
    return list({file.parent for file in held if file.suffix == ".db"})


def test_readyz_waits_until_every_connector_was_tried_and_healthz_does_not(tmp_path):
    with ScriptedServer(never_answer) as crm:
        config = write_config(tmp_path, crm.url)
        text = config.read_text(encoding="utf-8")
        auth = f"{{type: oauth2_client_credentials, token_url: '{crm.url}/t', client_id: a, client_secret: {TOKEN}}}"
        config.write_text(text.replace(f"{{type: bearer, token: {TOKEN}}}", auth), encoding="utf-8")
        with RunningService(config) as service:
            waiting = service.page("/readyz")
            health = service.page("/healthz").status
            answered = ask(service, "0912345678", "")
    assert (waiting.status, waiting.text) == (
        503,
        '{"status":"starting","waiting_for":{"connector crm":"is still being opened"}}\n',
    )
    assert (health, answered) == (200, "unmapped")


def test_a_source_that_was_tried_in_vain_keeps_nobody_from_being_ready(tmp_path):
    config = write_config(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "customers.csv").unlink()
    with RunningService(config) as service:
        ready = service.page("/readyz")
        assert (ready.status, ready.text) == (200, '{"status":"ready","waiting_for":{}}\n')
        assert '"status":"degraded"' in service.page("/healthz").text


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize("processes", ["1", "2"])
def test_prometheus_own_tool_finds_nothing_to_say_against_the_text(tmp_path, processes):
    with running(tmp_path, OWNED, "--workers", processes) as (service, _):
        ask(service)
        text = scrape(service).text
    tool = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (tool.returncode, tool.stdout, tool.stderr) == (0, "", "")
