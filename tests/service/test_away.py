"""Somebody is away, as OMICall and the admin see it: the real service, its file of deputies, and its decisions."""

import subprocess
import sys
from datetime import date, timedelta

import pytest

from tests.support.crm import Crm
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
cache: {{ttl: 1h}}
connectors:
  crm: {{type: rest, base_url: "{url}", steps: [{{path: contacts, match: phone, take: {{email: owner}}}}]}}
extensions:
  inline: {{lan@congty.example: 101, minh@congty.example: 102, huong@congty.example: 103}}
  deputies:
    inline: [{{owner: huong@congty.example, deputy: minh@congty.example, ring: beside}}]
    csv: {{path: deputies.csv}}
"""
HEADER = "Nhân viên nghỉ;Người thay;Từ ngày;Đến ngày\n"
LAN, HUONG = "0901234567", "0912345678"


def day(offset):
    return f"{date.today() + timedelta(days=offset):%d/%m/%Y}"  # noqa: DTZ011 - the machine's own day is meant


def write(folder, *rows):
    (folder / "deputies.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def crm():
    def contacts(_question):
        return [
            {"phone": LAN, "owner": "lan@congty.example"},
            {"phone": HUONG, "owner": "huong@congty.example"},
        ]

    with Crm({"contacts": contacts}) as server:
        yield server


@pytest.fixture
def config(tmp_path, crm):
    write(tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG.format(url=crm.url), encoding="utf-8")
    return file


def run(config, *arguments):
    command = [sys.executable, "-m", "bridge", *arguments[:1], "-c", str(config), *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_remembered_answer_follows_the_deputies_at_once(tmp_path, config, crm):
    with RunningService(config) as service:
        assert service.ask(LAN).body == b"101"
        write(tmp_path, f"lan@congty.example;minh@congty.example;{day(-1)};{day(1)}")
        reply = service.ask_until(LAN, b"102")
        assert reply.body == b"102"
        assert (reply.headers["X-Bridge-Outcome"], reply.headers["X-Bridge-Answer"]) == ("found", "cached")
        write(tmp_path, f"lan@congty.example;minh@congty.example;{day(1)};{day(2)}")
        assert service.ask_until(LAN, b"101").body == b"101"
        assert service.ask(HUONG).body == b"103:102"
        assert [question.path for question in crm.asked] == ["/api/contacts"] * 2


def test_a_file_that_is_broken_is_told_and_the_last_good_one_stays_in_force(tmp_path, config):
    write(tmp_path, f"lan@congty.example;minh@congty.example;;{day(1)}")
    with RunningService(config) as service:
        assert service.ask(LAN).body == b"102"
        (tmp_path / "deputies.csv").write_text("nonsense\n", encoding="utf-8")
        service.wait_for_log(
            "deputies.csv: no column is recognised as who is away.*the last good version stays in force"
        )
        assert service.ask(LAN).body == b"102"
        assert "no column is recognised" in service.troubles["extensions.deputies.csv"]


def test_a_file_that_was_never_there_leaves_the_owners_ringing(tmp_path, config):
    (tmp_path / "deputies.csv").unlink()
    with RunningService(config) as service:
        assert (service.ask(LAN).body, service.ask(HUONG).body) == (b"101", b"103:102")
        write(tmp_path, "lan@congty.example;minh@congty.example;;")
        assert service.ask_until(LAN, b"102").body == b"102"


def test_a_reload_brings_and_takes_deputies(config):
    with RunningService(config) as service:
        assert service.ask(HUONG).body == b"103:102"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("ring: beside", f"until: {day(0)}"), encoding="utf-8")
        service.hang_up()
        assert service.ask_until(HUONG, b"102").body == b"102"
        config.write_text(text.replace("ring: beside", f"until: {day(-1)}"), encoding="utf-8")
        service.hang_up()
        assert service.ask_until(HUONG, b"103").body == b"103"


def test_the_decisions_and_the_explanation_say_who_answered_for_whom(tmp_path, config):
    write(tmp_path, f"lan@congty.example;Minh <minh@congty.example>;;{day(0)}")
    with RunningService(config) as service:
        assert service.ask(LAN).body == b"102"
    away = f"deputy: lan@congty.example is away until {date.today()}: "  # noqa: DTZ011 - the machine's own day is meant
    lines = run(config, "decisions").stdout.splitlines()
    assert any(line.strip().startswith(away) and line.endswith("instead (deputies.csv:2)") for line in lines)
    assert any(line.startswith("    owner email lan@congty.example: extension 102 (") for line in lines)
    explained = run(config, "lookup", "--explain", LAN)
    assert explained.stdout == "102\n"
    assert away in explained.stderr
