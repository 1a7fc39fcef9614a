"""What the service tells of itself: the application in this process, asked over the kernel's own socket."""

import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from types import SimpleNamespace as Namespace

import pytest

from bridge.insight import client
from bridge.insight.calls import REST, RecentCalls
from bridge.insight.client import PURPOSE, AnswerRefused, ServiceSlow, ask_service
from bridge.insight.directory import KEPT_FOR, DirectoryView
from bridge.insight.line_mask import LineMask
from bridge.insight.server import InsightSocket
from bridge.insight.sources import PER_MINUTE as PER_MINUTE_BY_HAND
from bridge.insight.sources import Sources
from bridge.insight.trace import PER_MINUTE
from bridge.local.address import ServiceUnreachable, address_of, listener_at
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.secrets import Redaction
from bridge.sdk.shared import Turns
from bridge.testing.fakes import FakeClock
from tests.support.another_user import nobody_is_hung_up_on, only_root
from tests.support.application import opened, reload
from tests.support.consoled import with_console
from tests.support.known_customers import expecting

NUMBER = {"ask": "trace", "number": "0901234567"}
_PATIENCE = 10.0


def consoled(folder, **options):
    return with_console(expecting(folder, **options).file)[0]


def until(ask, *expected):
    """Ask again until the service listens, or what it listens with is as expected."""
    pause = threading.Event()
    for _ in range(int(_PATIENCE / 0.02)):
        try:
            found = ask()
        except ServiceUnreachable as away:
            found = away
        if found in expected or (not expected and not isinstance(found, ServiceUnreachable)):
            return found
        pause.wait(0.02)
    raise AssertionError(found)


def asking(config, question):
    return until(lambda: ask_service(config.file, question))


def call(app, phone="0901234567"):
    ask = {"phoneNumber": phone}
    return app.test_client().get("/get_owner_contact_by_phone", query_string=ask, headers={"X-API-KEY": "change-me"})


def test_a_trace_shows_what_a_call_would_get_and_each_step(tmp_path, crm):
    config = consoled(tmp_path)
    with opened(config) as app:
        first = asking(config, NUMBER)
        call(app)
        second = ask_service(config.file, NUMBER)
    assert (first["live"]["outcome"], first["live"]["extensions"]) == ("found", ["101"])
    assert (first["live"]["answer"], first["live"]["connector"], first["by_heart"]) == ("live", "crm", None)
    assert second["by_heart"]["answer"] == "cached"
    assert crm.asked == ["0901234567"] * 2  # the call in between was answered from what the first trace has found
    assert (
        first["steps"][-1]["text"]
        == "owner email lan@congty.example: extension 101 (extensions.inline lan@congty.example)"
    )
    ring = {"extension": "101", "place": "extensions.inline lan@congty.example"}
    lan = {"names": ["lan@congty.example"], "record": "", "rings": [ring], "notes": []}
    assert first["live"]["owners"] == second["by_heart"]["owners"] == [lan]
    ends = [step["end"] for step in first["steps"]]
    assert ends == sorted(ends)
    assert [step["begin"] for step in first["steps"]] == [0.0, *ends[:-1]]


def test_nothing_of_the_numbers_and_the_keys_is_told(tmp_path, crm):
    crm.instead = "0987 654 321@congty.example"
    config = consoled(tmp_path)
    with opened(config):
        told = str(asking(config, NUMBER)) + str(ask_service(config.file, {"ask": "sources"}))
    assert "1234567" not in told
    assert "654 321" not in told
    assert "…321@congty.example" in told
    assert "change-me" not in told


def test_what_has_as_many_digits_and_is_no_number_is_shown():
    mask = LineMask(Redaction(["hunter2-hunter2"]))
    caller = PhoneNumber.parse("0901234567", "VN")
    shown = "read 2026-11-26 17:45:36 after 1234.5 ms, contact 12345678, build 3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    assert mask(shown, caller) == shown
    assert mask("asked for 84901234567 and +1 202-555-0143 with hunter2-hunter2", caller) == (
        "asked for …567 and …143 with •••"
    )


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("2026-11-26 0987654321", "2026-11-26 …321"),
        ("2026-11-26T17:45:36.123456+07:00 0987654321", "2026-11-26T17:45:36.123456+07:00 …321"),
        ("SĐT0987654321, kh_0987654321, kh-0987654321x", "SĐT…321, kh_…321, kh-…321x"),
        ("phone=%2B84987654321&x", "phone=…321&x"),
        ("phone=0987%20654%20321", "phone=…321"),
        (repr("0987\xa0654\xa0321"), "'…321'"),
        ("0987\xa0654\u2011321", "…321"),
        ("０９８７６５４３２１", "…３２１"),
        ("&#48;987654321", "…321"),
        ("(+84) 98-765-4321.", "(…321."),
    ],
)
def test_a_number_is_masked_however_it_is_written_and_whatever_it_is_glued_to(line, shown):
    assert LineMask(Redaction())(line) == shown


def test_a_trace_is_told_among_the_decisions_and_counts_as_no_call(tmp_path):
    config = consoled(tmp_path)
    with opened(config) as app:
        call(app, "0987654321")
        traced = asking(config, NUMBER)["request_id"]
        app.extensions["omi_bridge"].decisions.close()
        figures = ask_service(config.file, {"ask": "figures"})
    listed = subprocess.run(
        [sys.executable, "-m", "bridge", "decisions", "-c", str(config.file)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert traced.startswith("console-")
    assert "…567: found 101 (live, crm" in listed
    assert traced in listed
    assert (figures["calls"], figures["late"], sum(count for _, count in figures["histogram"])) == (1, 0, 1)
    assert figures["p50"] == figures["slowest"] > 0


def test_figures_without_decisions_are_refused(tmp_path):
    config = consoled(tmp_path)
    with opened(config), pytest.raises(AnswerRefused, match="no-decisions"):
        asking(config, {"ask": "figures"})


@pytest.fixture
def called(tmp_path, crm):
    """A service that was called by three, one of them with a wrong key, and what it tells of its calls."""
    config = consoled(tmp_path)
    with opened(config) as app:
        call(app, "0901234567")
        crm.instead = "7"
        call(app, "0987654321")
        crm.instead = "nobody"
        call(app, "0977000111")
        wrong = {"X-API-KEY": "another"}
        app.test_client().get("/get_owner_contact_by_phone?phoneNumber=0901234567", headers=wrong)
        app.extensions["omi_bridge"].decisions.close()
        yield lambda **wanted: asking(config, {"ask": "calls", **wanted})


def callers(found):
    return [one["caller"] for one in found["calls"]]


def test_the_last_calls_are_told_with_their_why(called):
    found = called()
    assert callers(found) == ["…111", "…321", "…567"]
    first = found["calls"][-1]
    assert (first["outcome"], first["extensions"], first["answer"], first["by_hand"]) == (
        "found",
        ["101"],
        "live",
        False,
    )
    assert "owner email lan@congty.example: extension 101 (extensions.inline lan@congty.example)" in first["because"]
    assert list(found["refused"]) == ["wrong-key"]
    assert "1234567" not in str(found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"number": "090 123 4567"}, ["…567"]),
        ({"outcome": "nobody"}, ["…111"]),
        ({"extension": "102"}, ["…321"]),
        ({"extension": "10"}, []),
        ({"owner": "LAN@"}, ["…567"]),
        ({"hotline": "19001234"}, []),
        ({"day": "2020-01-01"}, []),
        ({"day": time.strftime("%Y-%m-%d"), "outcome": "found"}, ["…321", "…567"]),
        ({"owner": "' OR 1=1 --"}, []),
    ],
    ids=str,
)
def test_calls_are_found_by_what_is_known_of_them(called, wanted, found):
    assert callers(called(**wanted)) == found


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"number": "abc"}, "wrong-number"),
        ({"day": "31.12."}, "wrong-day"),
        ({"day": "9999-12-31"}, "wrong-day"),
        ({"day": "0001-01-01"}, "wrong-day"),
    ],
)
def test_what_cannot_be_read_is_refused(called, wanted, why):
    with pytest.raises(AnswerRefused, match=why):
        called(**wanted)


class SlowMask(LineMask):
    """Takes a second for each text, by the clock that is given."""

    def __init__(self, clock):
        super().__init__(Redaction())
        self.clock = clock

    def __call__(self, line, caller=None):
        self.clock.advance(1.0)
        return super().__call__(line, caller)


def test_pages_that_refresh_themselves_have_a_twentieth_of_the_time_whatever_they_look_for(tmp_path):
    config, clock = consoled(tmp_path), FakeClock()
    with opened(config) as app:
        call(app)
        bridge = app.extensions["omi_bridge"]
        bridge.decisions.close()
        calls = RecentCalls(lambda: bridge.service, dict, SlowMask(clock), clock)
        began = clock()
        first, refresh = calls.answer({}), {"refresh": True}
        took = clock() - began
        clock.advance(REST * took - 0.5)
        assert calls.answer(refresh) is first
        with pytest.raises(AnswerRefused, match="busy"):
            calls.answer(refresh | {"owner": "lan"})
        assert callers(calls.answer({"owner": "lan"})) == ["…567"]  # somebody has asked for it
        assert calls.answer(refresh) is first
        clock.advance(REST * took + 0.5)
        assert calls.answer(refresh) is not first
        clock.advance(0.5)
        assert reload(bridge)
        with pytest.raises(AnswerRefused, match="busy"):  # nothing of another configuration
            calls.answer(refresh)


def test_the_sources_are_told_with_their_troubles(tmp_path, crm):
    crm.instead = "down"
    config = consoled(tmp_path)
    with opened(config):
        asking(config, NUMBER)
        found = ask_service(config.file, {"ask": "sources"})
    (source,) = found["connectors"]
    assert (source["name"], source["type"]) == ("crm", "tests.support.known_customers:KnownCrm")
    assert found["status"] == "degraded"
    assert "the CRM is down" in found["troubles"]["connector crm"]
    assert list(found["since"]) == ["connector crm"]


def test_only_a_source_that_is_left_alone_is_tried_by_hand(tmp_path):
    config = consoled(tmp_path)
    with opened(config) as app:
        for name in ("crm", "another"):
            with pytest.raises(AnswerRefused, match="well"):
                asking(config, {"ask": "try", "name": name})
        service = app.extensions["omi_bridge"].service
        source, turns = LeftAlone(), Turns(PER_MINUTE_BY_HAND, 60.0, FakeClock())
        left_alone = Namespace(guards={"crm": source}, config=service.config)
        sources = Sources(lambda: left_alone, dict, LineMask(Redaction()), turns, None, None)
        assert [sources.try_now({"name": "crm"}) for _ in range(PER_MINUTE_BY_HAND)] == [
            {"name": "crm"}
        ] * PER_MINUTE_BY_HAND
        with pytest.raises(AnswerRefused, match="try-often"):
            sources.try_now({"name": "crm"})
    assert source.tried == PER_MINUTE_BY_HAND


class LeftAlone:
    """A source that is left alone, and can be tried."""

    name, is_left_alone, tried = "crm", True, 0

    def try_now(self):
        self.tried += 1
        return True


def test_one_trace_at_a_time_while_all_else_is_answered(tmp_path, crm):
    config = consoled(tmp_path, more="timeout: 2s, hangs: true")
    with opened(config), ThreadPoolExecutor(1) as other:
        asking(config, {"ask": "sources"})
        hanging = other.submit(ask_service, config.file, NUMBER)
        until(lambda: bool(crm.asked), True)
        with pytest.raises(AnswerRefused, match="busy"):
            ask_service(config.file, NUMBER)
        assert ask_service(config.file, {"ask": "sources", "again": True})["connectors"][0]["in_flight"] == 1
        crm.let_go.set()
        assert hanging.result(_PATIENCE)["live"]["outcome"] == "found"


def test_a_trace_takes_no_place_that_a_caller_needs(tmp_path, crm):
    config = consoled(tmp_path, more="timeout: 2s, max_in_flight: 1")
    with opened(config), pytest.raises(AnswerRefused, match="no-room"):
        asking(config, NUMBER)
    assert crm.asked == []


def test_so_many_traces_a_minute(tmp_path):
    config = consoled(tmp_path)
    with opened(config):
        outcomes = {asking(config, NUMBER | {"number": "anonymous"})["live"]["outcome"] for _ in range(PER_MINUTE)}
        with pytest.raises(AnswerRefused, match="often"):
            ask_service(config.file, NUMBER)
    assert outcomes == {"invalid-number"}


def test_a_service_that_says_nothing_in_time_is_told_apart_from_one_that_is_away(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "_PATIENCE", 0.05)
    config = consoled(tmp_path)
    with closing(listener_at(address_of(config.file, PURPOSE))), pytest.raises(ServiceSlow, match=r"within 0\.05 s"):
        ask_service(config.file, NUMBER)
    with pytest.raises(ServiceUnreachable, match="no service with the configuration"):
        ask_service(config.file, NUMBER)


def test_without_the_section_nobody_is_answered_and_a_reload_brings_it(tmp_path):
    config = expecting(tmp_path)
    with opened(config) as app:
        with pytest.raises(ServiceUnreachable, match="no service with the configuration"):
            ask_service(config.file, NUMBER)
        with_console(config.file)
        assert reload(app.extensions["omi_bridge"])
        assert asking(config, NUMBER)["live"]["outcome"] == "found"


def test_the_directory_says_who_cannot_be_rung_and_whose_calls_were_lost(tmp_path, crm):
    crm.instead = "khanh@congty.example"
    config = consoled(tmp_path)
    with opened(config) as app:
        for phone in ("0987654321", "0977000111"):
            call(app, phone)
        crm.instead = "lan@congty.example"
        call(app, "0901234567")
        asking(config, NUMBER | {"number": "0977000222"})  # by hand: no call was lost
        app.extensions["omi_bridge"].decisions.close()
        found = ask_service(config.file, {"ask": "directory"})
        assert ask_service(config.file, {"ask": "directory"}) == found  # for some minutes
    assert found["lost"] == [{"owner": "email khanh@congty.example", "calls": 2}]
    assert [one["text"] for one in found["findings"] if one["text"].startswith("directory: ")]


def test_the_directory_is_worked_out_anew_after_minutes_and_for_another_configuration(tmp_path):
    config, clock = consoled(tmp_path), FakeClock()
    with opened(config) as app:
        bridge = app.extensions["omi_bridge"]
        view = DirectoryView(lambda: bridge.service, LineMask(Redaction()), clock)
        first = view.answer({})
        clock.advance(KEPT_FOR - 1)
        assert view.answer({}) is first
        clock.advance(1)
        second = view.answer({})
        assert second is not first
        assert reload(bridge)
        assert view.answer({}) is not second


def counting(tmp_path, answers, word="sources"):
    return InsightSocket(
        tmp_path / "config.yaml", lambda: True, {word: lambda _: answers.append(1) or len(answers)}, {}
    )


def test_what_is_asked_often_is_worked_out_once_a_second(tmp_path):
    answers = []
    with closing(counting(tmp_path, answers)) as insight:
        insight.start()
        file = tmp_path / "config.yaml"
        found = [until(lambda: ask_service(file, {"ask": "sources"})) for _ in range(50)]
    assert len(answers) < len(found) / 2


def test_another_process_answers_when_the_first_has_ended(tmp_path):
    file, first = (
        tmp_path / "config.yaml",
        InsightSocket(tmp_path / "config.yaml", lambda: True, {"who": lambda _: 1}, {}),
    )
    second = InsightSocket(file, lambda: True, {"who": lambda _: 2}, {})
    with closing(second):
        with closing(first):
            first.start()
            assert until(lambda: ask_service(file, {"ask": "who"})) == 1
            second.start()
            assert ask_service(file, {"ask": "who", "n": 2}) == 1
        assert until(lambda: ask_service(file, {"ask": "who", "n": 3}), 2) == 2


def test_what_goes_wrong_within_an_answer_is_not_told_with_what_it_was_about(tmp_path):
    def wrong(_question):
        raise ValueError("could not convert 'hunter2-hunter2' of 0987654321")

    file = tmp_path / "config.yaml"
    with closing(InsightSocket(file, lambda: True, {"wrong": wrong}, {})) as insight:
        insight.start()
        with pytest.raises(AnswerRefused, match=r"^bug$"):
            until(lambda: ask_service(file, {"ask": "wrong"}))


RUBBISH = {
    "no-json": b"\xff\xfe",
    "nested": b"[" * 100_000,
    "nested-word": b'{"ask":' + b"[" * 900 + b"]" * 900 + b"}",
    "list": b"[]",
    "number": b"9" * 5000,
    "no-word": b"{}",
    "word-is-an-object": b'{"ask": {"well": 1}}',
    "large": b'{"ask": "well", "x": "' + b"x" * 150_000,
}


@pytest.mark.parametrize("message", RUBBISH.values(), ids=RUBBISH)
def test_rubbish_keeps_nobody_else_from_being_answered(tmp_path, message):
    file = tmp_path / "config.yaml"
    with closing(InsightSocket(file, lambda: True, {"well": lambda _: "ok"}, {})) as insight:
        insight.start()
        assert until(lambda: ask_service(file, {"ask": "well"})) == "ok"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as rude:
            rude.connect(address_of(file, PURPOSE))
            rude.send(message)
            assert ask_service(file, {"ask": "well", "again": True}) == "ok"


def test_whoever_asks_waits_until_those_in_front_of_him_are_gone(tmp_path):
    file = tmp_path / "config.yaml"
    with closing(InsightSocket(file, lambda: True, {"well": lambda _: "ok"}, {})) as insight, ExitStack() as stack:
        insight.start()
        assert until(lambda: ask_service(file, {"ask": "well"})) == "ok"
        silent = []
        with suppress(BlockingIOError):  # until there is no room
            while True:
                silent.append(stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)))
                silent[-1].setblocking(False)
                silent[-1].connect(address_of(file, PURPOSE))
        with ThreadPoolExecutor(1) as other:
            asked = other.submit(ask_service, file, {"ask": "well", "again": True})
            for one in silent:
                one.close()
            assert asked.result(_PATIENCE) == "ok"


def test_a_bug_and_a_word_that_nobody_knows_end_nothing(tmp_path, caplog):
    file = tmp_path / "config.yaml"
    with closing(InsightSocket(file, lambda: True, {"bug": lambda _: 1 / 0, "well": lambda _: "ok"}, {})) as insight:
        insight.start()
        assert until(lambda: ask_service(file, {"ask": "well"})) == "ok"
        for word, refused in (("bug", "bug"), ("other", "unknown")):
            with pytest.raises(AnswerRefused, match=refused):
                ask_service(file, {"ask": word})
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as rude:
            rude.connect(address_of(file, PURPOSE))
            rude.send(b"no message")
            assert ask_service(file, {"ask": "well"}) == "ok"
    assert "a bug of omi-bridge in an answer to the console" in caplog.text


@only_root
def test_another_user_is_hung_up_on(tmp_path):
    answers = []
    with closing(counting(tmp_path, answers)) as insight:
        insight.start()
        until(lambda: ask_service(tmp_path / "config.yaml", {"ask": "sources"}))
        assert nobody_is_hung_up_on(address_of(tmp_path / "config.yaml", PURPOSE), {"ask": "sources", "foreign": True})
    assert len(answers) == 1
