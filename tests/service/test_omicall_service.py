"""The real service with OMICall as its directory: away, hung, refusing, coming back; and no SIP password anywhere."""

import json
import stat
import subprocess
import sys
import threading

import pytest

from bridge.config.json_schema import configuration_schema
from tests.support.omicall import API_KEY, Omicall, is_list, phone, sip_password
from tests.support.servers import Reply
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
server: {{log_level: debug, log_format: json}}
connectors:
  customers: {{type: csv, path: customers.csv}}
extensions:
  inline: {{minh@congty.example: 102}}
  omicall: {{api_key: "${{OMICALL_API_KEY}}", url: "{url}", refresh: 1h}}
"""
ROWS = """phone,owner email
0901234567,lan@congty.example
0912345678,minh@congty.example
0923456789,nghi@congty.example
"""
LAN, MINH, NGHI = "0901234567", "0912345678", "0923456789"


@pytest.fixture
def omicall():
    with Omicall(phone("101", "lan@congty.example", "Lan"), phone("105", "quang@congty.example", "Quang")) as server:
        yield server


@pytest.fixture
def config(tmp_path, omicall):
    (tmp_path / "customers.csv").write_text(ROWS, encoding="utf-8")
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG.format(url=omicall.url), encoding="utf-8")
    return file


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("OMICALL_API_KEY", API_KEY)


pytestmark = pytest.mark.usefixtures("environment")


def outcome(reply):
    return reply.headers["X-Bridge-Outcome"], reply.body


def command(config, *arguments):
    run = [sys.executable, "-m", "bridge", arguments[0], "-c", str(config), *arguments[1:]]
    return subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)


def away(_asked):
    return Reply(json.dumps({"status": sip_password("101")}).encode(), 503)


def test_omicall_leads_from_the_owner_to_the_extension(config):
    with RunningService(config) as service:
        assert outcome(service.ask(LAN)) == ("found", b"101")
        assert outcome(service.ask(MINH)) == ("found", b"102")
        assert outcome(service.ask(NGHI)) == ("unmapped", b"")
        assert service.troubles == {}


def test_while_omicall_is_away_at_the_start_the_kept_list_answers(config, omicall):
    with RunningService(config) as service:
        service.ask_until(LAN, b"101")
    omicall.fault = away
    with RunningService(config) as service:
        assert outcome(service.ask(LAN)) == ("found", b"101")
        service.wait_for_log("extensions.omicall: .* answered 503; the last good list stays in force")
        assert outcome(service.ask(LAN)) == ("found", b"101")
        assert "answered 503" in service.troubles["extensions.omicall"]


def test_without_a_kept_list_what_only_omicall_could_tell_is_unavailable(config, omicall):
    omicall.fault = away
    with RunningService(config) as service:
        assert outcome(service.ask(LAN)) == ("unavailable", b"")
        assert outcome(service.ask(MINH)) == ("found", b"102")


def test_while_omicall_hangs_no_call_waits_for_it(config, omicall):
    held = threading.Event()
    omicall.fault = lambda _asked: held.wait(30) and None
    try:
        with RunningService(config) as service:
            assert outcome(service.ask(MINH)) == ("found", b"102")
            assert outcome(service.ask(LAN)) == ("unavailable", b"")
            assert not held.is_set()
            held.set()
            assert service.ask_until(LAN, b"101").body == b"101"
    finally:
        held.set()


def test_a_reload_keeps_a_list_whose_settings_stay_and_reads_one_whose_settings_change(config, omicall):
    with RunningService(config) as service:
        service.ask_until(LAN, b"101")
        config.write_text(config.read_text().replace("minh@congty.example: 102", "minh@congty.example: 103"))
        service.hang_up()
        assert service.ask_until(MINH, b"103").body == b"103"
        assert (omicall.signed_in, outcome(service.ask(LAN))) == (1, ("found", b"101"))
        config.write_text(config.read_text().replace("refresh: 1h", "refresh: 2h").replace("103", "104"))
        service.hang_up()
        assert service.ask_until(MINH, b"104").body == b"104"
        assert (omicall.signed_in, outcome(service.ask(LAN))) == (2, ("found", b"101"))


def test_a_reload_that_would_lose_the_list_is_not_made(config):
    with RunningService(config) as service:
        service.ask_until(LAN, b"101")
        wrong = config.read_text().replace("${OMICALL_API_KEY}", "wrong-key").replace(": 102", ": 103")
        config.write_text(wrong)
        service.hang_up()
        service.wait_for_log("not reloaded, .* extensions.omicall: .* refuses: api_key_invalid")
        assert outcome(service.ask(LAN)) == ("found", b"101")
        assert outcome(service.ask(MINH)) == ("found", b"102")


def test_no_sip_password_and_no_key_is_kept_logged_or_shown(config, omicall):
    with RunningService(config) as service:
        service.ask_until(LAN, b"101")
        shown = [json.dumps(service.troubles)]
    log = service.log
    omicall.fault = lambda asked: away(asked) if is_list(asked) else None
    with RunningService(config) as service:
        service.wait_for_log("answered 503")
        shown.append(json.dumps(service.troubles))
    omicall.fault = None
    asked = [
        command(config, "check"),
        command(config, "check", "--online"),
        command(config, "lookup", "--explain", LAN),
        command(config, "lookup", "--explain", "--json", NGHI),
    ]
    assert [one.returncode for one in asked] == [0, 0, 0, 0]
    kept = config.parent / "omicall-extensions.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "lan@congty.example" in kept.read_text()
    everything = "\n".join([*log, *service.log, *shown, *(one.stdout + one.stderr for one in asked)])
    everything += "".join(
        file.read_bytes().decode("utf-8", "replace")
        for file in config.parent.iterdir()
        if file != config and file.is_file()
    )
    assert "extension 101 (extensions.omicall lan@congty.example)" in everything
    for secret in (sip_password("101"), sip_password("105"), API_KEY, "token-1"):
        assert secret not in everything


def test_lookup_tells_that_omicall_could_not_be_read(config, omicall):
    omicall.fault = away
    told = command(config, "lookup", "--explain", LAN)
    assert (told.returncode, told.stdout) == (1, "\n")
    assert "extensions.omicall: " in told.stderr
    assert "answered 503" in told.stderr


def test_the_schema_knows_the_keys_of_omicall():
    extensions = configuration_schema()["$defs"]["Extensions"]
    assert extensions["additionalProperties"] is False
    assert set(extensions["properties"]["omicall"]["properties"]) == {
        *("api_key", "url", "keep", "refresh", "timeout", "tls"),
    }
    assert extensions["properties"]["omicall"]["required"] == ["api_key"]
