import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from bridge.lookup.probed_breaker import ProbedBreaker
from bridge.lookup.sightings import Sightings
from bridge.sdk.connector import Call
from bridge.sdk.errors import SourceBusy, SourceUnavailable
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Duty
from tests.support.fakes import FakeClock
from tests.support.kept import until


def question(number: int) -> Call:
    return Call(PhoneNumber(f"+8490123{number:04}"))


class Watched:
    """A breaker whose trials are steered: `trial` says what becomes of one, and time passes when it waits."""

    def __init__(
        self,
        patience: float,
        memory: MachineMemory | None = None,
        other: "Watched | None" = None,
    ) -> None:
        self.clock = other.clock if other else FakeClock()
        alone = other.seen if other else Sightings.alone("crm", self.clock)
        self.seen = replace(alone, duty=Duty(memory or MachineMemory(), "crm"))
        self.asked: list[tuple[float, Call]] = []
        self.trial: Callable[[Call], object] = self.unavailable
        self.rounds = 0
        self.meanwhile: Callable[[], object] = lambda: None
        self._threads_before = set(threading.enumerate())
        self.breaker = ProbedBreaker(
            "crm",
            self._ask,
            lambda: patience,
            self.clock,
            probe=self._probe,
            seen=self.seen,
            wait=self._wait,
        )

    def unavailable(self, asked: Call) -> None:
        self.breaker.failed(asked, "unavailable", "unavailable: 503")

    def rejected(self, asked: Call) -> None:
        self.breaker.failed(asked, "rejected", "rejected: 401")

    def answered(self, asked: Call) -> None:
        self.breaker.answered(asked)

    def fail(self, *numbers: int, hold: float | None = None) -> None:
        for number in numbers:
            self.breaker.failed(question(number), "unavailable", "unavailable: 503", hold)

    def is_asked(self, number: int) -> bool:
        try:
            self.breaker.consider(question(number))
        except SourceUnavailable:
            return False
        return True

    def judges(self) -> list[threading.Thread]:
        """Return the threads that wait for what becomes of a trial."""
        return [one for one in set(threading.enumerate()) - self._threads_before if one.name == "trial-crm"]

    def times(self) -> list[float]:
        """Return when the trials were made, in seconds after the first of them."""
        return [round(at - self.asked[0][0], 2) for at, _ in self.asked]

    def _ask(self, asked: Call) -> "Future[object]":
        self.under_way = future = Future[object]()
        self.asked.append((self.clock(), asked))
        if self.trial(asked) is None:
            future.set_result(None)
        return future

    def _probe(self, _asked: Call) -> "Future[object]":
        raise SourceBusy("these tests are about trials")

    def _wait(self, seconds: float) -> bool:
        if self.rounds == 0 or threading.current_thread().name == "probe-crm":
            return True
        self.rounds -= 1
        self.clock.advance(seconds)
        self.meanwhile()
        return False


@contextmanager
def watched(rounds: int = 0, patience: float = 60.0, memory: MachineMemory | None = None) -> Iterator[Watched]:
    one = Watched(patience, memory)
    one.rounds = rounds
    yield one
    one.breaker.close()


def test_one_callers_trouble_is_not_the_sources_however_often_he_calls():
    with watched() as one:
        one.fail(*[0] * 100)
        assert one.is_asked(1)
        assert one.asked == []


def test_five_callers_in_trouble_are_not_the_sources_while_what_succeeded_before_still_does():
    with watched() as one:
        one.breaker.answered(question(9))
        one.trial = one.answered
        one.fail(0, 1, 2, 3, 4)
        until(lambda: one.asked)
        until(lambda: not one.breaker.trouble)
        assert [asked for _, asked in one.asked] == [question(9)]
        assert one.is_asked(1)


def test_five_callers_in_trouble_count_whichever_process_they_came_to():
    ours = Watched(60.0)
    theirs = Watched(60.0, other=ours)
    ours.breaker.answered(question(9))
    theirs.breaker.answered(question(9))
    ours.clock.advance(1)
    ours.fail(0, 1, 2)
    theirs.fail(3)
    assert theirs.asked == []
    theirs.fail(4)
    until(lambda: theirs.asked)
    ours.breaker.close()
    theirs.breaker.close()


@contextmanager
def two_processes(patience: float) -> Iterator[tuple[Watched, Watched]]:
    ours = Watched(patience)
    theirs = Watched(patience, other=ours)
    for one in (ours, theirs):
        one.breaker.answered(question(9))
        one.trial = lambda _asked: "hangs"
    ours.clock.advance(1)
    ours.fail(0, 1, 2, 3, 4)
    until(lambda: ours.asked)
    ours.clock.advance(0.01)
    theirs.fail(5)
    ours.clock.advance(0.01)
    yield ours, theirs
    ours.breaker.close()
    theirs.breaker.close()


def test_what_one_process_has_begun_to_ask_decides_for_the_others_too_without_another_question():
    with two_processes(patience=0.2) as (_, theirs):
        until(lambda: theirs.breaker.is_open)
        assert theirs.asked == []


def test_who_is_answered_in_another_process_meanwhile_acquits_the_source():
    with two_processes(patience=1.0) as (ours, theirs):
        ours.breaker.answered(question(9))
        for judge in theirs.judges():
            judge.join(10)
        assert not theirs.breaker.is_open
        theirs.fail(6)
        assert (theirs.judges(), theirs.asked) == ([], [])


def test_a_source_that_answers_every_fifth_caller_stays_in_use():
    with watched() as one:
        for number in range(100):
            assert one.is_asked(number)
            if number % 5 == 4:
                one.breaker.answered(question(number))
            else:
                one.fail(number)
        assert one.asked == []


def test_a_source_that_fails_at_what_it_has_answered_is_left_alone(caplog):
    with watched() as one:
        one.breaker.answered(question(9))
        one.fail(0, 1, 2, 3, 4)
        until(lambda: one.breaker.is_open)
        assert one.breaker.trouble == "unavailable: 503"
        assert not one.is_asked(5)
        until(lambda: "connector crm is left alone for a while: unavailable: 503" in caplog.text)


def test_a_trial_that_hangs_does_not_keep_the_source_in_use():
    with watched(patience=0.05) as one:
        one.trial = lambda _asked: "hangs"
        one.fail(0, 1, 2, 3, 4)
        until(lambda: one.breaker.is_open)


def test_a_trial_has_as_long_as_any_question():
    with watched() as one:
        one.trial = lambda _asked: "takes its time"
        one.fail(0, 1, 2, 3, 4)
        until(lambda: one.asked)
        (judge,) = one.judges()
        judge.join(0.6)
        assert judge.is_alive()
        assert one.is_asked(5)
        one.breaker.answered(one.asked[0][1])
        one.under_way.set_result(None)
        judge.join(10)
        assert one.is_asked(5)


def all_places_taken(_asked: Call) -> None:
    raise SourceBusy("all places are taken")


def test_where_no_place_is_left_for_a_trial_and_who_holds_them_is_not_answered_the_source_is_left_alone():
    with watched(patience=0.05) as one:
        one.trial = all_places_taken
        one.fail(0, 1, 2, 3, 4)
        until(lambda: one.breaker.is_open)


def test_where_no_place_is_left_for_a_trial_somebody_who_holds_one_may_acquit_the_source():
    with watched() as one:
        one.trial = all_places_taken
        one.fail(0, 1, 2, 3, 4)
        (judge,) = one.judges()
        judge.join(0.2)
        assert judge.is_alive()
        one.breaker.answered(question(5))
        judge.join(10)
        assert one.is_asked(6)


def test_a_trial_from_before_somebody_was_answered_does_not_decide_later():
    with watched() as one:
        one.trial = lambda _asked: "hangs"
        one.fail(0, 1, 2, 3, 4)
        until(lambda: one.asked)
        first = one.under_way
        one.breaker.answered(question(9))
        one.fail(0, 1, 2, 3, 4)
        until(lambda: len(one.asked) == 2)
        first.set_result(None)
        until(lambda: len(one.judges()) == 1)
        assert one.is_asked(5)
        one.under_way.set_result(None)


def test_trials_of_a_source_that_is_down_are_made_every_second():
    with watched(rounds=8) as one:
        one.fail(0, 1, 2, 3, 4)
        until(lambda: len(one.asked) == 9)
        assert one.times() == [0, 0.5, 1.15, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_trials_of_a_source_that_refuses_become_ever_more_seldom():
    with watched(rounds=25) as one:
        one.trial = one.rejected
        one.fail(0, 1, 2, 3, 4)
        until(lambda: len(one.asked) == 26)
        times = one.times()
        assert len([at for at in times if at <= 60]) == 14
        assert {round(after - before) for before, after in pairwise(times[20:])} == {60}
        # What is over is noticed after a third as long again as it has lasted.
        assert all(after - before <= before / 3 + 0.5 for before, after in pairwise(times))


def test_the_first_answer_ends_the_trials_and_the_next_outage_begins_anew(caplog):
    caplog.set_level("INFO")
    with watched(rounds=100) as one:
        one.trial = lambda asked: one.answered(asked) if len(one.asked) == 6 else one.rejected(asked)
        one.fail(0, 1, 2, 3, 4)
        until(lambda: "connector crm answers again" in caplog.text)
        assert one.is_asked(1)
        one.asked, one.trial = [], one.unavailable
        one.fail(0, 1, 2, 3, 4)
        until(lambda: len(one.asked) >= 3)
        assert one.times()[:3] == [0, 0.5, 1.15]


def test_a_source_that_asks_to_be_left_alone_is_not_tried_before_that():
    with watched(rounds=1) as one:
        one.breaker.answered(question(9))
        one.trial = one.answered
        one.fail(0, hold=30)
        until(lambda: one.asked)
        until(lambda: not one.breaker.is_open)
        assert one.clock() == 1030


def test_an_answer_to_a_question_from_before_does_not_end_the_peace_that_a_source_asked_for():
    with watched() as one:
        one.fail(0, hold=30)
        one.breaker.answered(question(1))
        assert not one.is_asked(2)
        assert one.breaker.trouble


def test_nobody_can_ask_to_be_left_alone_for_more_than_a_minute():
    with watched(rounds=1) as one:
        one.trial = one.answered
        one.fail(0, hold=10**9)
        until(lambda: not one.breaker.is_open)
        assert one.clock() == 1060


def test_where_nothing_ever_succeeded_the_next_new_caller_is_let_through():
    with watched() as one:
        one.fail(0, 1, 2, 3, 4)
        until(lambda: one.breaker.is_open)
        assert not one.is_asked(0)
        assert one.is_asked(5)
        assert not one.is_asked(6)
        one.breaker.answered(question(5))
        assert one.is_asked(0)


def test_where_nothing_ever_succeeded_callers_are_let_through_no_more_often_than_trials_are_made():
    with watched(rounds=25) as one:
        one.trial = one.rejected
        one.fail(0, 1, 2, 3, 4)
        until(lambda: len(one.asked) == 26)
        assert one.is_asked(5)
        one.clock.advance(59)
        assert not one.is_asked(6)
        one.clock.advance(40)
        assert one.is_asked(7)


def test_a_source_that_fails_otherwise_while_it_is_left_alone_is_told_of_once_with_the_new_reason(caplog):
    with watched() as one:
        one.fail(0, 1, 2, 3, 4)
        until(lambda: one.breaker.is_open)
        one.breaker.failed(question(0), "unavailable", "unavailable: 502")
        for reason in ("rejected: the key has ended", "rejected: no right"):
            one.breaker.failed(question(0), "rejected", reason)
        assert one.breaker.trouble == "rejected: no right"
        with pytest.raises(SourceUnavailable, match="because of: rejected: no right"):
            one.breaker.consider(question(0))
        assert caplog.text.count("is still left alone, by now because of:") == 1
        assert "by now because of: rejected: the key has ended" in caplog.text


def test_of_two_processes_that_leave_a_source_alone_one_tries_it_and_the_other_when_that_one_has_ended():
    memory = MachineMemory.make()
    with watched(4, memory=memory) as first, watched(4, memory=memory) as second:
        first.fail(0, 1, 2, 3, 4)
        until(lambda: len(first.asked) == 5)
        second.meanwhile = lambda: second.rounds or first.breaker.close()
        second.fail(0, 1, 2, 3, 4)
        until(lambda: len(second.asked) == 2)
        assert second.rounds == 0


def test_what_one_process_leaves_alone_the_others_leave_alone_too_until_it_is_well():
    memory = MachineMemory.make()
    with watched(memory=memory) as first, watched(memory=memory) as second:
        assert second.is_asked(5)
        first.fail(0, 1, 2, 3, 4)
        until(lambda: not second.is_asked(5))
        assert second.breaker.trouble == "unavailable: 503"
        assert second.asked == []
        second.clock.advance(1)
        second.seen.answers.note()
        first.breaker.answered(question(0))
        until(lambda: second.is_asked(5))
        assert not second.breaker.trouble


def test_who_is_answered_in_another_process_shows_that_a_source_that_is_left_alone_is_well():
    with watched(1) as one:
        one.meanwhile = one.seen.answers.note
        one.fail(0, 1, 2, 3, 4)
        until(lambda: not one.breaker.is_open and one.rounds == 0)
        assert one.is_asked(5)
        assert not one.breaker.trouble
        assert len(one.asked) == 1


def test_a_trial_by_hand_comes_before_its_time_and_ends_the_leaving_alone():
    with watched() as one:
        one.trial = one.rejected
        assert not one.breaker.try_now()  # all is well
        one.fail(*range(10))
        until(lambda: one.breaker.is_open)
        before = len(one.asked)
        assert one.breaker.try_now()
        assert (len(one.asked), one.breaker.is_open) == (before + 1, True)
        one.trial = one.answered
        assert one.breaker.try_now()
        assert not one.breaker.is_open


def test_no_trial_by_hand_while_the_source_asks_to_be_left_alone():
    with watched() as one:
        one.fail(0, hold=30.0)
        assert one.breaker.is_open
        assert not one.breaker.try_now()
        assert one.asked == []
        one.clock.advance(31)
        assert one.breaker.try_now()
