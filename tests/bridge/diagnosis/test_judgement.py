"""Whether known customers are answered as expected: a real service, and a connector that answers what it is told to."""

import contextlib
import time

import pytest

from bridge.diagnosis.judgement import AnswerVerdict, ask, judge
from bridge.sdk.deadline import Deadline
from bridge.service import Service
from tests.support.known_customers import KnownCrm, expecting

KNOWN = "caller: 0901234567, extensions: [101]"


@pytest.fixture(autouse=True)
def crm(monkeypatch):
    monkeypatch.setattr(KnownCrm, "instead", "")
    monkeypatch.setattr(KnownCrm, "asked", [])
    KnownCrm.let_go.clear()
    yield KnownCrm
    KnownCrm.let_go.set()


@contextlib.contextmanager
def opened(*configs):
    services = [Service(config) for config in configs]
    try:
        for service in services:
            service.open(5)
        yield services
    finally:
        for service in services:
            service.close()


def judged(folder, entry, **settings):
    with opened(expecting(folder, entry, **settings)) as (service,):
        return ask(service, service.config.expectations[0], 1.0, explain=True)


@pytest.mark.parametrize(
    ("owner", "wanted"),
    [
        ("lan@congty.example", "extensions: 101"),
        ("lan@congty.example", "owners: LAN@congty.example"),
        ("7", "owners: 7"),
        ("lan@congty.example; nghi@congty.example", "owners: lan@congty.example"),  # Nghi has no extension on purpose
        ("nobody", "extensions: []"),
        ("nghi@congty.example", "extensions: []"),
    ],
)
def test_what_is_expected_and_comes_is_met(tmp_path, owner, wanted):
    assert judged(tmp_path, f"caller: 0901234567, {wanted}", owner=owner).verdict is AnswerVerdict.MET


@pytest.mark.parametrize(
    ("owner", "wanted", "told"),
    [
        ("minh@congty.example", "extensions: 101", "expected extension 101, got extension 102: crm: 1 owner(s)"),
        ("lan@congty.example", "extensions: [101, 102]", "expected extension 101, 102, got extension 101"),
        ("lan@congty.example", "extensions: []", "expected nobody, got extension 101"),
        ("nobody", "extensions: 101", "expected extension 101, got nobody: crm: no owner(s)"),
        ("lan@congty.example", "owners: minh@congty.example", "expected owner minh@congty.example, got extension 101"),
        ("lan@congty.example", "owners: [lan@congty.example, minh@congty.example]", "got extension 101"),
        ("nghi@congty.example", "owners: nghi@congty.example", "got nobody"),
    ],
)
def test_another_answer_is_told_with_what_was_expected_and_who_said_so(tmp_path, owner, wanted, told):
    judgement = judged(tmp_path, f"caller: 0901234567, {wanted}", owner=owner)
    assert judgement.verdict is AnswerVerdict.OTHERWISE
    assert told in judgement.told
    assert str(judgement).startswith("caller …567 (config.yaml:9): answered otherwise: ")
    assert "1234567" not in " ".join([str(judgement), *judgement.steps])


def test_an_owner_may_be_written_as_any_name_in_the_same_row(tmp_path):
    (tmp_path / "staff.csv").write_text("id,email,name,ext\n7,minh@congty.example,Minh,109\n", encoding="utf-8")
    entry, staff = "caller: 0901234567, owners: Minh", "  csv: {path: staff.csv}\n"
    with opened(expecting(tmp_path, entry, owner="minh@congty.example", deputies=staff)) as (service,):
        assert ask(service, service.config.expectations[0], 1.0).verdict is AnswerVerdict.MET


def test_a_source_that_fails_or_hangs_says_nothing_about_the_customer(tmp_path):
    failing = judged(tmp_path, KNOWN, more="fails: true")
    assert (failing.verdict, failing.told) == (AnswerVerdict.NOT_ASKED, "crm: the CRM is down")
    assert judged(tmp_path, KNOWN, more="hangs: true, timeout: 50ms").verdict is AnswerVerdict.NOT_ASKED


def test_the_source_is_asked_whatever_is_remembered(tmp_path, crm):
    with opened(expecting(tmp_path, KNOWN)) as (service,):
        assert service.lookup.answer(["0901234567"], [], Deadline.after(1)).body == "101"
        crm.instead = "minh@congty.example"
        assert service.lookup.answer(["0901234567"], [], Deadline.after(1)).body == "101"
        assert ask(service, service.config.expectations[0], 1.0).verdict is AnswerVerdict.OTHERWISE


def test_what_is_remembered_stands_in_for_no_source_that_fails(tmp_path, crm):
    with opened(expecting(tmp_path, KNOWN)) as (service,):
        assert service.lookup.answer(["0901234567"], [], Deadline.after(1)).body == "101"
        crm.instead = "down"
        assert ask(service, service.config.expectations[0], 1.0).verdict is AnswerVerdict.NOT_ASKED


def test_an_expectation_holds_while_its_owner_is_on_leave(tmp_path):
    away = "  deputies: {inline: [{owner: lan@congty.example, deputy: minh@congty.example}]}\n"
    judgement = judged(tmp_path, KNOWN, deputies=away)
    assert (judgement.verdict, judgement.told) == (
        AnswerVerdict.MET,
        "extension 102 for extension 101, by deputies, from crm",
    )
    named = judged(tmp_path, "caller: 0901234567, owners: lan@congty.example", deputies=away)
    assert named.verdict is AnswerVerdict.MET


def test_a_reload_that_answers_a_known_customer_otherwise_is_refused(tmp_path):
    before = expecting(tmp_path, KNOWN)
    after = expecting(tmp_path, KNOWN, owner="minh@congty.example")
    with opened(before, after) as (in_force, new):
        judgement = judge(new, in_force)
    (refusal,) = judgement.refusals
    assert refusal.startswith(
        "expect[0]: caller …567 (config.yaml:9): answered otherwise: expected extension 101, got extension 102: "
    )
    assert refusal.endswith("the configuration in force answers as expected; check --online shows each step")


@pytest.mark.parametrize(
    ("owner", "told"), [("refused", "401 Unauthorized"), ("misread", "no 'owner_idd' in the record")]
)
def test_a_reload_whose_question_the_source_refuses_or_answers_in_another_shape_is_refused(tmp_path, owner, told):
    before, after = expecting(tmp_path, KNOWN), expecting(tmp_path, KNOWN, owner=owner)
    with opened(before, after) as (in_force, new):
        (refusal,) = judge(new, in_force).refusals
        assert f"cannot be asked: crm: {told}" in refusal
        assert judge(in_force, new).refusals == ()
    with opened(expecting(tmp_path, KNOWN, more="fails: true"), after) as (in_force, new):
        assert judge(new, in_force).refusals == ()


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ({"owner": "minh@congty.example"}, {"owner": "nobody"}, AnswerVerdict.OTHERWISE),  # neither is right
        (
            {"more": "fails: true"},
            {"owner": "minh@congty.example"},
            AnswerVerdict.OTHERWISE,
        ),  # who knows what was right
        ({}, {"more": "fails: true"}, AnswerVerdict.NOT_ASKED),
    ],
)
def test_no_other_reload_is_refused_but_who_is_not_met_is_told(tmp_path, before, after, verdict):
    configs = expecting(tmp_path, KNOWN, **before), expecting(tmp_path, KNOWN, **after)
    with opened(*configs) as (in_force, new):
        judgement = judge(new, in_force)
    assert judgement.refusals == ()
    assert [one.verdict for one in judgement.unmet] == [verdict]


def test_a_source_that_hangs_does_not_hold_a_reload(tmp_path):
    many = [f"caller: 09012345{number}, extensions: [101]" for number in range(10, 50)]
    hanging = expecting(tmp_path, *many, more="hangs: true, timeout: 60s, max_in_flight: 50")
    with opened(expecting(tmp_path, *many), hanging) as (in_force, new):
        started = time.monotonic()
        judgement = judge(new, in_force, 0.3)
        assert time.monotonic() - started < 1.0
    assert [one.verdict for one in judgement.unmet] == [AnswerVerdict.NOT_ASKED] * 40
