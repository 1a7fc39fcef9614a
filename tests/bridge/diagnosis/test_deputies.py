"""What `omi-bridge check` says about who is away: a real configuration, and a clock that stands still."""

from datetime import datetime

import pytest

from bridge.config.loading import load_config
from bridge.diagnosis.deputies import DeputyReport
from bridge.diagnosis.sources import check_service
from bridge.extensions.lists import ExtensionLists
from bridge.sdk.connector import Owner
from bridge.service import Service
from tests.support.omicall import Omicall, phone

CONFIG = """
api_keys: [change-me]
connectors:
  customers: {type: csv, path: customers.csv}
extensions:
  inline: {lan@congty.example: 101, minh@congty.example: 102, huong@congty.example: 103, nghi@congty.example: []}
"""
OWNERS = [Owner(email=f"{name}@congty.example") for name in ("lan", "minh", "huong")]


def configuration(folder, rules, more=""):
    file = folder / "config.yaml"
    file.write_text(f"{CONFIG}{more}  deputies:\n    inline:\n{rules}", encoding="utf-8")
    return load_config(file)


def report(folder, *rules, now="2026-12-05 09:00", owners=OWNERS, more=""):
    written = "".join(f"      - {{{rule}}}\n" for rule in rules)
    lists = ExtensionLists(configuration(folder, written, more), now=lambda: datetime.fromisoformat(now))
    try:
        return [str(one).replace("  deputies:", "") for one in DeputyReport(lists, owners).findings()]
    finally:
        lists.close()


def test_who_is_away_now_and_soon_and_whose_rule_is_over_is_told(tmp_path):
    lines = report(
        tmp_path,
        "owner: lan@congty.example, deputy: minh@congty.example, until: 2026-12-14",
        "owner: huong@congty.example, deputy: minh@congty.example, from: 2026-12-19, until: 2026-12-20",
        "owner: minh@congty.example, deputy: ext 103, ring: beside, from: 01/02/2027",
        "owner: minh@congty.example, deputy: ext 103, until: 04/12/2026",
    )
    assert lines[0].startswith("ok     it is 2026-12-05 09:00 here (UTC")
    assert lines[0].endswith("): rules: 2 to come, 1 in force, 1 over")
    assert lines[1:] == [
        (
            "ok     now: lan@congty.example is away until 2026-12-14: minh@congty.example instead "
            "(extensions.deputies.inline[0])"
        ),
        (
            "ok     soon: huong@congty.example is away from 2026-12-19 until 2026-12-20: minh@congty.example instead "
            "(extensions.deputies.inline[1])"
        ),
        (
            "ok     over, and may be taken out: minh@congty.example is away until 2026-12-04: ext 103 instead "
            "(extensions.deputies.inline[3])"
        ),
    ]


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        (
            ["owner: lan@congty.example, deputy: ghost@congty.example"],
            "inline[0]: ghost@congty.example is to answer, and has no extension",
        ),
        (
            ["owner: lan@congty.example, deputy: nghi@congty.example"],
            "inline[0]: nghi@congty.example is to answer, and has no extension",
        ),
        (
            [
                "owner: lan@congty.example, deputy: minh@congty.example, from: 2026-12-10",
                "owner: minh@congty.example, deputy: lan@congty.example, from: 2026-12-12, until: 2026-12-13",
            ],
            "inline[1]: minh@congty.example is away, too: the deputies lead round in a circle",
        ),
        (
            ["owner: ghost@congty.example, deputy: minh@congty.example"],
            "inline[0]: ghost@congty.example is nobody whom a connector or a list names",
        ),
        (
            ["owner: 101, deputy: minh@congty.example"],
            "inline[0]: 101 is nobody whom a connector or a list names: if the phone is meant, write `ext 101`",
        ),
    ],
)
def test_a_rule_that_leads_nowhere_is_told_before_it_matters(tmp_path, rules, complaint):
    warnings = [line for line in report(tmp_path, *rules) if line.startswith("warn")]
    assert f"warn   extensions.deputies.{complaint}" in warnings


def test_rules_that_are_not_in_force_together_make_no_circle(tmp_path):
    lines = report(
        tmp_path,
        "owner: lan@congty.example, deputy: minh@congty.example, until: 2026-12-11",
        "owner: minh@congty.example, deputy: lan@congty.example, from: 2026-12-12",
    )
    assert not any(line.startswith("warn") for line in lines)


def test_others_who_ring_at_the_phone_are_told_for_they_may_be_the_same_person(tmp_path):
    owners = [*OWNERS, Owner(id="7", extension="101")]
    lines = report(tmp_path, "owner: lan@congty.example, deputy: minh@congty.example", owners=owners)
    assert lines[-1] == (
        "warn   extensions.deputies.inline[0]: id 7, extension 101 rings at 101, too, and is not known to be "
        "lan@congty.example: if it is the same person, write `ext 101` as the owner, or both names"
    )


def test_a_name_that_several_people_have_is_told(tmp_path):
    (tmp_path / "staff.csv").write_text(
        "email,name,ext\na1@congty.example,An,1\na2@congty.example,An,2\n", encoding="utf-8"
    )
    more = "  csv: {path: staff.csv}\n"
    written = "      - {owner: An, deputy: ext 101}\n"
    lists = ExtensionLists(configuration(tmp_path, written, more))
    lists.start()
    lines = [str(one) for one in DeputyReport(lists, OWNERS).findings()]
    lists.close()
    assert lines[-1].endswith("several people are called An: the rule holds for none of them: write the e-mail")


def test_where_nobody_has_a_deputy_nothing_is_told(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    lists = ExtensionLists(load_config(tmp_path / "config.yaml"))
    assert list(DeputyReport(lists, OWNERS).findings()) == []


def test_check_tells_of_the_file_and_of_the_rules_online_and_offline(tmp_path):
    (tmp_path / "customers.csv").write_text("phone,owner email\n0901234567,lan@congty.example\n", encoding="utf-8")
    (tmp_path / "deputies.csv").write_text("owner,deputy,from,until\nlan@congty.example,ext 102,,\n", encoding="utf-8")
    with Omicall(phone("102", "minh@congty.example")) as server:
        file = tmp_path / "config.yaml"
        omicall = f"  omicall: {{api_key: omicall-key-4711, url: '{server.url}'}}\n"
        file.write_text(f"{CONFIG}  deputies: {{csv: {{path: deputies.csv}}}}\n{omicall}", encoding="utf-8")
        offline, online = (told(file, online=online) for online in (False, True))
    now = "ok      deputies: now: lan@congty.example is away: ext 102 instead (deputies.csv:2)"
    assert now in offline
    assert now in online
    assert offline[-1].endswith("where the rules lead to cannot be told before extensions.omicall is read (--online)")
    assert online[-1] == now
    (tmp_path / "deputies.csv").unlink()
    assert any(line.startswith("FAILED  extensions: deputies.csv: there is no such file") for line in told(file))


def told(file, *, online=False):
    service = Service(load_config(file))
    try:
        return [str(one) for one in check_service(service, online=online)]
    finally:
        service.close()
