from datetime import datetime

import pytest

from bridge.config.moments import parse_moment
from bridge.extensions.deputies import DeputyRules, Rule, phone_in
from bridge.extensions.directory import Directory
from bridge.extensions.index import ExtensionMap
from bridge.sdk.connector import Owner
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.extension_source import ExtensionEntry

INLINE = {
    "lan@congty.example": ["101"],
    "minh@congty.example": ["102"],
    "huong@congty.example": ["103", "104"],
    "nghi@congty.example": [],
}
LAN, MINH, HUONG = (Owner(email=f"{name}@congty.example") for name in ("lan", "minh", "huong"))
NOW = "2026-12-05 09:00"


def rule(owner, *deputies, first=None, until=None, beside=False):
    days = [parse_moment(day) if day else None for day in (first, until)]
    return Rule(owner, deputies, *days, beside, "deputies.csv:2")


def directory(*rules, inline=INLINE, lists=(), pbx=(), now=NOW):
    return Directory(inline, lists, pbx, DeputyRules(lambda: rules, lambda: datetime.fromisoformat(now)))


def test_a_deputy_answers_instead_of_the_owner_and_the_notes_say_so():
    reach = directory(rule("lan@congty.example", "minh@congty.example", until="2026-12-14")).reach(LAN)
    assert reach.extensions == ("102",)
    assert reach.notes == (
        "deputy: lan@congty.example is away until 2026-12-14: minh@congty.example instead (deputies.csv:2)",
    )


def test_a_deputy_may_answer_beside_the_owner_after_the_owner():
    found = directory(rule("lan@congty.example", "huong@congty.example", "minh@congty.example", beside=True))
    assert found.reach(LAN).extensions == ("101", "103", "104", "102")
    assert found.reach(MINH).extensions == ("102",)
    assert found.find(LAN) == ("101",)


def test_of_several_rules_all_count_and_one_that_says_instead_decides():
    rules = (rule("lan@congty.example", "minh@congty.example", beside=True), rule("lan@congty.example", "ext 105"))
    assert directory(*rules).reach(LAN).extensions == ("102", "105")


@pytest.mark.parametrize(
    ("now", "answers"),
    [
        ("2026-11-30 23:59:59", "101"),
        ("2026-12-01 00:00", "102"),
        ("2026-12-14 23:59:59", "102"),
        ("2026-12-15 00:00", "101"),
    ],
)
def test_a_rule_holds_from_the_first_midnight_to_the_end_of_its_last_day(now, answers):
    rules = (rule("lan@congty.example", "minh@congty.example", first="2026-12-01", until="2026-12-14"),)
    assert directory(*rules, now=now).reach(LAN).extensions == (answers,)


@pytest.mark.parametrize(("now", "answers"), [("2026-12-05 12:59", "102"), ("2026-12-05 13:00", "101")])
def test_a_rule_may_end_at_a_time(now, answers):
    rules = (rule("lan@congty.example", "minh@congty.example", until="2026-12-05 13:00"),)
    assert directory(*rules, now=now).reach(LAN).extensions == (answers,)


def test_a_rule_begins_and_ends_while_the_service_runs():
    at = ["2026-11-30 12:00"]
    rules = (rule("lan@congty.example", "minh@congty.example", first="2026-12-01", until="2026-12-01"),)
    running = Directory(INLINE, deputies=DeputyRules(lambda: rules, lambda: datetime.fromisoformat(at[0])))
    found = []
    for at[0] in ("2026-11-30 12:00", "2026-12-01 12:00", "2026-12-02 12:00"):
        found += running.extensions_of(LAN)
    assert found == ["101", "102", "101"]


@pytest.mark.parametrize(
    "owner",
    [
        Owner(id="7"),
        Owner(id="007"),
        Owner(email="LAN@congty.example"),
        Owner(login="lan.nt"),
        Owner(name="Nguyễn Thị Thủy Lan"),
        Owner(id="99", email="lan@congty.example"),
        Owner(name="Lan <lan@congty.example>"),
        Owner(extension="101"),
    ],
)
@pytest.mark.parametrize(
    "written", ["7", "lan@congty.example", "Lan.NT", "nguyễn thị thuỷ lan", "ext 101", "Máy lẻ 101"]
)
def test_owner_and_rule_may_name_a_person_in_different_ways_if_a_list_knows_both(owner, written):
    entry = ExtensionEntry(
        ids=("7",),
        emails=("lan@congty.example",),
        logins=("lan.nt",),
        names=("Nguyễn Thị Thuỷ Lan",),
        extensions=("101",),
    )
    pbx = ExtensionMap([entry])
    assert directory(rule(written, "minh@congty.example"), pbx=[lambda: pbx]).reach(owner).extensions == ("102",)


@pytest.mark.parametrize("owner", [Owner(id="7"), Owner(login="lan"), Owner(name="Lan"), Owner(extension="101")])
def test_a_rule_needs_no_list_if_it_names_the_owner_as_the_connector_does(owner):
    text = owner.id or owner.login or owner.name or f"ext {owner.extension}"
    assert directory(rule(text, "ext 110"), inline={}).reach(owner).extensions == ("110",)


def test_two_who_ring_at_one_phone_are_not_one_person_but_the_phone_has_one_rule():
    shared = {"lan@congty.example": ["101"], "7": ["101"], "minh@congty.example": ["102"]}
    by_person = directory(rule("lan@congty.example", "minh@congty.example"), inline=shared)
    assert by_person.reach(Owner(id="7")).extensions == by_person.reach(Owner(extension="101")).extensions == ("101",)
    by_phone = directory(rule("ext 101", "minh@congty.example"), inline=shared)
    assert by_phone.reach(Owner(id="7")).extensions == by_phone.reach(LAN).extensions == ("102",)


def test_a_rule_for_a_phone_leaves_the_owners_other_phones():
    assert directory(rule("ext 103", "ext 109")).reach(HUONG).extensions == ("109", "104")


def test_a_name_that_several_people_have_sends_none_of_them_away():
    people = [ExtensionEntry(ids=(id_,), names=("Lan",), extensions=(f"10{id_}",)) for id_ in "12"]
    pbx = ExtensionMap(people)
    assert directory(rule("Lan", "ext 110"), pbx=[lambda: pbx]).reach(Owner(id="1", name="Lan")).extensions == ("101",)


def test_deputies_who_are_away_themselves_lead_to_their_deputies():
    rules = [
        rule("lan@congty.example", "minh@congty.example"),
        rule("minh@congty.example", "huong@congty.example"),
        rule("ext 103", "ext 109"),
    ]
    assert directory(*rules).reach(LAN).extensions == ("109", "104")
    assert len(directory(*rules).reach(LAN).notes) == 3


def test_a_deputy_given_by_the_phone_is_away_if_the_one_person_there_is():
    rules = [rule("lan@congty.example", "ext 102"), rule("minh@congty.example", "ext 109")]
    assert directory(*rules).reach(LAN).extensions == ("109",)


def test_deputies_in_a_circle_ring_the_owner_and_it_is_told():
    rules = [rule("lan@congty.example", "minh@congty.example"), rule("minh@congty.example", "lan@congty.example")]
    reach = directory(*rules).reach(LAN)
    assert reach.extensions == ("101",)
    assert reach.notes[-2:] == (
        "deputy: lan@congty.example is away, too: the deputies lead round in a circle",
        "deputy: no deputy of lan@congty.example can be rung: the owner rings as if there were no rule",
    )
    aside = rule("minh@congty.example", "lan@congty.example", "huong@congty.example")
    assert directory(rules[0], aside).reach(LAN).extensions == ("103", "104")


def test_a_chain_of_deputies_comes_to_an_end():
    inline = {f"agent{number}": [f"{number}"] for number in range(20)}
    chain = [rule(f"agent{number}", f"agent{number + 1}") for number in range(19)]
    reach = directory(*chain, inline=inline).reach(Owner(login="agent0"))
    assert reach.extensions == ("0",)
    assert "deputy: more than 5 deputies one behind the other" in reach.notes
    everybody = [rule(f"agent{number}", *inline) for number in range(20)]
    assert directory(*everybody, inline=inline).reach(Owner(login="agent0")).extensions == ("0",)


@pytest.mark.parametrize("deputy", ["ghost@congty.example", "nghi@congty.example", "110"])
def test_a_deputy_without_an_extension_leaves_the_owner_ringing(deputy):
    reach = directory(rule("lan@congty.example", deputy)).reach(LAN)
    assert reach.extensions == ("101",)
    assert f"deputy: {deputy} is to answer, and has no extension" in reach.notes


def test_who_has_left_may_have_a_deputy_without_having_an_extension(caplog):
    found = directory(rule("gone@congty.example", "minh@congty.example"), rule("nghi@congty.example", "ext 105"))
    assert found.reach(Owner(email="gone@congty.example")).extensions == ("102",)
    assert found.reach(Owner(email="nghi@congty.example")).extensions == ("105",)
    assert caplog.text == ""


def test_each_of_the_people_whom_a_text_names_has_the_own_deputies():
    inline = {"Lan": ["101"], "Minh": ["102"], "Pham Huong": ["103"]}
    found = directory(rule("Minh", "ext 109"), rule("Pham Huong", "ext 108"), inline=inline)
    assert found.reach(Owner(name="Lan, Minh")).extensions == ("101", "109")
    assert found.reach(Owner(name="Pham, Huong")).extensions == ("108",)


def test_a_list_that_was_never_read_does_not_keep_deputies_from_being_rung():
    def broken():
        raise SourceUnavailable("staff.csv: there is no such file")

    found = directory(rule("lan@congty.example", "ext 109"), rule("minh@congty.example", "ghost"), lists=[broken])
    assert found.reach(LAN).extensions == ("109",)
    assert found.reach(MINH).extensions == ("102",)
    assert found.reach(MINH).notes[1].startswith("deputy: whether ghost has an extension cannot be told: staff.csv")
    with pytest.raises(SourceUnavailable):
        found.reach(Owner(id="8"))


def test_rules_follow_the_lists():
    maps = [ExtensionMap([ExtensionEntry(ids=("7",), emails=("lan@congty.example",), extensions=("101",))])]
    found = directory(rule("lan@congty.example", "ext 109"), inline={}, pbx=[lambda: maps[0]])
    assert found.reach(Owner(id="7")).extensions == ("109",)
    maps[0] = ExtensionMap([ExtensionEntry(ids=("8",), emails=("lan@congty.example",), extensions=("101",))])
    assert found.reach(Owner(id="8")).extensions == ("109",)
    assert found.reach(Owner(id="7")).extensions == ()


@pytest.mark.parametrize(
    "text", ["ext 101", "Ext. 101", "extension: 101", "máy lẻ 101", "SỐ MÁY LẺ 101", "số nội bộ 101"]
)
def test_a_phone_is_written_with_a_word_in_front(text):
    assert phone_in(text) == "101"


@pytest.mark.parametrize("text", ["101", "ext", "ext lan", "text 101", "ext 101, 102"])
def test_what_is_no_phone_is_a_person(text):
    assert phone_in(text) == ""
