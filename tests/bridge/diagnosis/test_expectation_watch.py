"""Who is not answered as expected is asked for again: what happens in each pause stands in the test."""

import threading

import pytest

from bridge.diagnosis.expectation_watch import PAUSE, ExpectationWatch
from bridge.diagnosis.judgement import judge
from bridge.lookup.lookup import read_call
from bridge.sdk.shared import Turns
from bridge.service import Service
from bridge.testing.fakes import FakeClock
from tests.support.kept import until
from tests.support.known_customers import KnownCrm, expecting

KNOWN = "caller: 0901234567, extensions: [101]"
OTHER = "caller: 0912345678, owners: lan@congty.example"
_PATIENCE = 10.0


@pytest.fixture(autouse=True)
def crm(monkeypatch):
    monkeypatch.setattr(KnownCrm, "instead", "")
    monkeypatch.setattr(KnownCrm, "asked", [])
    KnownCrm.let_go.clear()
    yield KnownCrm
    KnownCrm.let_go.set()


@pytest.fixture
def service():
    made = []

    def open_service(config):
        made.append(Service(config))
        made[0].open(5)
        return made[0]

    yield open_service
    for one in made:
        one.close()


class Watching:
    """A watch whose pauses pass at once; in each of them the next action is done, and behind the last one it ends."""

    def __init__(self, service, *, unmet=None, shift=1.0):
        self.clock, self.pauses, self._actions = FakeClock(), [], []
        self.turns = Turns(1, PAUSE, self.clock)
        self.watch = ExpectationWatch(service, self.turns, unmet, wait=self._pause, shift=lambda: shift)

    def through(self, *actions):
        self._actions = list(actions)
        self.watch.start()
        for thread in threading.enumerate():
            if thread.name == "expect":
                thread.join(_PATIENCE)
        self.watch.close()

    def _pause(self, seconds):
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        if self._actions:
            self._actions.pop(0)()
        else:
            return True
        return False


def nothing():
    pass


def test_who_is_not_met_is_a_trouble_until_the_source_answers_as_expected(tmp_path, crm, service, caplog):
    caplog.set_level("INFO")
    watching = Watching(service(expecting(tmp_path, KNOWN, OTHER)))
    seen = []

    def source(answers):
        seen.append(watching.watch.troubles())
        crm.instead = answers

    watching.through(lambda: source("down"), lambda: source(""), lambda: source(""), lambda: source(""))
    down = {"expect[0]": "caller …567 (config.yaml:9): cannot be asked: crm: the CRM is down"}
    assert seen == [{}, down, down]
    assert watching.watch.troubles() == {}
    assert crm.asked == ["0901234567", "0912345678", "0901234567"]
    assert f"expect[0]: {down['expect[0]']}: asked again until it is as expected" in caplog.text
    assert "expect[0]: caller …567 (config.yaml:9): as expected: extension 101, from crm" in caplog.text


def test_what_stays_as_it_is_is_told_once_and_asked_for_ever_more_seldom(tmp_path, crm, service, caplog):
    crm.instead = "nobody"
    watching = Watching(service(expecting(tmp_path, KNOWN)), shift=1.2)
    watching.through(*[nothing] * 14)
    assert watching.pauses[:4] == pytest.approx([6, 6, 7.8, 10.14])
    assert watching.pauses[-1] == pytest.approx(72)
    assert len(crm.asked) == 14
    assert caplog.text.count("asked again until it is as expected") == 1


def test_no_question_is_asked_while_the_machine_has_just_asked_one(tmp_path, crm, service):
    watching = Watching(service(expecting(tmp_path, KNOWN)))
    watching.through(lambda: watching.turns.book(1, 0.0))  # by another process, at the same moment
    assert watching.pauses == [PAUSE, PAUSE]
    assert crm.asked == []


def test_no_question_takes_the_place_of_a_call(tmp_path, crm, service):
    opened = service(expecting(tmp_path, KNOWN, more="max_in_flight: 2, hangs: true"))
    call = opened.guards["crm"].begin(read_call(["0987654321"], [], "VN"))
    until(lambda: crm.asked)

    def let_go():
        crm.let_go.set()
        call.wait(_PATIENCE)

    asked = []
    Watching(opened).through(nothing, lambda: asked.append(len(crm.asked)), let_go)
    assert asked == [1]
    assert crm.asked == ["0987654321", "0901234567"]


def test_what_a_reload_left_open_is_told_at_once(tmp_path, service, caplog):
    opened = service(expecting(tmp_path, KNOWN, OTHER, owner="nobody"))
    watching = Watching(opened, unmet=judge(opened, opened).unmet)
    watching.through()
    assert list(watching.watch.troubles()) == ["expect[0]", "expect[1]"]
    assert caplog.text.count("got nobody") == 2


def test_where_nobody_is_expected_nothing_runs(tmp_path, service):
    watching = Watching(service(expecting(tmp_path)))
    watching.through()
    assert (watching.pauses, watching.watch.troubles()) == ([], {})
